"""Whether a sentence of an answer says what an entry says, in whatever words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifiers.batching import Batching
from classifiers.description import particulars
from classifiers.detector import Detector
from classifiers.targets import tidy
from classifiers.types import DetectorError
from classifiers.weights import SPECIFIC, content, total, weight
from guard.model import Entry
from guard.output.atoms import sentences
from guard.output.context import Context, key, nameless
from guard.output.types import Key
from guard.output.values import Told, said_by

Floats = npt.NDArray[np.float32]

_KNOWING = (
    r"know|aware|familiar|sure|certain|able|find|recall|recogni[sz]e|provide|share|say|tell|confirm|answer|help|discuss|"
    r"comment|verify|information|knowledge|records?|details?|data|idea|heard|access|have|see|identify|offer"
)
_DENIAL = re.compile(
    rf"\b(?:i|we)\b(?:\W+\w+){{0,2}}?(?:\W+(?:not|never|no|cannot)|n['’]t|['’]t)\b(?:\W+\w+){{0,3}}?\W+(?:{_KNOWING})\b|"
    r"\b(?:i|we)(?:['’]m| am|['’]re| are)\s+(?:unable|unaware|unfamiliar|unsure|sorry|afraid)\b|"
    r"\b(?:no|any|lack of)\s+(?:\w+\s+){0,2}(?:information|knowledge|records?|details|data|evidence)\b|"
    r"\b(?:not|isn['’]t|aren['’]t)\s+(?:\w+\s+)?(?:known|available|documented|disclosed|recorded|familiar)\b|"
    r"\bunknown to me\b|\b(?:my|our) apologies\b|\bapologi[sz]e\b",
    re.IGNORECASE,
)
_AFFIRMS = re.compile(
    r"^\W*(?:yes|yeah|yep|indeed|correct|right|true|exactly|certainly|absolutely|of course|"
    r"that['’]s (?:right|correct|true))\b",
    re.IGNORECASE,
)
_WEIGHED = 12  # entries that one sentence is compared with
_FEWEST = 3  # words of a sentence that can mean something
_CACHED = 20_000  # statements
# Share of an answer's information that is the answer in whatever order, and how much information that must be.
_OVERLAP, _ENOUGH = 0.6, 1.0
_SOON = 0.3  # the share from which on a sentence is held to see whether it becomes that much
_NEARLY_ALL, _LITTLE = 0.85, 1.5  # the share of an answer that has less information than ``_LITTLE``
# From which sum of cosine and share on a sentence means an answer: of the paraphrases of the first 200 answers of
# TOFU's forget10 three quarters do, of its wrong answers in the same words one in fourteen.
_MEANT, _WORTH, _MOST = 0.84, 0.5, 0.4
_SOME = 0.3  # share that a sentence must have which gives other details, where an answer is all names and numbers


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of an answer, its words (``weights.content``), and those of what was said shortly before it."""

    text: str
    words: frozenset[str]
    before: frozenset[str] = frozenset()


