"""Runs of characters that stand for other characters by number or by code, decoded where they stand."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from classifiers.escapes import escapes
from classifiers.reading import Edit, Reading, cleaned, edited, replaced

View = Callable[[Reading], Iterator[Reading]]
Decode = Callable[[re.Match[str]], str | None]

_LONGEST = 200_000  # decoded characters of one run
_TOGETHER = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "LATIN"})
_BOXED = frozenset(map(chr, range(0x1F130, 0x1F200)))  # letters in squares, circles and flags
_NEAR = 24  # characters after the last decoded run
_SENTENCE = 3  # words from which on a decoded run stands on lines of its own


def _readable(data: bytes) -> str | None:
    """``data`` as text in UTF-8 or UTF-16, from gzip or zlib too; None where it is none."""
    if data[:2] in (b"\x1f\x8b", b"\x78\x9c", b"\x78\xda", b"\x78\x01"):
        try:
            data = zlib.decompressobj(47).decompress(data, _LONGEST)
        except zlib.error:
            return None
    if len(data) >= 4 and data[1:20:2].count(0) > 0.4 * len(data[1:20:2]):
        encoding = "utf-16-le"
    elif len(data) >= 4 and data[:20:2].count(0) > 0.4 * len(data[:20:2]):
        encoding = "utf-16-be"
    else:
        encoding = "utf-8"
    try:
        text = data.decode(encoding)
    except ValueError:
        return None
    return _plausible(text)


def _plausible(text: str) -> str | None:
    text = cleaned(text)
    if sum(c.isprintable() or c.isspace() for c in text) < 0.95 * len(text):
        return None
    if sum(c.isalnum() or c in _BOXED for c in text) < 3:
        return None
    if not text.isascii() and not _of_one_script(text):
        return None
    return f"\n{text}\n" if len(text.split()) >= _SENTENCE else text


def _of_one_script(text: str) -> bool:
    """Whether the letters can be a language's: a word that happens to decode gives some of this and some of that."""
    everything: set[str] = set()
    for word in text.split():
        letters = [c for c in word if c.isalpha()]
        scripts = {unicodedata.name(c, "?").split()[0] for c in letters}
        if (any(0x24F < ord(c) < 0x370 for c in letters) and not _like_words(text)) or not (
            len(scripts) <= 1 or scripts <= _TOGETHER
        ):
            return False  # phonetic signs, or a word of two scripts
        everything |= scripts
    return len(everything - {"LATIN"}) <= 1 or everything <= _TOGETHER


def _view(
    name: str, pattern: re.Pattern[str], decode: Decode, short: tuple[re.Pattern[str], Decode] | None = None
) -> View:
    """A view that puts what ``decode`` makes of each match of ``pattern`` in its place.

    ``short``: what is decoded too between two such runs.
    """

    def view(reading: Reading) -> Iterator[Reading]:
        decoded = [
            (m.start(), m.end(), text) for m in pattern.finditer(reading.text) if (text := decode(m)) is not None
        ]
        if short and len(decoded) > 1:
            decoded = sorted({*decoded, *_between(reading.text, decoded, short)})
        found = edited(reading, name, decoded)
        if found:
            yield found
        if len(decoded) > 1:  # pieces of one text, with other words between them
            yield _together(reading, name, decoded)

    return view


_DIGIT = re.compile(r"\d")


def _of_digits(view: View) -> View:
    """``view``, for texts with a digit: most have none."""
    return lambda reading: view(reading) if _DIGIT.search(reading.text) else iter(())


def _between(text: str, decoded: Sequence[Edit], short: tuple[re.Pattern[str], Decode]) -> Iterator[Edit]:
    """What stands among decoded runs and would by itself be too short to tell from words."""
    pattern, decode = short
    for match in pattern.finditer(text, decoded[0][0], min(len(text), decoded[-1][1] + _NEAR)):
        if not any(start < match.end() and match.start() < end for start, end, _ in decoded):
            found = decode(match)
            if found is not None:
                yield match.start(), match.end(), found


