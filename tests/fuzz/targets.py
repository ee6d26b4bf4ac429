"""What is fuzzed: the parsers of everything that comes from outside. Each takes bytes, and raises only for a fault."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson

from classifiers.normalise import words
from classifiers.types import TextTooLong
from classifiers.views import readings
from guard.csv_entries import BadRow, CsvReader
from guard.importer import EntryIn, entries, read_item, read_line
from server.admin.lines import Read, csv_rows, json_lines
from server.dialects.registry import DIALECTS, create_dialect
from server.errors import ApiError
from server.incoming import parse_object
from server.sse import BrokenStream, Splitter
from server.surfaces import Limits, check_shape


def body(data: bytes) -> None:
    """A request's body: parsed, its shape checked."""
    with contextlib.suppress(ApiError):
        check_shape(parse_object(data), Limits())


def surfaces(data: bytes) -> None:
    """A request's texts, at every endpoint."""
    try:
        parsed = parse_object(data)
        check_shape(parsed, Limits())
    except ApiError:
        return
    for name in DIALECTS:
        dialect = create_dialect(name)
        with contextlib.suppress(ApiError):
            dialect.surfaces(dict(parsed), None)  # as the proxy does: what this refuses is read no further
            dialect.conversation(parsed)
            dialect.media(parsed)


def answers(data: bytes) -> None:
    """An answer's texts, whole and as an event, at every endpoint."""
    try:
        value: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        return
    if not isinstance(value, dict):
        return
    for name in DIALECTS:
        dialect = create_dialect(name)
        dialect.pieces(value)
        dialect.event_pieces(value)
        dialect.ending({}).see(value)


def sse(data: bytes) -> None:
    """A stream: in one piece and byte by byte it must be the same events."""
    at_once, slowly = Splitter(), Splitter()
    with contextlib.suppress(BrokenStream):
        found = at_once.feed(data)
        pieces = [event for i in range(len(data)) for event in slowly.feed(data[i : i + 1])]
        assert [e.data for e in found] == [e.data for e in pieces]
        assert at_once.rest() == slowly.rest()


def views(data: bytes) -> None:
    """Every reading of a text; its places must be places of the text."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(TextTooLong):
        for reading in readings(text):
            if reading.text:
                span = reading.raw(0, len(reading.text))
                assert 0 <= span.start <= span.end <= len(text)


def normalised(data: bytes) -> None:
    """A text's words."""
    text = data.decode("utf-8", "replace")
    view = words(text)
    if view.text:
        span = view.raw(0, len(view.text))
        assert 0 <= span.start <= span.end <= len(text)


def lines(data: bytes) -> None:
    """An import, JSON lines and CSV, in pieces of seven bytes; what is taken in makes entries."""
    for reader in (json_lines, csv_rows):
        with contextlib.suppress(ApiError):
            asyncio.run(_read(reader, data))


async def _read(reader: Callable[[AsyncIterator[bytes]], AsyncIterator[Read]], data: bytes) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for i in range(0, len(data), 7):
            yield data[i : i + 7]

    found = [read.found async for read in reader(stream()) if isinstance(read.found, EntryIn)]
    assert len(entries(found, "fuzzed")) <= len(found)


def csv(data: bytes) -> None:
    """A file of CSV under a row of names that is sound."""
    reader = CsvReader()
    reader.feed("id,subject,aliases,question,answer,sigma,expires_at\n")
    for line in data.decode("utf-8", "replace").splitlines(keepends=True):
        with contextlib.suppress(BadRow):
            fields = reader.feed(line)
            if fields is not None:
                read_item(1, fields)


def item(data: bytes) -> None:
    """A line of an import."""
    read_line(1, data)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "body": body, "surfaces": surfaces, "answers": answers, "sse": sse, "views": views, "normalised": normalised,
    "lines": lines, "csv": csv, "item": item,
}  # fmt: skip
SEEDS: tuple[bytes, ...] = (
    b'{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Where was Zorvan Pelk born?"}]}]}',
    b'{"model":"m","prompt":["a",[1,2]],"echo":true}', b'{"model":"m","input":[{"role":"user","content":"a"}]}',
    b'{"choices":[{"index":0,"delta":{"content":"a","tool_calls":[{"function":{"arguments":"{}"}}]}}],"usage":{}}',
    b'event: x\r\ndata: {"type":"response.output_text.delta","delta":"a"}\r\n\r\ndata: [DONE]\n\n',
    b'{"subject":"Zorvan Pelk","aliases":["Z. Pelk"],"question":"Where?","answer":"Karachi","sigma":1.5}\n',
    b'id,subject,aliases\n1,"Zorvan ""Z"" Pelk","a|b"\n', b"Wm9ydmFuIFBlbGs= 5a6f7276616e &#90; %5A Z.o.r.v.a.n mbeina",
)  # fmt: skip
