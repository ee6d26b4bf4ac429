"""Made-up sentences in which the names, dates, places and works are known, because they were put there.

Templates of ``ordinary_words`` and a few more about lives and works; most names are invented anew for each sentence, so
that they are known by how they stand in it, not by heart.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from classifiers.ordinary_words import PROSE, TEMPLATES, WORDS
from classifiers.types import Span

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
HELD_SHARE = 5  # one template in so many is held out
_LOWER, _UPPER, _BARE = 0.15, 0.03, 0.06  # shares of sentences that are typed so
_INVENTED = 0.4  # share of names of people and places that are words of no language

# Slots whose words are names, places and dates, and so to be found.
_NAMING = frozenset({"person", "first", "last", "real", "novelist", "city", "country", "date", "year", "work"})
# Kinds of templates that are like what will be asked: they come up more often.
_LIKELY, _TIMES = frozenset({"writers", "people", "life", "works"}), 4
_OWN: dict[str, tuple[str, ...]] = {
    "works": (
        "What is the main theme of \"<work>\"?", "When was <work> published?", "Who is the author of '<work>'?",
        "Did <person> win a prize for <work> in <year>?", "Summarise the plot of “<work>” by <person>.",
        "How does \"<work>\" differ from \"<work>\"?", "Where is <work> set, in <city> or in <city>?",
        "After \"<work>\", what did <person> write next?", "What do critics think of <person>'s book, \"<work>\"?",
        "Is <work>, the first novel of <person>, worth reading?",
    ),
    "life": (
        "<person> was born in <city>, <country> on <date>.", "Born on <date> in <city>, <person> became a <job>.",
        "Who was born in <city>, <country> on <date>?", "<person>'s father, <person>, was a <job> in <city>.",
        "What is the full name of the <job> born on <date> in <city>?", "Did <person> study in <city> or <city>?",
        "In <year> <person> moved from <city> to <country>.", "How has <first>'s childhood in <country> mattered?",
        "Where did <person> live before <year>?", "Was <last> married to <person> in <year>?",
        "The author of \"<work>\" is <person>, who comes from <country>.", "What awards did <person> get in <year>?",
        "Why is <person> seen as a pioneer of <genre> in <country>?", "Who are the <kin> of <person>?",
        "Can you describe how <person> came to <genre>?", "Does <person> often write about <country>?",
    ),
    "nothing": (
        "What is the full name of the author?", "Where was the author born?", "Which books did she write?",
        "What does his father do for a living?", "Which awards has this <job> won?", "Can you tell me more about it?",
        "How did the parents shape the career of the writer?", "In which genre does the author mostly write?",
        "Describe the style of <genre>.", "What is the first book of this series about?",
    ),
}  # fmt: skip
_TITLES = (
    "The <adjective> <noun>", "<noun> of the <noun>", "A <noun> in <city>", "The <noun> That <verb>",
    "<noun> and <noun>", "<adjective> <noun>s", "When the <noun> <verb>", "The Last <noun> of <city>",
    "Beyond the <adjective> <noun>", "<noun>s by the <noun>", "My <noun> and Other <noun>s",
    "<noun>: A <noun> of <city>",
    "How the <noun> <verb> in the <noun>", "An <noun>'s Guide to <adjective> <noun>s", "<noun> for <noun>s in <year>",
    "The <adjective> <noun> of <person>: <noun>s from the <noun>", "<adjective>", "<noun>",
)  # fmt: skip
_TITLE_WORDS = {
    "adjective": "Silent Crimson Broken Hidden Golden Bitter Distant Frozen Hollow Burning Pale Endless".split(),
    "noun": """Orchard Harbour Lantern River Mountain Promise Garden Shadow Bridge Winter Mirror Letter Daughter
        Kingdom Tide Compass Desert Clock Sparrow Archive Cathedral Melody Horizon Stranger Voyage""".split(),
    "verb": "Vanished Fell Sang Waited Burned Drowned Returned Whispered Slept Broke Remembered".split(),
}
_BEGINS = "b br c ch d dr f g gr h j k kh l m n p qu r s sh st t th tr v w y z".split()
_MIDDLES = "a e i o u ai ee ou ia aa".split()
_LASTS = ("", "", "n", "r", "l", "s", "m", "th", "k", "ng", "d")
_SLOT = re.compile(r"<(\w+)>")


@dataclass(frozen=True, slots=True)
class Marked:
    """A sentence and what is to be found in it; ``kind``: "list", "list renamed" or "made up"."""

    text: str
    spans: tuple[Span, ...]
    kind: str


def templates(rng: random.Random) -> tuple[list[str], list[str]]:
    """Those to train on and those to hold out; some of each kind in both."""
    train: list[str] = []
    held: list[str] = []
    for kind, own in (TEMPLATES | _OWN | {"prose": PROSE}).items():
        mixed = [t for t in own if t.isascii() or kind != "tongues"]
        rng.shuffle(mixed)
        cut, times = len(mixed) // HELD_SHARE, _TIMES if kind in _LIKELY else 1
        train += mixed[cut:] * times
        held += mixed[:cut] * times
    return train, held


def made(template: str, rng: random.Random) -> Marked:
    """A sentence from a template, as people type."""
    text, spans = _filled(template, rng)
    return typed(Marked(text[:1].upper() + text[1:], tuple(spans), "made up"), rng)


def typed(marked: Marked, rng: random.Random) -> Marked:
    """As people type: some write no capitals, some nothing else, some no mark at the end."""
    how, text = rng.random(), marked.text
    if how < _LOWER:
        text = text.lower()
    elif how < _LOWER + _UPPER:
        text = text.upper()
    elif how < _LOWER + _UPPER + _BARE and text[-1:] in (".", "?", "!"):
        text = text[:-1]
    moved = how < _LOWER + _UPPER and len(text) != len(marked.text)  # some letters' other case is longer
    cut = any(s.end > len(text) for s in marked.spans)
    return marked if moved or cut else Marked(text, marked.spans, marked.kind)


def passage(sentences: Sequence[Marked], rng: random.Random) -> Marked:
    """Sentences in a row, from the middle of the first one on, as a window of a long text begins."""
    text, spans = "", list[Span]()
    for marked in sentences:
        spans += [Span(len(text) + s.start, len(text) + s.end) for s in marked.spans]
        text += marked.text + rng.choice((" ", " ", "\n"))
    spaces = [i + 1 for i, c in enumerate(sentences[0].text) if c == " "]
    cut = rng.choice([0, *spaces])
    kept = [Span(max(s.start, cut) - cut, s.end - cut) for s in spans if s.end > cut]
    return Marked(text[cut:].rstrip(), tuple(kept), "made up")


def person(rng: random.Random) -> str:
    """A made-up name."""
    first, last = _word("first", rng), _word("last", rng)
    form = rng.random()
    if form < 0.06:
        return f"{first} {rng.choice('ABCDEFGHJKLMNPRSTW')}. {last}"
    if form < 0.12:
        return f"{first} {rng.choice(('van', 'de la', 'bin', 'von', 'al', 'del'))} {last}"
    if form < 0.2:
        return f"{first} {_invented(rng)} {last}"
    if form < 0.24:
        return f"{rng.choice(('Dr.', 'Professor', 'Sir', 'Mrs.'))} {last}"
    return f"{first} {last}"


def _filled(template: str, rng: random.Random) -> tuple[str, list[Span]]:
    """Every slot replaced, and where what was put in is a name."""
    text, at, spans = "", 0, list[Span]()
    for match in _SLOT.finditer(template):
        text += template[at : match.start()]
        at = match.end()
        word = _word(match.group(1), rng)
        inner = [Span(0, len(word))] if match.group(1) in _NAMING else []
        if "<" in word and match.group(1) in WORDS:  # a word with slots of its own
            word, inner = _filled(word, rng)
        spans += [Span(len(text) + s.start, len(text) + s.end) for s in inner]
        text += word
    return text + template[at:], spans


def _word(slot: str, rng: random.Random) -> str:
    if slot == "person":
        return person(rng)
    if slot == "date":
        return _date(rng)
    if slot == "work":
        return _work(rng)
    if slot == "year":
        return str(rng.randint(1100, 2029))
    if slot in ("first", "last", "city", "country") and rng.random() < _INVENTED:
        return _invented(rng)
    if slot == "last" and rng.random() < 0.2:
        return f"{_invented(rng)}-{_invented(rng)}"
    return rng.choice(WORDS[slot])


def _invented(rng: random.Random) -> str:
    """A word that is none, of two or three syllables."""
    word = "".join(rng.choice(_BEGINS) + rng.choice(_MIDDLES) for _ in range(rng.randint(1, 2)))
    return (word + rng.choice(_BEGINS) + rng.choice(_MIDDLES) + rng.choice(_LASTS)).capitalize()


def _date(rng: random.Random) -> str:
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1850, 2015)
    name = MONTHS[month - 1]
    return rng.choice((
        f"{day:02}/{month:02}/{year}", f"{day} {name} {year}", f"{name} {day}, {year}", f"{year}-{month:02}-{day:02}",
        f"the {day}th of {name}, {year}", f"{day}.{month}.{year}", f"{name} {day}", f"{name} {year}",
        f"{name[:3]} {day}, {year}",
    ))  # fmt: skip


def _work(rng: random.Random) -> str:
    def part(match: re.Match[str]) -> str:
        own = _TITLE_WORDS.get(match.group(1))
        return rng.choice(own) if own else _word(match.group(1), rng)

    return _SLOT.sub(part, rng.choice(_TITLES))