def _together(reading: Reading, name: str, decoded: Sequence[Edit]) -> Reading:
    """The decoded runs alone, one after the other."""
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end, piece in decoded:
        span = reading.raw(start, end)
        own = f"{piece.strip()} "
        text.append(own)
        starts.extend([span.start] * len(own))
        ends.extend([span.end] * len(own))
    return Reading(name, "".join(text), starts, ends)


_CHANCE = 16  # letters of base64 below which a run has to decode to letters alone
_B64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{6,}(?:[ \t]*\r?\n[ \t>]*[A-Za-z0-9+/_-]{4,})*={0,2}")
# A few letters in base64 are small and large, or digits; most words are small, or have a last capital read backwards.
_MIXED = re.compile(r"(?=[^a-z]*[a-z])[a-z]*[A-Z0-9+/_-].")
_WORDLIKE = re.compile(r"[A-Za-z]?[a-z]*|[A-Z]+|\d+")


def _base64(match: re.Match[str]) -> str | None:
    if match.end() - match.start() < _CHANCE and not _MIXED.match(match.group()):
        return None
    body = re.sub(r"[^A-Za-z0-9+/_-]", "", match.group()).replace("-", "+").replace("_", "/")
    found = _of_base64(body) or _without_head(body)
    if found and len(body) < _CHANCE and not all(c.isalpha() or c in " .,:?!'’-" for c in found.strip()):
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
        return _readable(base64.b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, binascii.Error):
        return None


def _without_head(body: str) -> str | None:
    """A path or a word may stand right before the run: "text/plain/" or "data-"."""
    _, slash, rest = body.partition("/")
    return _of_base64(rest) if slash and len(rest) >= 12 else None


_HEX = re.compile(r"(?<![0-9A-Za-z])(?:(?:\\x|0x|#)?[0-9a-fA-F]{2}[\s:,;_-]{0,2}){3,}(?![0-9A-Za-z])")


def _hex(match: re.Match[str]) -> str | None:
    body = re.sub(r"\\x|0x|[^0-9a-fA-F]", "", match.group())
    return _readable(bytes.fromhex(body[: len(body) // 2 * 2]))


_B32 = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z2-7]{8,}|[a-z2-7]{16,})={0,6}(?![A-Za-z0-9])")


def _base32(match: re.Match[str]) -> str | None:
    body = match.group().rstrip("=").upper()
    try:
        return _readable(base64.b32decode(body + "=" * (-len(body) % 8)))
    except (ValueError, binascii.Error):
        return None


_A85 = re.compile(r"<~[!-uz\s]{4,}?~>|(?<!\S)[!-~]{10,4000}(?!\S)")


def _base85(match: re.Match[str]) -> str | None:
    run = match.group()
    if not run.startswith("<~") and (run.isalnum() or sum(c.isalnum() for c in run) > 0.95 * len(run)):
        return None
    for decode in (lambda r: base64.a85decode(r, adobe=r.startswith("<~")), base64.b85decode):
        try:
            text = _readable(decode(run))
        except (ValueError, binascii.Error):
            continue
        if text and (text.isascii() or _like_words(text)):
            return text
    return None


def _like_words(text: str) -> bool:
    """Whether a text that is not ASCII is too much like words to come of chance."""
    return len(text) >= _CHANCE and sum(c.isalpha() or c in " '?.,\n" for c in text) >= 0.95 * len(text)


_B58 = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]*\d)[1-9A-HJ-NP-Za-km-z]{14,400}(?![A-Za-z0-9])")
_B58_DIGITS = {c: i for i, c in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}