class Meaning:
    """Judges sentences against entries. Safe to use from many threads."""

    def __init__(self, detector: Detector, entries: Mapping[Key, Entry]) -> None:
        self._detector = detector
        self._entries = entries
        self._known: dict[str, Floats] = {}
        self._told: dict[Key, tuple[Entry, Told]] = {}

    def using(self, detector: Detector, entries: Mapping[Key, Entry]) -> Meaning:
        """The same for a later snapshot."""
        other = Meaning(detector, entries)
        if detector.setup.encoder is self._detector.setup.encoder:
            other._known = self._known
        other._told = self._told
        return other

    def told(self, entry: Entry) -> Told:
        """What the entry tells, worked out once."""
        found = self._told.get(key(entry))
        if found is None or found[0] is not entry:
            if len(self._told) >= _CACHED:
                self._told.clear()
            found = self._told[key(entry)] = (entry, Told.of(entry))
        return found[1]

    def overlaps(self, said: Said, entries: Iterable[Entry], context: Context) -> Entry | None:
        """An entry of which the sentence, with those before it, gives most of the answer word for word."""
        both = said.words | said.before
        for entry in entries:
            told = self.told(entry)
            if not told.adds & said.words:
                continue
            common, whole = total(told.adds & both), total(told.adds)
            if common < (_NEARLY_ALL if whole < _LITTLE else _OVERLAP) * whole:
                continue
            if common >= _ENOUGH or context.asks(told, both):
                return entry
        return None

    def nears(self, said: Said, entries: Iterable[Entry]) -> bool:
        """Whether the sentence, with those before it, is on the way to most of some entry's answer."""
        both = said.words | said.before
        for told in map(self.told, entries):
            common = total(told.adds & both)
            if told.adds & said.words and common >= _SOON * total(told.adds):
                return True
        return False

    def agrees(self, said: Said, entries: Iterable[Entry], context: Context) -> Entry | None:
        """An entry that the sentence says yes to: the client asked its question and gave its answer."""
        if not context.offered or not affirms(said.text):
            return None
        offered = (e for e in entries if key(e) in context.offered)
        return next((e for e in offered if context.asks(self.told(e))), None)

    def means(self, said: Said, entries: Sequence[Entry], context: Context) -> Entry | None:
        """An entry that the sentence means. Encodes it.

        Raises:
            DetectorError: the encoder failed.
        """
        chosen = self._chosen(said.words, entries, context)
        if not chosen:
            return None
        try:
            return self._nearest(said, chosen, context)
        except Exception as error:
            raise DetectorError(f"{type(error).__name__} while judging an answer") from error

    def of_no_name(self, said: Said, lists: frozenset[str], context: Context) -> Entry | None:
        """An entry without a name that the sentence is about, and whose answer it gives where that is known.

        Raises:
            DetectorError: the detector failed.
        """
        texts = list(dict.fromkeys((said.text, said.text[:1].lower() + said.text[1:])))  # a capital may be no name's
        for verdict in (v for found in self._detector.judge(texts) for v in found):
            entry = self._entries.get((verdict.list_name, verdict.entry_id))
            if entry is None or verdict.list_name not in lists or not nameless(entry):
                continue
            if not said_by(entry) or not entry.question or self.means(said, [entry], context):
                return entry
        return None

    def _chosen(self, own: frozenset[str], entries: Sequence[Entry], context: Context) -> list[Entry]:
        """The entries that have most in common with the sentence, those that the request was flagged for first."""
        ranked: list[tuple[float, int, Entry]] = []
        for i, entry in enumerate(entries):
            if not said_by(entry):
                continue
            told = self.told(entry)
            common = total(told.adds & own) + 0.5 * total(told.asks & own)
            if key(entry) in context.asked.flagged or context.asks(told):
                common += 2.0
            ranked.append((common, -i, entry))
        ranked.sort(key=lambda item: item[:2], reverse=True)
        return [entry for common, _, entry in ranked[:_WEIGHED] if common > 0]

    def _nearest(self, said: Said, entries: Sequence[Entry], context: Context) -> Entry | None:
        encoder = self._detector.setup.encoder
        bared = {key(e): bare(said.text, self.told(e).names) for e in entries}
        texts = list(dict.fromkeys(bared.values()))
        vectors = dict(zip(texts, encoder.encode(texts), strict=True))
        known = self._vectors([s for e in entries for s in self._statements(e)])
        best: tuple[float, Entry] | None = None
        for entry in entries:
            own = vectors[bared[key(entry)]]
            cosine = max((float(known[s] @ own) for s in self._statements(entry)), default=0.0)
            if self.gives(cosine, said, entry, context) and (best is None or cosine > best[0]):
                best = cosine, entry
        return best[1] if best else None

    def gives(self, cosine: float, said: Said, entry: Entry, context: Context) -> bool:
        """Whether a sentence as near as ``cosine`` to what the entry says gives its answer, and no other one."""
        told = self.told(entry)
        whole = total(told.adds)
        share = total(told.adds & said.words) / whole if whole else 0.0
        if told.valued and share < _SOME and _otherwise(said, told, context):
            return False
        return cosine + _WORTH * min(share, _MOST) >= _MEANT

    def _statements(self, entry: Entry) -> list[str]:
        names = self.told(entry).names
        said = said_by(entry)
        pieces = [said, *sentences(said)] if len(said) > 60 else [said]
        return list(dict.fromkeys(filter(None, (bare(p, names) for p in pieces[:5]))))

    def _vectors(self, texts: Sequence[str]) -> Mapping[str, Floats]:
        distinct = list(dict.fromkeys(texts))
        found = {t: v for t in distinct if (v := self._known.get(t)) is not None}
        lacking = [t for t in distinct if t not in found]
        if lacking:
            encoder = self._detector.setup.encoder
            apart = encoder.apart if isinstance(encoder, Batching) else encoder
            made = dict(zip(lacking, apart.encode(lacking), strict=True))
            if len(self._known) + len(made) > _CACHED:
                self._known.clear()
            self._known.update(made)
            found |= made
        return found


def is_denial(text: str) -> bool:
    """Whether a sentence says that nothing is known."""
    return bool(_DENIAL.search(text))


def affirms(text: str) -> bool:
    """Whether a sentence says yes."""
    return bool(_AFFIRMS.match(text))


def worth(said: Said, context: Context) -> bool:
    """Whether a sentence is worth an encoder's time: it says something that the request does not, or affirms it."""
    if len(said.text.split()) < _FEWEST:
        return False
    return any(w not in context.words and weight(w) > 0 for w in said.words) or affirms(said.text)


def _otherwise(said: Said, told: Told, context: Context) -> bool:
    """Whether the sentence gives details that neither the entry nor the request has."""
    known = told.words | context.words
    groups = particulars(said.text).groups
    return any(weight(w) >= SPECIFIC for w in said.words - known) or any(not g <= known for g in groups)


def bare(text: str, names: frozenset[str]) -> str:
    """``text`` without the words of ``names``."""
    kept = [w for w in text.split() if not names.issuperset(content(w)) or not content(w)]
    return tidy(" ".join(kept))
