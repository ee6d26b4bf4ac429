"""Ordinary prompts that have nothing to do with a forget list, from templates across tasks and code."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product

_TASKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Write a {0} poem about {1} {2}.": (
        ("short", "funny", "sad", "rhyming", "four-line"),
        ("the sea", "a lost key", "autumn", "coffee", "my old bicycle", "snow in April", "a lighthouse", "a stray cat",
            "moving house", "the last bus", "an empty theatre", "my first job"),
        ("for a child", "for my grandmother", "in plain words", "without adjectives"),
    ),
    "Translate '{0}' into {1}{2}.": (
        ("good night", "where is the station?", "I would like a coffee", "the train is late", "see you tomorrow"),
        ("French", "German", "Spanish", "Japanese", "Polish", "Swahili"),
        ("", ", formally", " and explain the grammar"),
    ),
    "Write a {0} function that {1}{2}": (
        ("Python", "JavaScript", "Rust", "Go", "C++", "TypeScript"),
        ("reverses a linked list", "parses an ISO date", "finds the median of two sorted arrays", "merges intervals",
         "counts words in a file", "validates an e-mail address", "computes a moving average"),
        (".", " without extra memory.", ", with tests.", "; explain the complexity."),
    ),
    "Why does this {0} code {1}?\n\n```\n{2}\n```": (
        ("Python", "JavaScript", "SQL"),
        ("fail", "run so slowly", "return the wrong result"),
        ("for i in range(len(xs)):\n    xs.remove(xs[i])", "const a = [1,2,3].map(parseInt)",
         "SELECT * FROM orders WHERE date = NULL", "x = 0.1 + 0.2\nprint(x == 0.3)",
         "try { risky() } catch (e) {}", "df = df.append(row)"),
    ),
    "What is the difference between {0} and {1}{2}?": (
        ("a virus", "TCP", "weather", "a fruit", "a proton", "an alligator", "speed"),
        ("a bacterium", "UDP", "climate", "a vegetable", "an electron", "a crocodile", "velocity"),
        ("", ", in one sentence", " for a ten-year-old"),
    ),
    "Summarise the following in {0}: {1} {2}": (
        ("one line", "three bullet points", "a tweet"),
        ("The meeting on Monday moved to Wednesday because the room was double-booked.",
         "Sales rose by 4 % in the second quarter while costs stayed level.",
         "Bees navigate by the sun and tell each other where food is by dancing.",
         "The new library opens in May with longer hours and a café."),
        ("All staff were told by e-mail.", "Some details are still open.", "More will be known in June."),
    ),
    "How do I {0} {1}? {2}": (
        ("clean", "repair", "store", "choose", "replace"),
        ("a bicycle chain", "a cast-iron pan", "a leaking tap", "winter tyres", "a laptop battery", "wooden floors",
            "a garden hose", "wool jumpers", "a zip", "kitchen knives", "a tent"),
        ("I have no tools.", "I am a beginner.", "Keep it cheap."),
    ),
    "Plan {0} in {1} for {2}.": (
        ("a weekend", "three days", "a day without a car", "a rainy afternoon"),
        ("Lisbon", "Kyoto", "Vienna", "Chicago", "Nairobi", "Edinburgh", "Santiago", "Karachi"),
        ("two adults", "a family with small children", "someone who likes museums", "a tight budget"),
    ),
    "Solve: {0} {1} {2}": (
        ("a train leaves at 9:10 and", "a tank holds 120 litres and", "a shop sells pens at 3 for 2 euros and",
         "two numbers add up to 31 and"),
        ("travels at 80 km/h;", "loses 5 litres an hour;", "gives 10 % off;", "differ by 7;"),
        ("show each step.", "give only the number.", "then check the result."),
    ),
    "Draft {0} to {1} about {2}.": (
        ("an e-mail", "a short letter", "a polite reminder", "a complaint"),
        ("my landlord", "a supplier", "the school", "a customer", "my manager"),
        ("a late payment", "a broken heater", "the new timetable", "holiday leave", "a missing parcel",
            "a noisy neighbour", "a refund", "a change of address", "the summer party", "a broken lift"),
    ),
    "Who {0} {1}{2}?": (
        ("invented", "discovered", "first described"),
        ("the telephone", "penicillin", "radioactivity", "the periodic table", "dynamite", "the steam engine"),
        ("", " and when", " and in which country"),
    ),
    "Who wrote {0}{1}{2}?": (
        ("Pride and Prejudice", "The Old Man and the Sea", "War and Peace", "Things Fall Apart", "Beloved", "Emma"),
        ("", " and in which year", " and what is it about"),
        ("", " please", ", and was it well received"),
    ),
    "Where was {0} born{1}{2}?": (
        ("Marie Curie", "Nelson Mandela", "Frida Kahlo", "Alan Turing", "Toni Morrison", "Albert Einstein"),
        ("", " and raised", " and when"),
        ("", " exactly", ", in one line"),
    ),
    "Give me {0} {1} recipe with {2}.": (
        ("a quick", "a vegan", "a cheap", "a festive"),
        ("soup", "pasta", "salad", "cake", "curry", "bread"),
        ("lentils", "pumpkin", "almonds", "spinach", "apples", "chickpeas"),
    ),
    "Which themes does {0} explore in {1}{2}?": (
        ("Shakespeare", "Jane Austen", "George Orwell", "Chinua Achebe", "Tolstoy", "the author"),
        ("early works", "later novels", "letters", "the last chapter"),
        ("", " and why", ", briefly"),
    ),
    "Which is better for {0}, {1} or {2}, and why?": (
        ("a small flat", "a long commute", "a team of five", "an old laptop", "a school project", "a cold climate"),
        ("a cat", "a folding bicycle", "PostgreSQL", "Linux", "a heat pump", "tea", "a spreadsheet"),
        ("a dog", "an electric scooter", "SQLite", "Windows", "a wood stove", "coffee", "a notebook"),
    ),
    "Explain {0} {1} {2}.": (
        ("photosynthesis", "inflation", "gravity", "recursion", "how vaccines work", "the water cycle", "entropy",
            "compound interest", "tides", "public-key cryptography", "plate tectonics", "natural selection"),
        ("to a child", "with an analogy", "in two paragraphs", "as a dialogue"),
        ("and give a quiz question", "and name one common mistake", "without formulas"),
    ),
}  # fmt: skip


def unrelated(count: int, seed: int) -> list[str]:
    """``count`` different prompts in random order.

    Raises:
        ValueError: there are not so many.
    """
    everything = [t.format(*values) for t, slots in _TASKS.items() for values in _all(slots)]
    if count > len(everything):
        raise ValueError(f"there are {len(everything)} prompts")
    return random.Random(seed).sample(everything, count)  # noqa: S311 - a sample, not a secret


def available() -> int:
    """How many different prompts there are."""
    return sum(len(list(_all(slots))) for slots in _TASKS.values())


def _all(slots: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    return list(product(*slots))
