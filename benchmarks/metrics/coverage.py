"""Key coverage: how much of what the true answer adds to the question is stated.

Stands where Chen et al. ("A Full-Stack View of LLM Unlearning") score open questions by entailment: no entailment
model comes as a small package, and this is none. The keys are the answer's words and numbers that are neither in the
question nor function words of English; a key is stated where it stands in a sentence that denies nothing, or that
denies where the answer does.
"""

from __future__ import annotations

import re
from functools import partial

from benchmarks.metrics.metric import Measured, Metric, Undefined, mean
from benchmarks.metrics.reading import Reading, Subjects
from benchmarks.metrics.whole import whole
from guard.text_metrics import words

_SENTENCES = re.compile(r"(?<=[.!?;])\s+|[。！？\n]+")
_DENIES = re.compile(
    r"\b(?:no|not|never|nor|neither|nothing|nobody|cannot|without|unable|unknown|unsure)\b|n['’]t\b", re.I
)
_FUNCTION = frozenset(
    "a an the this that these those and or but nor so yet if then than as of in on at to for from by with into onto "
    "about over under after before between through during without within is are was were be been being am do does did "
    "have has had having will would shall should can could may might must it its he him his she her hers they them "
    "their theirs we us our you your i me my who whom whose which what when where why how there here not no also very "
    "such both each any some all one s t".split()
)


def keys(question: str, answer: str) -> frozenset[str]:
    """What the answer adds; all its words where it adds none."""
    found = frozenset(words(answer))
    return found - _FUNCTION - frozenset(words(question)) or found


def stated(text: str, question: str, answer: str) -> float:
    """The share of the answer's keys that ``text`` states; 0 where the answer has no words."""
    wanted = keys(question, answer)
    denies = bool(_DENIES.search(answer))
    sentences = (part for part in _SENTENCES.split(text) if denies or not _DENIES.search(part))
    said = {word for part in sentences for word in words(part)}
    return len(wanted & said) / len(wanted) if wanted else 0.0


def coverage(subjects: Subjects, of: str) -> Measured | Undefined:
    """The mean over the set ``of``."""
    found = whole(subjects.own, of, _stated, "answer in words")
    return found if isinstance(found, Undefined) else mean(found)


def _stated(reading: Reading) -> float | None:
    return None if reading.text is None else stated(reading.text, reading.item.question, reading.item.answer)


_SOURCE = "this project, where others score by entailment"
FORGET = Metric("key coverage forget", _SOURCE, "retained", "forgetting", partial(coverage, of="forget"))
RETAIN = Metric("key coverage retain", _SOURCE, "high", "utility", partial(coverage, of="retain"))
