"""Where the keys of a TOML text stand: tomllib tells their values alone."""

from __future__ import annotations

import re

Where = tuple[str | int, ...]

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|' + r"'''.*?'{3,5}|" + r'"(?:[^"\\]|\\.)*"|' + r"'[^']*'", re.DOTALL
)  # fmt: skip
_BARE = re.compile(r"[^,\]}#\n]*")


def locate(text: str) -> dict[Where, int]:
    """The offset of every key and of every element of an array in ``text``, which tomllib has accepted."""
    return _Locator(text).found


class _Locator:
    """Reads on from ``_at``. It checks nothing: that has been done."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.found: dict[Where, int] = {}
        self._elements: dict[Where, int] = {}  # of arrays of tables, so far
        table: Where = ()
        while self._skip(_SPACE) < len(text):
            if text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        """Go on behind what matches here; returns where that is."""
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return self._at

    def _header(self) -> Where:
        array = self._text.startswith("[[", self._at)
        start = self._at
        self._at += 1 + array
        keys = self._keys()
        self._at += 1 + array
        table: Where = ()
        for key in keys[:-1]:
            table = self._newest((*table, key))
        table = (*table, keys[-1])
        self.found.setdefault(table, start)
        if array:
            self._elements[table] = self._elements.get(table, -1) + 1
            table = self._newest(table)
            self.found[table] = start
        return table

    def _newest(self, table: Where) -> Where:
        """The last element of an array of tables; a table itself."""
        return (*table, self._elements[table]) if table in self._elements else table

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            start = self._skip(_BLANK)
            keys.append(self._text[start : self._skip(_KEY)].strip("\"'"))
            self._skip(_BLANK)
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _pair(self, table: Where) -> None:
        start = self._at
        where = table
        for key in self._keys():
            where = (*where, key)
            self.found.setdefault(where, start)
        self._at += 1  # =
        self._skip(_BLANK)
        self._value(where)

    def _value(self, where: Where) -> None:
        first = self._text[self._at]
        if first in "\"'":
            self._skip(_STRING)
        elif first == "[":
            self._inside(where, "]")
        elif first == "{":
            self._inside(where, "}")
        else:
            self._skip(_BARE)

    def _inside(self, where: Where, end: str) -> None:
        """An array or an inline table."""
        self._at += 1
        number = 0
        while self._text[self._skip(_SPACE)] != end:
            if end == "}":
                self._pair(where)
            else:
                own = (*where, number)
                self.found[own] = self._at
                self._value(own)
                number += 1
            if self._text[self._skip(_SPACE)] == ",":
                self._at += 1
        self._at += 1
