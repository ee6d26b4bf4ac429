"""Sentences of an answer that have ended, judged as they stand and in every way in which they can be read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from classifiers.reading import Reading
from classifiers.types import DetectorError, TextTooLong
from classifiers.views import readings
from classifiers.weights import content, total, weight
from guard.model import Entry
from guard.output.context import Context, key
from guard.output.meaning import Meaning, Said, is_denial, worth
from guard.output.scanner import find
from guard.output.types import Hit, HitKind, Key
from guard.output.values import Told
from guard.output.walks import Term, TermSource

STRONG, PHRASE = 1.5, 1.0  # weight of the words of a value that nobody guesses; of one of several words
MAIN = 0.5  # of what an answer adds to its question
_BEFORE = 60  # words of earlier sentences that belong to one
_ENCODED = 2  # readings of one sentence, besides the plain one, that the encoder looks at
_CLEARER = 2  # of the commonest words that one of these must have more than the plain one


@dataclass(slots=True)
class Piece:
    """A sentence that has ended, with what was seen in it, and whether it may go out."""

    channel: str
    start: int  # in the channel's raw text
    text: str
    armed: dict[Key, Entry]
    doubtful: list[tuple[Entry, Term]] = field(default_factory=list)  # values that the client gave: it may deny them
    done: bool = False
    near: bool = False  # it is judged, and in a disguise on the way to an answer, which the next one may complete
    way: str = ""  # in which it was read; what is read in one way belongs together


class Judge:
    """Judges the sentences of one answer, in their order; ``judge`` belongs to one thread at a time."""

    def __init__(
        self, context: Context, sources: Sequence[TermSource], meaning: Meaning, alive: Callable[[Entry], bool],
        *, free: frozenset[str], blind: frozenset[str],
    ) -> None:  # fmt: skip
        """For the arguments see ``Watch``."""
        self.encoded = 0  # sentences that the encoder looked at
        self._context = context
        self._sources = sources
        self._meaning = meaning
        self._alive = alive
        self._free = free
        self._blind = blind
        self._before: dict[str, deque[str]] = {}
        self._named: dict[Key, Entry] = {}  # in a disguise, as the rest of the answer may be

    def counts(self, entry: Entry) -> bool:
        """Whether the entry is in force for this answer."""
        return self._alive(entry) and entry.list_name not in self._context.passing

    def tells(self, entry: Entry, term: Term) -> bool:
        """Whether saying the value tells something: what a blind model says may be a guess, or the client's own."""
        if entry.list_name not in self._blind:
            return True
        if self._context.gave(term):
            return False
        words = term.words
        weighs = total(words)
        return weighs >= (STRONG if len(words) == 1 else PHRASE) or weighs >= MAIN * total(Told.of(entry).adds)

    def told_of(self, armed: Mapping[Key, Entry]) -> Iterator[Entry]:
        """Those of which a sentence may tell something."""
        return (e for e in armed.values() if self.counts(e) and not self._context.spares(e))

    def remember(self, channel: str, words: Iterable[str]) -> None:
        """Words that were said there."""
        self._before.setdefault(channel, deque(maxlen=_BEFORE)).extend(words)

    def before(self, channel: str) -> frozenset[str]:
        """The words that were said there last."""
        return frozenset(self._before.get(channel, ()))

    def everything_before(self) -> frozenset[str]:
        """The same of all channels. Safe while another thread judges."""
        return frozenset(w for before in dict(self._before).values() for w in list(before))

    def judge(self, piece: Piece) -> Hit | None:
        """Everything that takes more than looking up letters.

        Raises:
            DetectorError: the encoder failed, or a sentence cannot be read.
        """
        denied = is_denial(piece.text)
        if piece.doubtful and not denied:
            return _hit(piece, piece.doubtful[0][0], "value", given=True)
        return self._read_again(piece, denied=denied) or self._weigh(piece, piece.armed, denied=denied)

    def _weigh(self, piece: Piece, among: Mapping[Key, Entry], *, denied: bool, encode: bool = True) -> Hit | None:
        """By its words, and by its meaning where it is to be encoded."""
        before = self.before(piece.channel + piece.way)
        told = content(piece.text)
        self.remember(piece.channel + piece.way, told)
        armed = [e for e in self.told_of(among) if e.list_name not in self._blind]
        if not (armed or self._free):
            return None
        words = frozenset(told)
        if denied:  # whoever says that he does not know a thing may repeat what he was asked, and tell nothing else
            words, before = words - self._context.words, frozenset()
        said = Said(piece.text, words, before)
        if (agreed := self._meaning.agrees(said, armed, self._context)) is not None:
            return _hit(piece, agreed, "value", given=True)
        if (own := self._meaning.overlaps(said, armed, self._context)) is not None:
            return _hit(piece, own, "value")
        piece.near = piece.near or (encode and bool(piece.way) and self._meaning.nears(said, armed))
        if denied or not encode or not worth(said, self._context):
            return None
        self.encoded += 1
        meant = self._meaning.means(said, armed, self._context)
        meant = meant or (self._meaning.of_no_name(said, self._free, self._context) if self._free else None)
        return None if meant is None else _hit(piece, meant, "meaning")

    def _read_again(self, piece: Piece, *, denied: bool) -> Hit | None:
        """In whatever disguise a sentence may stand."""
        try:
            others = readings(piece.text)[1:]
        except TextTooLong as error:
            raise DetectorError("a sentence of the answer can be read in too many ways") from error
        for reading in others:
            if (hit := self._terms(piece, reading.text, denied=denied)) is not None:
                return hit
        clear = _clearest(piece.text, others)
        for reading in others:
            other = Piece(piece.channel, piece.start, reading.text, piece.armed, way=f"{piece.way}\0{reading.name}")
            hit = self._weigh(other, piece.armed | self._named, denied=denied, encode=reading in clear)
            if hit is not None:
                return hit
            piece.near = piece.near or other.near
        return None

    def _terms(self, piece: Piece, text: str, *, denied: bool) -> Hit | None:
        """The names and values that stand in a text."""
        terms = [seen.term for seen in find(text, self._sources)]
        for term in terms:
            for entry in filter(self.counts, term.names):
                if entry.scope == "subject" and not self._context.named_by(term):
                    return _hit(piece, entry, "name")
                self._named[key(entry)] = entry
        for term in terms:
            given = self._context.gave(term)
            for entry in term.values:
                known = key(entry) in piece.armed or key(entry) in self._named
                known = known and self.counts(entry) and not self._context.spares(entry)
                if known and not (denied and given) and self.tells(entry, term):
                    return _hit(piece, entry, "value", given=given)
        return None


def _hit(piece: Piece, entry: Entry, kind: HitKind, *, given: bool = False) -> Hit:
    return Hit(entry.list_name, entry.entry_id, kind, piece.channel, given)


def _clearest(plain: str, others: Sequence[Reading]) -> list[Reading]:
    """The readings that are more like language than what is written."""
    least = _common(plain) + _CLEARER
    found = sorted(((_common(r.text), -i) for i, r in enumerate(others)), reverse=True)
    return [others[-at] for many, at in found[:_ENCODED] if many >= least]


def _common(text: str) -> int:
    """How many of the commonest words are in it."""
    return sum(len(word) > 1 and not word.isdigit() and not weight(word) for word in content(text))
