"""Runs of characters that stand for other characters by number or by code, decoded where they stand."""

from __future__ import annotations

import base64
import binascii
import re

from classifiers.alphabets import morse, nato
from classifiers.decoded import CHANCE, View, like_words, of_digits, plausible, readable, view_of
from classifiers.escapes import escapes

_SIGN, _LARGE = "[A-Za-z0-9+/_-]", "[A-Z0-9+/_-]"
# A few letters in base64 are small and large, or digits; most words are small, or have a last capital read backwards.
_MIXED = rf"(?={_LARGE}*[a-z])[a-z]*{_LARGE}{_SIGN}"
_B64 = re.compile(
    rf"(?<!{_SIGN})(?={_SIGN}{{{CHANCE}}}|{_MIXED}|{_SIGN}{{6,}}(?:=|[ \t]*\r?\n))"
    rf"{_SIGN}{{6,}}(?:[ \t]*\r?\n[ \t>]*{_SIGN}{{4,}})*={{0,2}}"
)
_AS_MIXED = re.compile(_MIXED)
_WORDLIKE = re.compile(r"[A-Za-z]?[a-z]*|[A-Z]+|\d+")


def _base64(match: re.Match[str]) -> str | None:
    if match.end() - match.start() < CHANCE and not _AS_MIXED.match(match.group()):
        return None
    body = re.sub(r"[^A-Za-z0-9+/_-]", "", match.group()).replace("-", "+").replace("_", "/")
    found = _of_base64(body) or _without_head(body)
    if found and len(body) < CHANCE and not all(c.isalpha() or c in " .,:?!'’-" for c in found.strip()):
        return None  # a word that happens to decode
    if found and not found.isascii() and _WORDLIKE.fullmatch(match.group()):
        return None
    return found


_B64_WORD = re.compile(r"(?<!\S)(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)(?!\S)")


def _base64_word(match: re.Match[str]) -> str | None:
    data = base64.b64decode(match.group())
    return data.decode() if data.isalpha() else None


def _of_base64(body: str) -> str | None:
    body = body[:-1] if len(body) % 4 == 1 else body
    try:
        return readable(base64.b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, binascii.Error):
        return None


def _without_head(body: str) -> str | None:
    """A path or a word may stand right before the run: "text/plain/" or "data-"."""
    _, slash, rest = body.partition("/")
    return _of_base64(rest) if slash and len(rest) >= 12 else None


_HEX = re.compile(r"(?<![0-9A-Za-z])(?:(?:\\x|0x|#)?[0-9a-fA-F]{2}[\s:,;_-]{0,2}){3,}(?![0-9A-Za-z])")


def _hex(match: re.Match[str]) -> str | None:
    body = re.sub(r"\\x|0x|[^0-9a-fA-F]", "", match.group())
    return readable(bytes.fromhex(body[: len(body) // 2 * 2]))


_B32 = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z2-7]{8,}|[a-z2-7]{16,})={0,6}(?![A-Za-z0-9])")


def _base32(match: re.Match[str]) -> str | None:
    body = match.group().rstrip("=").upper()
    try:
        return readable(base64.b32decode(body + "=" * (-len(body) % 8)))
    except (ValueError, binascii.Error):
        return None


_A85 = re.compile(r"<~[!-uz\s]{4,}?~>|(?<!\S)[!-~]{10,4000}(?!\S)")


def _base85(match: re.Match[str]) -> str | None:
    run = match.group()
    if not run.startswith("<~") and (run.isalnum() or sum(c.isalnum() for c in run) > 0.95 * len(run)):
        return None
    for decode in (lambda r: base64.a85decode(r, adobe=r.startswith("<~")), base64.b85decode):
        try:
            text = readable(decode(run))
        except (ValueError, binascii.Error):
            continue
        if text and (text.isascii() or like_words(text)):
            return text
    return None


_B58 = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]*\d)[1-9A-HJ-NP-Za-km-z]{14,400}(?![A-Za-z0-9])")
_B58_DIGITS = {c: i for i, c in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}