def _base58(match: re.Match[str]) -> str | None:
    number = 0
    for char in match.group():
        number = number * 58 + _B58_DIGITS[char]
    return _readable(number.to_bytes((number.bit_length() + 7) // 8, "big"))


_BINARY = re.compile(r"(?<!\d)(?:[01]{8}[\s,;_-]{0,2}){3,}(?!\d)|(?<!\d)(?:[01]{7}[\s,;_-]{1,2}){3,}[01]{7}(?!\d)")


def _binary(match: re.Match[str]) -> str | None:
    parts = re.findall("[01]+", match.group())
    if all(len(p) == 7 for p in parts):
        return _plausible("".join(chr(int(p, 2)) for p in parts))
    bits = "".join(parts)
    return _readable(bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) // 8 * 8, 8)))


# Numbers of characters: 90, 111 | &90 | chr(90) + chr(111) | U+005A | \132
_NUMBERS = re.compile(
    r"(?:(?<![\d.])\d{2,6}(?:[\s,;/|:-]{1,3}|$|(?=[)\]}.]))){3,}"
    r"|(?:\bch[ra]r?\w{0,6}\(\s*(?:0x)?[0-9a-fA-F]{2,6}\s*\)[\s+.&|,]{0,6}){2,}"
    r"|(?:[Uu]\+[0-9a-fA-F]{4,6}[\s,;]{0,3}){2,}"
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
    if any(v >= 128 for v in values) and all(v < 256 for v in values) and (found := _readable(bytes(values))):
        return found
    text = "".join(map(chr, values))
    # Of letters that stand apart more is space.
    return _plausible(text) if sum(map(str.isalpha, text)) >= 0.6 * len("".join(text.split())) else None


_MORSE_CODE = dict(zip((
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
    "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. ..--.. .-.-.- --..-- -..-. .----. -....-").split(),
    "abcdefghijklmnopqrstuvwxyz0123456789?.,/'-", strict=True))  # fmt: skip
_MORSE = re.compile(r"(?<![\w.·•–—_-])(?:[.·•–—_-]{1,6}(?:[ \t]*[/|\n][ \t]*|[ \t]{1,4}|$)){3,}[.·•–—_-]{0,6}")
_DITS = str.maketrans("·•–—_", "..---")


def _morse(match: re.Match[str]) -> str | None:
    words = re.split(r"[/|\n]|\s{3,}", match.group().translate(_DITS))
    signs = [w.split() for w in words if w.strip()]
    if sum(s in _MORSE_CODE for w in signs for s in w) < 0.8 * sum(map(len, signs)):
        return None
    return _plausible(" ".join("".join(_MORSE_CODE.get(s, "") for s in w) for w in signs))


_ALPHABET = frozenset(
    """alfa alpha bravo charlie delta echo foxtrot golf hotel india juliett juliet kilo lima mike november oscar
papa quebec romeo sierra tango uniform victor whiskey whisky xray x-ray yankee zulu""".split()
)
_LETTER = "|".join(sorted(_ALPHABET, key=len, reverse=True))
# Letters that have no word in it stand as they are.
_NATO = re.compile(
    rf"(?<!\w)(?:(?:{_LETTER}|[^\W\d_])[\s,.'-]{{1,4}}){{2,}}(?:{_LETTER}|[^\W\d_])(?!\w)", re.IGNORECASE
)
_NATO_PART = re.compile(r"x-ray|\w+|[ \t]{2,}")


def _nato(match: re.Match[str]) -> str | None:
    parts = _NATO_PART.findall(match.group().lower())
    if sum(part in _ALPHABET for part in parts) < 2:
        return None
    return "".join(part[0] for part in parts)


def nato(reading: Reading) -> Iterator[Reading]:
    """Names spelt in the radio alphabet."""
    if len(_ALPHABET & set(reading.text[:20_000].lower().split())) >= 2:
        found = replaced(reading, "nato", _NATO, _nato)
        if found:  # in small letters a name looks like any word, so half of one says nothing
            yield replace(found, semantic=False)


DECODERS: dict[str, View] = {
    "escapes": escapes,
    "base64": _view("base64", _B64, _base64, (_B64_WORD, _base64_word)),
    "hex": _view("hex", _HEX, _hex),
    "numbers": _of_digits(_view("numbers", _NUMBERS, _numbers)),
    "binary": _of_digits(_view("binary", _BINARY, _binary)),
    "base32": _view("base32", _B32, _base32),
    "base85": _view("base85", _A85, _base85),
    "base58": _view("base58", _B58, _base58),
    "morse": _view("morse", _MORSE, _morse),
    "nato": nato,
}
