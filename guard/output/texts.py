"""The texts of one answer as they arrive: each channel in the ways that it can be read, and all of them together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from guard.output.atoms import SEAM
from guard.output.codes import Codes, Run
from guard.output.json_text import JsonText
from guard.output.lines import Lines
from guard.output.odd import Odd
from guard.output.scanner import Scanner, Seen
from guard.output.sentences import Sentence, Sentences
from guard.output.walks import TermSource

_OVERLAP = 200  # characters of a channel that a second one may go on from


class View:
    """One way to read a channel; character ``i`` comes from raw characters from ``starts[i]`` on, or from ``i``."""

    def __init__(self, sources: Sequence[TermSource], *, mapped: bool) -> None:
        self.scanner = Scanner(sources)
        self.starts: list[int] = []
        self.mapped = mapped
        self._sentences = Sentences()

    def raw(self, place: int, length: int) -> int:
        """The raw character behind ``place``; ``length`` is that of the channel."""
        if not self.mapped:
            return place
        return self.starts[place] if place < len(self.starts) else length

    def cut(self, text: str, *, ended: bool) -> list[Sentence]:
        """The sentences that end with the next piece."""
        found = self._sentences.feed(text)
        return [*found, *self._sentences.finish()] if ended else found

    @property
    def sentence_at(self) -> int:
        """Where the sentence begins that has not ended."""
        return self._sentences.start

    @property
    def current(self) -> str:
        """What has come of it."""
        return self._sentences.buffer


class Channel:
    """One text of the answer. What looks like JSON is read as it stands and as what it says."""

    def __init__(self, name: str, sources: Sequence[TermSource], *, json: bool) -> None:
        self.name = name
        self.length = 0
        self.cleared = 0
        self.last = ""  # what the last piece says
        self._sources = sources
        self._json: JsonText | None = None
        self._begun = False
        self._asked_json = json
        self._odd = Odd()
        self.is_odd = False  # a sentence that has ended, or that has not, may be in a disguise
        self.lines = Lines(sources)  # of the main view
        self._codes = Codes()
        self._runs: list[Run] = []
        self._sentences: list[Sentence] = []
        self.main = View(sources, mapped=False)  # the one that sentences are of
        self._plain: View | None = self.main
        self._of_json: tuple[View, ...] = ()  # everything, and values alone
        self._views = [self.main]

    def add(self, text: str) -> list[tuple[Seen, int]]:
        """Read the next piece; the terms that are whole now, and where they begin."""
        if not self._begun and (text.strip() or self._asked_json):
            self._begin(text.lstrip()[:1])
        self.length += len(text)
        self.last = text
        found: list[tuple[Seen, int]] = []
        if self._json is not None:
            for view, decoded in zip(self._of_json, self._json.feed(text), strict=True):
                view.starts += decoded.starts
                found += self._read(view, decoded.text)
                self.last = decoded.text
        if self._plain is not None:
            found += self._read(self._plain, text)
        self._runs += self._codes.feed(text)
        return found

    def _begin(self, first: str) -> None:
        """Choose how to read the channel by its first character that is no white space."""
        self._begun = True
        if not (self._asked_json or first in ("{", "[")):
            return
        self._json = JsonText(self.length)
        self._of_json = (View(self._sources, mapped=True), View(self._sources, mapped=True))
        self._views = [*self._of_json]
        if self._asked_json or first == "{":
            self.main = self._of_json[0]
        if self._asked_json:
            self._plain = None
        elif self._plain is not None:
            self._views.append(self._plain)

    def _read(self, view: View, text: str) -> list[tuple[Seen, int]]:
        if view is self.main:
            self.is_odd |= self._odd.feed(text)
            self._sentences += view.cut(text, ended=False)
            self.lines.feed(text)
        return [(seen, view.raw(seen.start, self.length)) for seen in view.scanner.feed(text)]

    def finish(self) -> list[tuple[Seen, int]]:
        """No more text comes."""
        self._sentences += self.main.cut("", ended=True)
        self.is_odd |= self._odd.finish()
        self._runs += self._codes.finish()
        self.lines.finish()
        return [(seen, v.raw(seen.start, self.length)) for v in self._views for seen in v.scanner.finish()]

    def runs(self) -> list[Run]:
        """The runs of code that ended since they were last asked for."""
        runs, self._runs = self._runs, []
        return runs

    def sentences(self) -> list[Sentence]:
        """The sentences that ended since they were last asked for, in the main view."""
        found, self._sentences = self._sentences, []
        return found

    def settle(self) -> None:
        """What has ended is dealt with: only the last words count for what comes."""
        self.is_odd = self._odd.now

    def raw(self, place: int) -> int:
        """Where ``place`` of the main view is."""
        return self.main.raw(place, self.length)

    @property
    def mapped(self) -> bool:
        """Whether ``last`` has other places than the raw text."""
        return self._json is not None

    @property
    def open_at(self) -> int:
        """From where on the text may be the beginning of something."""
        pending = self._json.pending if self._json is not None else None
        opens = [self.length if pending is None else pending, self._codes.open_at]
        opens += [v.raw(v.scanner.open_at, self.length) for v in self._views]
        if (place := self.lines.open_at) is not None:
            opens.append(self.raw(place))
        return min(opens)

    @property
    def sentence_at(self) -> int:
        """Where the sentence begins that has not ended."""
        return self.raw(self.main.sentence_at)


class Merged:
    """All channels as one text, in order of arrival. Begins to read when a second channel does."""

    def __init__(self, sources: Sequence[TermSource]) -> None:
        self._scanner = Scanner(sources)
        self._places: list[int] = []  # where pieces begin
        self._pieces: list[tuple[Channel, int]] = []  # whose they are, and where they begin there
        self._only: Channel | None = None
        self._tail = ""
        self._last: Channel | None = None
        self._reads = False

    def add(self, channel: Channel, text: str) -> list[tuple[Seen, str, int]]:
        """Read the channel's last piece, which was ``text`` raw; what was found, whose it is and where it begins."""
        if self._only is None or (channel is self._only and not self._reads):
            self._only = channel
            self._tail = (self._tail + channel.last)[-_OVERLAP:]
            return []
        if not self._reads:
            self._reads = True
            mapped = self._only.mapped  # then its places are not known: all of it is meant
            self._feed(self._only, self._tail, 0 if mapped else max(0, self._only.length - len(self._tail)))
            self._last = self._only
        if channel is not self._last:
            self._feed(channel, SEAM, channel.length - len(text))
        self._last = channel
        return self._told(self._feed(channel, channel.last, channel.length - len(text)))

    def finish(self) -> list[tuple[Seen, str, int]]:
        """No more text comes."""
        return self._told(self._scanner.finish()) if self._reads else []

    def open_at(self, channel: Channel) -> int:
        """From where on the channel's text may be the beginning of something that others go on with."""
        if not self._reads or self._scanner.open_at >= self._scanner.length:
            return channel.length
        first = max(0, bisect_right(self._places, self._scanner.open_at) - 1)
        for i in range(first, len(self._pieces)):
            own, start = self._pieces[i]
            if own is channel:
                return start + (self._scanner.open_at - self._places[i] if i == first else 0)
        return channel.length

    def _feed(self, channel: Channel, text: str, start: int) -> list[Seen]:
        self._places.append(self._scanner.length)
        self._pieces.append((channel, start))
        return self._scanner.feed(text)

    def _told(self, seen: list[Seen]) -> list[tuple[Seen, str, int]]:
        found = []
        for item in seen:
            at = max(0, bisect_right(self._places, item.end - 1) - 1)
            channel, start = self._pieces[at]
            found.append((item, channel.name, start))
        return found
