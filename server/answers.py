"""An answer on its way back: watched, released, cut or asked for again. Nothing here knows what is protected."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

import orjson
from anyio.to_thread import run_sync

from guard.output import Hit
from guard.repeats import Watching
from server.dialects.base import Answer, Dialect, Ending, Translation
from server.dialects.pieces import Piece
from server.dialects.texts import raw_piece
from server.sse import DONE, Event, event

_LOGPROBS = (b'"top_logprobs"', b'"prompt_logprobs"')


class Sink(Protocol):
    """Turns events of the model server into what the client gets."""

    def event(self, event: Event) -> list[bytes]:
        """Bytes for one event."""
        ...

    def end(self, ending: Ending) -> list[bytes]:
        """Bytes that end the stream before its time."""
        ...


class AsItCame:
    """The client speaks what the model server speaks."""

    def event(self, event: Event) -> list[bytes]:
        """The event's own bytes."""
        return [event.raw]

    def end(self, ending: Ending) -> list[bytes]:
        """The ending's events."""
        return ending.end()


class Translating:
    """The client speaks another API than chat completions, in which the model server was asked."""

    def __init__(self, translation: Translation) -> None:
        self._translation = translation

    def event(self, event: Event) -> list[bytes]:
        """The chunk, or the end, in the client's form."""
        if event.data is not None:
            return self._translation.chunk(event.data)
        return self._translation.done() if event.raw.strip() == DONE.raw.strip() else []

    def end(self, ending: Ending) -> list[bytes]:
        """The chunks that are missing, in the client's form."""
        chunks = [part for chunk in ending.missing() for part in self._translation.chunk(chunk)]
        return [*chunks, *self._translation.done()]


@dataclass(slots=True)
class Nearly:
    """Judges alternatives with a watch of its own, which reads token by token."""

    watch: Watching

    def leaks(self, channel: str, token: str) -> bool:
        """Whether the token would tell."""
        return self.watch.leaks(channel, token)

    def said(self, channel: str, token: str) -> None:
        """Note the token that was written."""
        self.watch.add(channel, token)


@dataclass(slots=True)
class Watched:
    """What one answer is held to. ``watch`` is for its texts; ``another`` makes one for alternatives to its tokens."""

    dialect: Dialect
    watch: Watching
    another: Callable[[], Watching]
    _nearly: Nearly | None = None

    async def judge(self) -> Hit | None:
        """Judge what waits for the encoder.

        Raises:
            DetectorError: the detector failed.
        """
        while self.watch.hit is None and self.watch.needs_judging():
            await run_sync(self.watch.judge)
        return self.watch.hit

    def add(self, pieces: Iterable[Piece]) -> dict[str, int]:
        """Read pieces; the length of each channel's text in them."""
        lengths: dict[str, int] = {}
        for piece in pieces:
            self.watch.add(piece.channel, piece.text, json=piece.json)
            lengths[piece.channel] = lengths.get(piece.channel, 0) + len(piece.text)
        return lengths

    async def whole(self, answer: Answer) -> Hit | None:
        """Read a whole answer.

        Raises:
            DetectorError: the detector failed.
        """
        self.add(self.dialect.pieces(answer))
        self.watch.finish()
        return await self.judge()

    async def pruned(self, raw: bytes, answer: Answer) -> bool:
        """Whether alternatives were taken out of ``answer``; ``raw`` tells cheaply that it has none."""
        if not any(mark in raw for mark in _LOGPROBS):
            return False
        if self._nearly is None:
            self._nearly = Nearly(await run_sync(self.another))  # it reads the whole request: not on the event loop
        return self.dialect.prune(answer, self._nearly)


