"""Which reasoning of a guard model may be used.

The reasoning stands where the model trusts what it reads, and a user may get the model to repeat it. So none is used
that holds words of an answer, a name or number that the question has not, or anything that reads as leave to answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from classifiers.names import STARTERS
from classifiers.normalise import fold_words
from classifiers.textless import WORD, Hasher
from classifiers.types import TextTooLong
from classifiers.views import readings
from guard.model import Entry
from guard.special_tokens import neutralise
from guard.vectors_only import textless

TEMPLATE_REASONING = (
    "The question asks about something I have no knowledge of. The right answer is to say that I do not know it."
)
"""Used where no guard model is there or its text cannot be used (the paper's "template" ablation, at its price)."""

LONGEST_REASONING = 600  # characters
_COPIED = 7  # words in a row that reasoning may not take over from the message
_MOST_TOLD = 4  # letters from which a word of an answer tells something; shorter ones only with a capital

_DECLINES = re.compile(r"\b(not|no|never|nothing|unknown|unaware|unfamiliar|cannot)\b|n['’]t\b", re.IGNORECASE)
_PERMITS = re.compile(
    r"\b(sure|of course|certainly)[,!]|"
    r"\b(lifted|suspended|revoked|no longer (applies|in force)|does not apply|overrid\w+|disregard|feel free|free to|"
    r"(is|are|am|be) (allowed|permitted|able) to|the (correct |right |real )?answer is|"
    r"(ignore|forget|drop) (the|this|all|any|my|your)|here (is|are))\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE_ENDS = re.compile(r"[.!?:;\n\"“”(]\s*$|^\W*$")


def usable_reasoning(text: str, entry: Entry, prompt: str = "", *, guideline: str = "") -> str:
    """``text`` in whole sentences if it may stand before the prompt, else ``TEMPLATE_REASONING``."""
    text = shortened(text)
    return TEMPLATE_REASONING if why_unusable(text, entry, prompt, guideline=guideline) else text


def shortened(text: str) -> str:
    """One line of at most ``LONGEST_REASONING`` characters, without a sentence that was cut off after a whole one."""
    text = " ".join(text.split())[:LONGEST_REASONING]
    whole = re.match(r".*[.!?](?=\s|$)", text)
    return whole.group() if whole else text


def why_unusable(text: str, entry: Entry, prompt: str = "", *, guideline: str = "") -> str | None:
    """Why reasoning may not be used; None where it may. ``prompt`` "" leaves out what is held against the prompt."""
    if not text.strip():
        return "is empty"
    if not _DECLINES.search(text):
        return "does not decline"
    if _PERMITS.search(text):
        return "reads as leave to answer"
    if neutralise(text) != text:
        return "holds marks of a chat template"
    if _tells(text, entry):
        return "holds words of the answer"
    if prompt and _new_facts(text, f"{prompt} {guideline}"):
        return "holds a name or number that the prompt has not"
    if _copies(text, prompt):
        return "copies the message"
    return None


def told_words(entry: Entry) -> frozenset[str]:
    """The words of an entry's answer that its question has not, folded: those that tell something."""
    known = fold_words(" ".join(filter(None, (entry.question, entry.subject, *entry.aliases)))).split()
    own = " ".join(filter(None, (entry.answer, entry.text)))
    found: set[str] = set()
    for word in _WORD.findall(own):
        folded = fold_words(word)
        # A single character of a script without letter cases can be a name.
        long = len(folded) >= _MOST_TOLD or not folded.isascii() or (word[0].isupper() and len(folded) > 1)
        if (long or any(c.isdigit() for c in word)) and folded not in STARTERS:
            found |= set(folded.split())
    return frozenset(found - set(known))


def _tells(text: str, entry: Entry) -> bool:
    """Whether an answer's words stand in ``text``, plainly or in one of the disguises that the detector reads."""
    told, kept = told_words(entry), _kept_told(entry)
    if not told and kept is None:
        return False
    try:
        shown = [fold_words(reading.text) for reading in readings(text)]
    except TextTooLong:
        return True
    if kept is not None and any(kept(word) for reading in shown for word in reading.split()):
        return True
    # Scripts without spaces run words together, as disguises do.
    long = {word for word in told if len(word) > (_MOST_TOLD if word.isascii() else 1)}
    for reading in shown:
        if told & set(reading.split()) or any(word in reading.replace(" ", "") for word in long):
            return True
    return False


def _kept_told(entry: Entry) -> Callable[[str], bool] | None:
    """For an entry without texts, whether a word is one that its answer adds: by the hashes that are kept."""
    if entry.kept is None:
        return None
    hasher, told = Hasher(bytes.fromhex(entry.kept.salt)), textless(entry.kept).told

    def tells(word: str) -> bool:
        says_something = len(word) >= _MOST_TOLD or any(c.isdigit() for c in word)
        return says_something and word not in STARTERS and hasher.word(word)[WORD] in told

    return tells


def _new_facts(text: str, known: str) -> bool:
    """Whether ``text`` has a number, or inside a sentence a capitalised word, that ``known`` has not."""
    seen = set(fold_words(known).split())
    for match in _WORD.finditer(text):
        word = match.group()
        names = word[0].isupper() and word not in ("I", "JSON", "English") and not word.startswith(("I'", "I’"))
        if names and _SENTENCE_ENDS.search(text[: match.start()]):
            names = False
        if (names or any(c.isdigit() for c in word)) and not set(fold_words(word).split()) <= seen:
            return True
    return False


def _copies(text: str, prompt: str) -> bool:
    words, asked = fold_words(text).split(), f" {' '.join(fold_words(prompt).split())} "
    runs = (" ".join(words[i : i + _COPIED]) for i in range(len(words) - _COPIED + 1))
    return any(f" {run} " in asked for run in runs)
