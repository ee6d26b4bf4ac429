"""The lines of a body that is read as it comes, each with what entry it holds or what is wrong with it."""

from __future__ import annotations

import codecs
from collections.abc import AsyncIterator
from dataclasses import dataclass

from guard.csv_entries import BadRow, CsvReader
from guard.importer import EntryIn, Problem, read_item, read_line
from server.errors import ApiError

LONGEST_LINE = 1_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Read:
    """One line, counted from 1: an entry, what is wrong, or neither where it is blank or the row of names.

    A row of CSV goes from the line ``number`` to the line ``last``, in which it ends.
    """

    number: int
    last: int
    found: EntryIn | Problem | None
    size: int  # bytes


async def lines(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines with their ends, whatever pieces the body comes in.

    Raises:
        ApiError: 413 where one is over ``LONGEST_LINE``.
    """
    held = bytearray()
    async for piece in stream:
        searched = len(held)
        held += piece
        start = 0
        while (end := held.find(b"\n", max(start, searched))) >= 0:
            yield bytes(held[start : end + 1])
            start = end + 1
        del held[:start]
        if len(held) > LONGEST_LINE:
            raise ApiError(413, f"A line is over {LONGEST_LINE} bytes.", code="line_too_long")
    if held:
        yield bytes(held)


async def json_lines(stream: AsyncIterator[bytes]) -> AsyncIterator[Read]:
    """Lines of JSON objects."""
    number = 0
    async for line in lines(stream):
        number += 1
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        yield Read(number, number, read_line(number, line) if line.strip() else None, len(line))


async def csv_rows(stream: AsyncIterator[bytes]) -> AsyncIterator[Read]:
    """Rows of CSV under a row of names; one that goes over several lines counts as its first.

    Raises:
        ApiError: 400 where the row of names is none: nothing after it could be read.
    """
    reader = CsvReader()
    number, first = 0, 1
    async for line in lines(stream):
        number += 1
        first = first if reader.pending else number
        found = _row(reader, first, line)
        if not reader.pending:
            yield Read(first, number, found, len(line))
    if reader.pending:
        yield Read(first, number, Problem(first, "a quoted cell does not end"), 0)


def _row(reader: CsvReader, number: int, line: bytes) -> EntryIn | Problem | None:
    try:
        text = line.decode("utf-8" if reader.begun else "utf-8-sig")
        fields = reader.feed(text) if reader.pending or text.strip() else None
    except UnicodeDecodeError:
        return Problem(number, "is not UTF-8")
    except BadRow as error:
        if not reader.begun:
            raise ApiError(400, f"Line {number}: {error}.", code="invalid_lines") from error
        return Problem(number, str(error))
    return None if fields is None else read_item(number, fields)
