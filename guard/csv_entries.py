"""Entries as rows of CSV: the first row names the fields, and a cell with several values parts them with ``|``.

A value that itself holds ``|`` makes its cell a JSON array. Cells may hold line breaks in quotes, as RFC 4180 has it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from guard.importer import EntryIn, to_fields
from guard.model import Entry

COLUMNS = tuple(name for name in EntryIn.model_fields if name != "paraphrased_question")
_SEVERAL = frozenset({"aliases", "paraphrases", "labels"})
_DELIMITERS = ",;\t"
_LONGEST_RECORD = 1_000_000  # characters
# Kept entries have longer cells than the 128 KiB that the module allows.
csv.field_size_limit(_LONGEST_RECORD)


class BadRow(ValueError):
    """A row that holds no entry."""


class CsvReader:
    """Puts rows together from lines that come one by one."""

    def __init__(self) -> None:
        self._columns: list[str] | None = None
        self._delimiter = ","
        self._open = ""  # of a record with a line break in quotes

    @property
    def begun(self) -> bool:
        """Whether the row of names has been read."""
        return self._columns is not None

    @property
    def pending(self) -> bool:
        """Whether a record has begun that has not ended."""
        return bool(self._open)

    def feed(self, line: str) -> dict[str, Any] | None:
        """The fields of the row that ends with ``line``; None where none does, or it was the row of names.

        Raises:
            BadRow: it cannot be read; the next line begins another.
        """
        record = self._open + line
        if record.count('"') % 2:
            if len(record) > _LONGEST_RECORD:
                self._open = ""
                raise BadRow(f"a quoted cell has not ended after {_LONGEST_RECORD} characters")
            self._open = record
            return None
        self._open = ""
        if self._columns is None:
            self._names(record)
            return None
        return _fields(self._columns, self._cells(record))

    def _names(self, record: str) -> None:
        self._delimiter = max(_DELIMITERS, key=record.count)
        names = [name.strip() for name in self._cells(record)]
        if not {"subject", "question", "text", "kept"}.intersection(names):
            raise BadRow(f"the first row must name the fields, of which these are known: {', '.join(COLUMNS)}")
        if len(set(names)) < len(names):
            raise BadRow("the first row names a field twice")
        self._columns = names

    def _cells(self, record: str) -> list[str]:
        try:
            return next(csv.reader(io.StringIO(record, newline=""), delimiter=self._delimiter, strict=True), [])
        except csv.Error as error:
            raise BadRow(f"not a row of CSV: {error}") from error


def _fields(columns: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    if len(cells) > len(columns):
        raise BadRow(f"has {len(cells)} cells, and the first row names {len(columns)} fields")
    return {name: _value(name, cell) for name, cell in zip(columns, cells, strict=False) if cell.strip()}


def _value(name: str, cell: str) -> Any:
    try:
        if name == "kept" or (name in _SEVERAL and cell.lstrip().startswith("[")):
            return json.loads(cell)
    except (ValueError, RecursionError) as error:
        raise BadRow(f"{name}: not JSON: {error}") from error
    return [value.strip() for value in cell.split("|")] if name in _SEVERAL else cell


def header() -> str:
    """The row of names that ``to_row``'s rows go under."""
    return ",".join(COLUMNS) + "\r\n"


def to_row(entry: Entry) -> str:
    """The entry as a row that ``CsvReader`` reads back to the same entry."""
    fields = to_fields(entry)
    out = io.StringIO(newline="")
    csv.writer(out).writerow([_cell(name, fields.get(name)) for name in COLUMNS])
    return out.getvalue()


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "kept":
        return json.dumps(value)
    if name in _SEVERAL:
        plain = not any("|" in v for v in value) and not value[0].startswith("[")
        return "|".join(value) if plain else json.dumps(value, ensure_ascii=False)
    return str(value)