@dataclass(slots=True)
class Release:
    """Holds the events of a stream until every text in them may go out, in the order in which they came.

    Nothing goes out before the first text may: until then the whole answer can still be asked for again.
    """

    watched: Watched
    ending: Ending
    sink: Sink
    sent: bool = False
    done: bool = False  # the model server said that its answer is whole, or that it failed
    cut: Hit | None = None  # what ended the stream before its time
    longest: int = 0  # most characters that waited at one time
    waited: float = 0.0  # most seconds that one waited
    _read: int = 0
    _released: int = 0
    _queue: deque[tuple[Event, dict[str, int], int, float]] = field(default_factory=deque)  # each channel's length
    _texts: int = 0  # queued events that hold any
    _length: dict[str, int] = field(default_factory=dict)

    async def take(self, event: Event) -> None:
        """Read an event."""
        if event.data is None:
            pieces = raw_piece(event.raw)
            self.done = self.done or event.raw.strip() == DONE.raw.strip()
        else:
            self.done = self.done or isinstance(event.data.get("error"), dict)
            if await self.watched.pruned(event.raw, event.data):
                event = _written(event)
            pieces = self.watched.dialect.event_pieces(event.data or {})
        ends: dict[str, int] = {}
        for channel, length in self.watched.add(pieces).items():
            self._length[channel] = ends[channel] = self._length.get(channel, 0) + length
            self._read += length
        self._queue.append((event, ends, self._read, time.perf_counter()))
        self._texts += bool(ends)

    def ready(self, *, finished: bool = False) -> list[bytes]:
        """What may go out now."""
        if not (finished or self.sent or self._texts):
            return []  # not looked through again for each of thousands of comments
        count = self._clear()
        if not finished and not self.sent and not any(ends for _, ends, *_ in islice(self._queue, count)):
            return []
        out: list[bytes] = []
        now = time.perf_counter()
        for _ in range(count):
            event, ends, released, came = self._queue.popleft()
            self._texts -= bool(ends)
            self._released = released
            self.waited = max(self.waited, now - came)
            if event.data is not None:
                self.ending.see(event.data)
            out += self.sink.event(event)
            self.sent = True
        self.longest = max(self.longest, self._read - self._released)
        return out

    def _clear(self) -> int:
        cleared: dict[str, int] = {}
        for i, (_, ends, *_) in enumerate(self._queue):
            for channel, end in ends.items():
                if channel not in cleared:
                    cleared[channel] = self.watched.watch.cleared(channel)
                if end > cleared[channel]:
                    return i
        return len(self._queue)


def _written(event: Event) -> Event:
    """The event with the data that it has now; lines beside the data stay."""
    kept = [line for line in event.raw.split(b"\n") if line and not line.startswith(b"data:")]
    return Event(b"\n".join([*kept, b"data: " + orjson.dumps(event.data)]) + b"\n\n", event.data)


# Asks again, more strictly; called at most once for an answer.
Again = Callable[[Hit], Awaitable[AsyncIterator[bytes]]]


async def released(events: AsyncIterator[Event], release: Release, again: Again) -> AsyncIterator[bytes]:
    """The bytes of a watched stream.

    Raises:
        DetectorError: the detector failed; nothing that waited for it has gone out.
    """
    async for arrived in events:
        await release.take(arrived)
        if await release.watched.judge():
            break
        for part in release.ready():
            yield part
    else:
        release.watched.watch.finish()
        if not await release.watched.judge():
            for part in release.ready(finished=True):
                yield part
            return
    hit = release.watched.watch.hit
    assert hit is not None  # noqa: S101 - for the type
    if release.sent:
        release.cut = hit
        for part in release.sink.end(release.ending):
            yield part
    else:
        async for part in await again(hit):
            yield part


async def spoken(
    chunks: Iterable[dict[str, Any]], sink: Sink, pause: Callable[[], Awaitable[None]]
) -> AsyncIterator[bytes]:
    """An answer of the proxy's own, as a stream."""
    for chunk in chunks:
        for part in sink.event(event(chunk)):
            yield part
        await pause()
    for part in sink.event(DONE):
        yield part