def _base58(match: re.Match[str]) -> str | None:
    number = 0
    for char in match.group():
        number = number * 58 + _B58_DIGITS[char]
    return readable(number.to_bytes((number.bit_length() + 7) // 8, "big"))


_BINARY = re.compile(r"(?<!\d)(?:[01]{8}[\s,;_-]{0,2}){3,}(?!\d)|(?<!\d)(?:[01]{7}[\s,;_-]{1,2}){3,}[01]{7}(?!\d)")


def _binary(match: re.Match[str]) -> str | None:
    parts = re.findall("[01]+", match.group())
    if all(len(p) == 7 for p in parts):
        return plausible("".join(chr(int(p, 2)) for p in parts))
    bits = "".join(parts)
    return readable(bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) // 8 * 8, 8)))


# Numbers of characters: 90, 111 | &90 | chr(90) + chr(111) | U+005A | \132
_NUMBERS = re.compile(
    r"[\dcUu](?:(?<=\d)(?<![\d.]\d)\d{1,5}(?:[\s,;/|:-]{1,3}|$|(?=[)\]}.]))"
    r"(?:(?<![\d.])\d{2,6}(?:[\s,;/|:-]{1,3}|$|(?=[)\]}.]))){2,}"
    r"|(?<=\bc)h[ra]r?\w{0,6}\(\s*(?:0x)?[0-9a-fA-F]{2,6}\s*\)[\s+.&|,]{0,6}"
    r"(?:\bch[ra]r?\w{0,6}\(\s*(?:0x)?[0-9a-fA-F]{2,6}\s*\)[\s+.&|,]{0,6})+"
    r"|(?<=[Uu])\+[0-9a-fA-F]{4,6}[\s,;]{0,3}(?:[Uu]\+[0-9a-fA-F]{4,6}[\s,;]{0,3})+)"
)


_HEX_AFTER = re.compile(r"[\s:,;_-]{0,2}(?:[a-fA-F][0-9a-fA-F]|\d[a-fA-F])(?![0-9A-Za-z])")
_HEX_BEFORE = re.compile(r"(?<![0-9A-Za-z])(?:[a-fA-F][0-9a-fA-F]|\d[a-fA-F])[\s:,;_-]{0,2}$")


def _numbers(match: re.Match[str]) -> str | None:
    run = match.group()
    if _HEX_AFTER.match(match.string, match.end()) or _HEX_BEFORE.search(match.string, 0, match.start()):
        return None  # a part of hexadecimal bytes
    if run[0] in "Uu":
        values = [int(n, 16) for n in re.findall(r"\+([0-9a-fA-F]+)", run)]
    else:
        values = [int(n, 0) for n in re.findall(r"0x[0-9a-fA-F]+|[1-9]\d*", run)]
        octal = re.findall(r"\b0?[0-7]{2,3}\b", run)
        if len(octal) == len(re.findall(r"\d+", run)) and run[0].isdigit():
            text = _characters([int(n, 8) for n in octal])
            if text and sum(c.isalnum() or c == " " for c in text) > 0.8 * len(text):
                return text
    return _characters(values)


def _characters(values: list[int]) -> str | None:
    if any(v >= 0x110000 or 0xD800 <= v < 0xE000 or (v < 32 and v not in (9, 10, 13)) for v in values):
        return None
    if any(v >= 128 for v in values) and all(v < 256 for v in values) and (found := readable(bytes(values))):
        return found
    text = "".join(map(chr, values))
    # Of letters that stand apart more is space.
    return plausible(text) if sum(map(str.isalpha, text)) >= 0.6 * len("".join(text.split())) else None


DECODERS: dict[str, View] = {
    "escapes": escapes,
    "base64": view_of("base64", _B64, _base64, (_B64_WORD, _base64_word)),
    "hex": view_of("hex", _HEX, _hex),
    "numbers": of_digits(view_of("numbers", _NUMBERS, _numbers)),
    "binary": of_digits(view_of("binary", _BINARY, _binary)),
    "base32": view_of("base32", _B32, _base32),
    "base85": view_of("base85", _A85, _base85),
    "base58": view_of("base58", _B58, _base58),
    "morse": morse,
    "nato": nato,
}
