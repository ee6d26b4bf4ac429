"""One answer, read as it arrives: what of it may be released, and whether something protected is in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from classifiers.weights import content, weight
from guard.model import Entry
from guard.output.atoms import SEAM, Atom, atoms, plain
from guard.output.context import Context, key, nameless
from guard.output.judge import Judge, Piece
from guard.output.meaning import Meaning, Said
from guard.output.scanner import Seen, find
from guard.output.sentences import Sentence, Sentences
from guard.output.terms import BEGINNING
from guard.output.texts import Channel, Merged
from guard.output.types import Held, Hit, HitKind, Key
from guard.output.walks import Term, TermSource

REACH = 600  # characters after which a subject that the answer named counts no more
_REACH_UNDONE = 10_000  # the same where it stood in a disguise, which may be many times as long as what it says
_LONGEST_NEAR = 4000  # characters for which one that is on the way to an answer is held
_WORDED = 3  # words of what a code says from which on it is judged as a sentence


@dataclass(slots=True)
class _Open:
    """What was seen in the sentence of a channel that has not ended."""

    values: list[tuple[Entry, Term, int]] = field(default_factory=list)  # not armed: where they begin
    doubtful: list[tuple[Entry, Term]] = field(default_factory=list)
    read: str = ""  # the whole words of it that were held against answers
    alike: bool = False  # much of an answer stands in them


class Watch:
    """Reads one answer. ``add`` belongs to one thread; ``judge`` may run in another meanwhile."""

    def __init__(
        self,
        context: Context,
        sources: Sequence[TermSource],
        meaning: Meaning,
        alive: Callable[[Entry], bool],
        *,
        free: frozenset[str] = frozenset(),
        blind: frozenset[str] = frozenset(),
    ) -> None:
        """Read an answer.

        Args:
            context: the request.
            sources: the terms of the lists in force.
            meaning: judges sentences.
            alive: whether an entry that a source knows is still in force.
            free: the lists in force that have entries without names.
            blind: lists whose entries the model did not see asked about: of these only values that nobody guesses
                count, and most of an answer word for word, and no sentence is held that is not on the way to that.
        """
        self.hit: Hit | None = None
        self._context = context
        self._sources = sources
        self._meaning = meaning
        self._judge = Judge(context, sources, meaning, alive, free=free - context.passing - blind, blind=blind)
        self._free = free - context.passing - blind
        self._blind = blind
        self._channels: dict[str, Channel] = {}
        self._open: dict[str, _Open] = {}
        self._undone: dict[str, deque[Piece]] = {}
        self._waiting: deque[Piece] = deque()  # filled by one thread, emptied by another
        self._merged = Merged(sources)
        self._recent: dict[Key, tuple[Entry, int]] = {}  # named by the answer, and until when that counts
        self._clock = 0
        self._finished = False
        self._times = self._longest = 0

    @property
    def held(self) -> Held:
        """What holding back came to so far."""
        return Held(self._times, self._longest, self._judge.encoded)

    def add(self, channel: str, text: str, *, json: bool = False) -> None:
        """Read the next piece of a channel; ``json``: it is a fragment of a JSON document."""
        if not self._sources or self.hit or not text:
            self._of(channel, json=json).length += len(text)
            return
        own = self._of(channel, json=json)
        self._clock += len(text)
        self._see((seen, channel, raw) for seen, raw in own.add(text))
        self._see(self._merged.add(own, text))
        self._undo(own)
        self._end(own)
        if self._blind and self.hit is None:
            self._compare(own, own.main.current)
        waits = own.length - self.cleared(channel)
        if waits:
            self._times += 1
            self._longest = max(self._longest, waits)

    def finish(self) -> None:
        """No more text comes."""
        if self._finished:
            return
        self._finished = True
        for own in self._channels.values() if self._sources else ():
            name = own.name
            self._see([(seen, name, raw) for seen, raw in own.finish()])
            self._undo(own)
        self._see(self._merged.finish())
        for own in self._channels.values() if self._sources else ():
            self._end(own)

    def needs_judging(self) -> bool:
        """Whether a sentence is held that has to be judged."""
        return bool(self._waiting) and self.hit is None

    def judge(self) -> None:
        """Judge the sentences that wait. Blocking.

        Raises:
            DetectorError: the encoder failed, or a sentence cannot be read; they wait on.
        """
        for _ in range(len(self._waiting)):
            if self.hit is not None:
                return
            piece = self._waiting[0]
            found = self._judge.judge(piece)
            self.hit = self.hit or found
            self._waiting.popleft().done = not piece.near
            for before in () if piece.near else list(self._undone[piece.channel]):
                before.done = before.done or (before.near and before.way == piece.way)

    def cleared(self, channel: str) -> int:
        """How many characters of the channel may go out."""
        own = self._channels.get(channel)
        if own is None:
            return 0
        if not self._sources:
            return own.length
        if self.hit is None:
            own.cleared = max(own.cleared, self._limit(own))
        return own.cleared

    def leaks(self, channel: str, token: str) -> bool:
        """Whether ``token`` after the channel's text would complete something protected, or begin it."""
        if not self._sources:
            return False
        own = self._channels.get(channel)
        tail = own.main.scanner.tail if own else ""
        row = atoms(tail + plain(token))
        if not row or row[-1].end <= len(tail):
            return False
        return any(self._told_by(row, at, len(tail)) for at in range(len(row)))

    def _told_by(self, row: Sequence[Atom], at: int, before: int) -> bool:
        """Whether atoms from ``at`` on, of which some stand after ``before``, tell something protected."""
        for source in self._sources:
            walk = source.walk(row, at, ended=True, live=self._protected)
            for found in walk.found:
                term = found.term
                if found.end <= before:
                    continue
                if not self._context.named_by(term) and any(self._protected(e, True) for e in term.names):
                    return True
                if any(self._protected(e, False) and self._judge.tells(e, term) for e in term.values):
                    return True
            if walk.opens is not None:
                run = "".join(atom.forms[0] for atom in row[at:])[walk.opens - row[at].start :]
                if len(run) >= BEGINNING and weight(run) > 0:
                    return True
        return False

    def _protected(self, entry: Entry, named: bool) -> bool:
        """Whether saying a name of ``entry``, or else a value, would be a hit now."""
        if not self._judge.counts(entry):
            return False
        return entry.scope == "subject" if named else self._is_armed(entry)

    def _of(self, channel: str, *, json: bool) -> Channel:
        own = self._channels.get(channel)
        if own is None:
            own = self._channels[channel] = Channel(channel, self._sources, json=json)
            self._open[channel] = _Open()
            self._undone[channel] = deque()
        return own

    def _see(self, seen: Iterable[tuple[Seen, str, int]], reach: int = REACH) -> None:
        """Take note of terms, each with its channel and where it begins there."""
        for item, channel, raw in seen:
            for entry in item.term.names:
                if self._judge.counts(entry):
                    self._name(entry, item.term, channel, reach)
            for entry in item.term.values:
                if self._judge.counts(entry) and not self._context.spares(entry):
                    self._value(entry, item.term, channel, raw)

    def _name(self, entry: Entry, term: Term, channel: str, reach: int) -> None:
        own = key(entry)
        if entry.scope == "subject" and not self._context.named_by(term):
            self._strike(entry, "name", channel)
        self._recent[own] = entry, max(self._clock + reach, self._recent.get(own, (entry, 0))[1])
        for name, opened in list(self._open.items()):
            for value, said, _ in opened.values:
                if key(value) == own and not self._excused(value, said, name):
                    self._strike(value, "value", name)

    def _value(self, entry: Entry, term: Term, channel: str, raw: int) -> None:
        if not self._judge.tells(entry, term):
            return
        if not self._is_armed(entry):
            self._open[channel].values.append((entry, term, raw))
        elif not self._excused(entry, term, channel):
            self._strike(entry, "value", channel)

    def _excused(self, entry: Entry, term: Term, channel: str) -> bool:
        """Whether a value is to be judged when its sentence ends: the client gave it, and the answer may deny it."""
        if not self._context.gave(term):
            return False
        self._open[channel].doubtful.append((entry, term))
        return True

    def _is_armed(self, entry: Entry) -> bool:
        own = key(entry)
        if own in self._context.armed:
            return True
        named = self._recent.get(own)
        if named is not None and self._clock <= named[1]:
            return True
        if entry.kept is not None or not nameless(entry):
            return False
        now = {w for c in dict(self._channels).values() for w in content(c.main.current)}
        return self._context.asks(self._meaning.told(entry), self._judge.everything_before() | now)

    def _strike(self, entry: Entry, kind: HitKind, channel: str, *, given: bool = False) -> None:
        if self.hit is None:
            self.hit = Hit(entry.list_name, entry.entry_id, kind, channel, given)

    def _undo(self, own: Channel) -> None:
        """Read what stands in runs of code, and in the first letters of lines."""
        for run in own.runs():
            for text in run.decoded():
                self._undone_text(own, run.start, text.strip(), "code")
        self._see(((seen, own.name, own.raw(place)) for place, seen in own.lines.terms()), _REACH_UNDONE)
        for place, text in own.lines.texts():
            self._undone_text(own, own.raw(place), text, "lines")

    def _undone_text(self, own: Channel, start: int, text: str, way: str) -> None:
        self._see(((seen, own.name, start) for seen in find(text, self._sources)), _REACH_UNDONE)
        cut = Sentences()
        for sentence in (*cut.feed(text), *cut.finish()) if self.hit is None and self._holds() else ():
            if len(sentence.text.split()) >= _WORDED:
                self._wait(Piece(own.name, start, sentence.text, self._arming(), way=way))

    def _wait(self, piece: Piece) -> None:
        self._undone[piece.channel].append(piece)
        self._waiting.append(piece)

    def _holds(self) -> bool:
        """Whether sentences are to be judged."""
        if self._free or self._context.coded:
            return True
        return any(name not in self._blind for name, _ in self._arming())

    def _arming(self) -> dict[Key, Entry]:
        recent = {k: e for k, (e, until) in self._recent.items() if self._clock <= until}
        return self._context.armed | recent if recent else self._context.armed

    def _compare(self, own: Channel, text: str, *, ended: bool = False) -> None:
        """Hold the words of a sentence against the answers of entries that the model did not see asked about."""
        opened = self._open[own.name]
        whole = text if ended else text[: max(text.rfind(" "), 0)]
        if whole == opened.read:
            return
        opened.read = whole
        armed = [e for e in self._judge.told_of(self._arming()) if e.list_name in self._blind]
        said = Said(whole, frozenset(content(whole)), self._judge.before(own.name))
        if (told := self._meaning.overlaps(said, armed, self._context)) is not None:
            self._strike(told, "value", own.name)
        opened.alike = opened.alike or self._meaning.nears(said, armed)

    def _end(self, own: Channel) -> None:
        ended = own.sentences()
        for sentence in ended:
            self._ended(own, sentence)
        if ended:
            own.settle()

    def _ended(self, own: Channel, sentence: Sentence) -> None:
        if self._blind and self.hit is None:
            self._compare(own, sentence.text, ended=True)
        opened = self._open[own.name]
        self._open[own.name] = _Open()
        if self.hit is None and (opened.doubtful or own.is_odd or self._holds()) and sentence.text.strip():
            start = own.raw(sentence.start)
            piece = Piece(own.name, start, sentence.text.replace(SEAM, " "), self._arming(), opened.doubtful)
            self._wait(piece)
        else:
            self._judge.remember(own.name, content(sentence.text) if self._free or self._blind else ())

    def _is_over(self, own: Channel, near: Piece) -> bool:
        """Whether what would go on with a piece came, or is waited for no more."""
        return self._finished or own.length - near.start > _LONGEST_NEAR

    def _limit(self, own: Channel) -> int:
        limit = own.length if self._finished else min(own.open_at, self._merged.open_at(own))
        for _, _, raw in () if self._finished else self._open[own.name].values:
            limit = min(limit, raw)
        undone = self._undone[own.name]
        while undone and (undone[0].done or (undone[0].near and self._is_over(own, undone[0]))):
            undone.popleft()
        limit = min([limit, *(piece.start for piece in list(undone) if not piece.done)])
        opened = self._open[own.name]
        if not self._finished and (opened.doubtful or opened.alike or own.is_odd or self._holds()):
            limit = min(limit, own.sentence_at)
        return limit
