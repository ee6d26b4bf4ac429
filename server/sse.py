"""Server-sent events out of bytes that come in pieces of any size: read, and written anew from what was read."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson

# An event that is larger than this is no event of a model's stream.
MAX_EVENT = 16 * 1024 * 1024


class BrokenStream(ValueError):
    """The bytes are no event stream."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, as it goes on and as it reads. ``data`` is None for a comment, ``[DONE]`` or what is no object."""

    raw: bytes
    data: dict[str, Any] | None = None


def event(data: dict[str, Any]) -> Event:
    """An event of our own, in OpenAI's form."""
    return Event(b"data: " + orjson.dumps(data) + b"\n\n", data)


DONE = Event(b"data: [DONE]\n\n")


class Splitter:
    """Collects bytes and hands out whole events. Lines may end in LF, CRLF or CR (the WHATWG's specification)."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._marks = [b"\n\n", b"\r\n\r\n", b"\r\r"]  # the one seen last first

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that ``chunk`` completes.

        Raises:
            BrokenStream: an event grows beyond all measure, or is no JSON.
        """
        # An event ends at an empty line, which can begin in what was held.
        searched = max(len(self._held) - 3, 0)
        self._held += chunk
        found: list[Event] = []
        while (end := self._end(searched)) is not None:
            found.append(_parsed(bytes(self._held[:end])))
            del self._held[:end]
            searched = 0
        if len(self._held) > MAX_EVENT:
            raise BrokenStream("an event of the model server is too large")
        return found

    def _end(self, start: int) -> int | None:
        """Where the first event ends, its empty line included.

        Nothing is looked for beyond it: a chunk can hold thousands of events, and this is the event loop.
        """
        end, until = None, len(self._held)
        for mark in tuple(self._marks):
            at = self._held.find(mark, start, until)
            if at >= 0:
                end, until = at + len(mark), at + len(mark) - 1
                self._marks.remove(mark)
                self._marks.insert(0, mark)
        return end

    def rest(self) -> bytes:
        """What came after the last whole event."""
        return bytes(self._held)


# What may stand beside data. Nobody reads the rest of an event for what it tells, so the rest does not go on.
_BESIDE = re.compile(rb"(?:event|id|retry): ?[\w.-]{0,64}")
_JSON = (b"{", b"[", b'"')


def _parsed(raw: bytes) -> Event:
    """What goes on is written anew from what was read: of a key that stands twice, clients get what was judged.

    Raises:
        BrokenStream: the data begin as JSON and are none, or none that can be passed on.
    """
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    data: list[bytes] = []
    head = b""
    for line in raw.rstrip(b"\n").split(b"\n"):
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif _BESIDE.fullmatch(line):
            head += line + b"\n"
    if not data:
        return Event((head or b":\n") + b"\n")  # a comment keeps a connection open
    said = b"\n".join(data).strip()
    if said == b"[DONE]":
        return Event(head + DONE.raw)
    if not said.startswith(_JSON):
        return Event(head + b"".join(b"data: " + line + b"\n" for line in data) + b"\n")
    value = _read(said)
    try:
        written = head + b"data: " + orjson.dumps(value) + b"\n\n"
    except TypeError as error:  # deeper than any answer, or half a surrogate pair
        raise BrokenStream("an event of the model server cannot be passed on") from error
    return Event(written, value if isinstance(value, dict) else None)


def _read(said: bytes) -> Any:
    try:
        return orjson.loads(said)
    except orjson.JSONDecodeError:
        try:
            return json.loads(said)  # it takes NaN, as some clients do
        except (ValueError, RecursionError) as error:
            raise BrokenStream("an event of the model server is no JSON") from error


async def events(chunks: AsyncIterator[bytes]) -> AsyncIterator[Event]:
    """The events of a stream of bytes; bytes after the last whole event are an event of their own, unread.

    Raises:
        BrokenStream: the bytes are no event stream.
    """
    splitter = Splitter()
    async for chunk in chunks:
        for found in splitter.feed(chunk):
            yield found
    rest = splitter.rest()
    if rest.strip():
        yield _parsed(rest)
