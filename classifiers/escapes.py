"""Escapes that stand for a character each: of URLs, HTML, programs, mail."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator

from classifiers.reading import Reading, cleaned, replaced

# Each begins with one of a few signs, which are all that is looked for in most texts.
_ESCAPE = re.compile(
    r"[%&\\=+](?:(?<=%)[0-9a-fA-F]{2}(?:%[0-9a-fA-F]{2})*"
    r"|(?<=&)(?:#\d{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[a-zA-Z]{2,31};)"
    r"|(?<=\\)(?:u[0-9a-fA-F]{4}(?:\\u[0-9a-fA-F]{4})*|u\{[0-9a-fA-F]{1,6}\}|U[0-9a-fA-F]{8}"
    r"|x[0-9a-fA-F]{2}(?:\\x[0-9a-fA-F]{2})*|[0-3][0-7]{2}(?:\\[0-3][0-7]{2})*)"
    r"|(?<==)(?:\r?\n|[0-9A-F]{2}(?:=[0-9A-F]{2})*)|(?<=\+)[A-Za-z0-9+/]{3,2000}-)"
)


def escapes(reading: Reading) -> Iterator[Reading]:
    """URL, HTML, backslash, quoted-printable and UTF-7 escapes resolved in place."""
    of_url = "%" in reading.text and _BYTE.search(reading.text)
    found = replaced(reading, "escapes", _OF_URL if of_url else _ESCAPE, _resolve, odd=True)
    if found:
        yield found


_BYTE = re.compile("%[0-9a-fA-F]{2}")
_OF_URL = re.compile(rf"{_ESCAPE.pattern}|\+")


def _resolve(match: re.Match[str]) -> str | None:
    escape = match.group()
    kind = escape[0]
    if kind in "%=" and len(escape) > 2 and escape[1] not in "\r\n":
        return cleaned(bytes.fromhex(escape.replace(kind, "")).decode("utf-8", "replace"))
    if kind == "=":
        return ""
    if kind == "&":
        return cleaned(html.unescape(escape if escape.endswith(";") else f"{escape};"))
    if escape == "+":
        return " "
    if kind == "+":
        return _utf7(escape[1:-1])
    return cleaned(_backslash(escape))


def _backslash(escape: str) -> str:
    kind = escape[1]
    if kind == "x":
        return bytes.fromhex(escape.replace("\\x", "")).decode("utf-8", "replace")
    if kind == "u" and escape[2] != "{":
        return bytes.fromhex(escape.replace("\\u", "")).decode("utf-16-be", "replace")
    if kind in "uU":
        point = int(escape.strip("\\uU{}"), 16)
        return chr(point) if point < 0x110000 and not 0xD800 <= point < 0xE000 else ""
    return bytes(int(n, 8) for n in escape.split("\\")[1:]).decode("utf-8", "replace")


def _utf7(body: str) -> str | None:
    try:
        text = base64.b64decode(body + "=" * (-len(body) % 4)).decode("utf-16-be")
    except (ValueError, binascii.Error):
        return None
    return cleaned(text) if text and all(c.isprintable() for c in text) else None
