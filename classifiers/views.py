"""Readings of a text: as written and cleaned, and as somebody may have disguised it.

Every reading keeps a map to the raw characters. A reading can only add evidence, so the price of one
that makes no sense is time alone, and that is bounded: in depth, in number and in size.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from classifiers.types import Span
from classifiers.weights import split_words

MAX_DEPTH = 3
MAX_READINGS = 32

_LEET = str.maketrans(
    {"4": "a", "@": "a", "3": "e", "€": "e", "0": "o", "5": "s", "$": "s", "7": "t", "8": "b", "9": "g"}
)
_ONES = "1!|"
_COMMON = frozenset(
    "the of and to in is are was were a an who what where when which how did does do for with on at by from it this "
    "that tell me you can name about his her their born author".split()
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a raw text. Character ``i`` of ``text`` stands for raw ``[starts[i], ends[i])``.

    ``semantic``: the text is worth an encoder's time. ``joined``: word breaks are lost, so names are
    looked for without them.
    """

    name: str
    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    semantic: bool = True
    joined: bool = False

    def raw(self, start: int, end: int) -> Span:
        """The raw characters behind ``text[start:end]``, a range that is not empty."""
        return Span(min(self.starts[start:end]), max(self.ends[start:end]))


Piece = tuple[str, int, int]  # what stands in the new text for characters [start, end) of the old


def readings(text: str) -> list[Reading]:
    """``text`` cleaned, and every disguise that it shows signs of; the first is always the plain reading."""
    plain = clean(text)
    found = [plain]
    seen = {plain.text}
    todo = [(plain, 0)]
    while todo:
        parent, depth = todo.pop(0)
        for name in _CHILDREN.get(parent.name, VIEWS) if not parent.semantic or depth else VIEWS:
            for reading in VIEWS[name](parent):
                if reading.text in seen or len(found) >= MAX_READINGS:
                    continue
                seen.add(reading.text)
                found.append(reading)
                if depth + 1 < MAX_DEPTH:
                    todo.append((reading, depth + 1))
    return found


# What may still lie under a reading that is itself a guess; other readings are looked at again in full.
_CHILDREN: dict[str, tuple[str, ...]] = {
    "leetspeak-i": (),
    "leetspeak-l": (),
    "spaced": (),
    "segmented": (),
    "unhyphenated": (),
    "confusables": ("leetspeak", "spaced"),
    "rot13": ("base64", "hex", "escapes", "reversed"),
    "reversed": ("base64", "hex", "escapes"),
}


def clean(text: str) -> Reading:
    """NFKC character by character, without format characters and stacked marks."""
    if text.isascii():
        return Reading("raw", text, range(len(text)), range(1, len(text) + 1))
    pieces = ((_cleaned(char), i, i + 1) for i, char in enumerate(text))
    whole = Reading("raw", text, range(len(text)), range(1, len(text) + 1))
    return _derive(whole, "raw", pieces)


@lru_cache(maxsize=65536)
def _cleaned(char: str) -> str:
    if unicodedata.category(char) in ("Cf", "Cs", "Cn", "Mn", "Me"):
        return ""
    return unicodedata.normalize("NFKC", char)


def confusables(reading: Reading) -> Iterator[Reading]:
    """Letters of other scripts as the Latin ones that they look like (Unicode's table)."""
    if reading.text.isascii() or not any("a" <= c <= "z" for c in reading.text.lower()):
        return
    table = _confusable_table()
    if any(c in table for c in reading.text):
        yield _derive(reading, "confusables", ((table.get(c, c), i, i + 1) for i, c in enumerate(reading.text)))


def leetspeak(reading: Reading) -> Iterator[Reading]:
    """Digits and signs as letters, in words that have letters too; 1 as i, and as l."""
    words = [m for m in re.finditer(r"\S+", reading.text) if _is_leet(m.group())]
    if not words:
        return
    ones = ("i", "l") if any(o in m.group() for m in words for o in _ONES) else ("i",)
    for one in ones:
        table = _LEET | {ord(o): one for o in _ONES}
        text = list(reading.text)
        for match in words:
            text[match.start() : match.end()] = match.group().translate(table)
        yield Reading(f"leetspeak-{one}", "".join(text), reading.starts, reading.ends)


def _is_leet(word: str) -> bool:
    inner = word.strip(".,;:!?\"'()[]")
    if len(inner) > 24 or "%" in inner or "&#" in inner:
        return False
    signs = sum(c in "430571@$€!|89" for c in inner)
    letters = sum(c.isalpha() for c in inner)
    return signs > 0 and letters > 0 and signs + letters >= 3


# Letters for each word break beyond which the breaks must have been lost.
_MEAN_WORD = 9
_LONG_RUN = re.compile(r"[^\W\d_]{5,2000}|\d+")
_SPACED = re.compile(r"(?<![^\W_])[^\W_](?:[\s._\-*|/,~+]{1,4}[^\W_](?![^\W_])){4,}")


def spaced(reading: Reading) -> Iterator[Reading]:
    """Words whose letters stand apart ("Z o r v a n", "P.e.l.k") closed up."""
    pieces: list[Piece] = []
    at, lost, any_run = 0, False, False
    for match in _SPACED.finditer(reading.text):
        if sum(c.isalpha() for c in match.group()) < 5:
            continue
        any_run = True
        pieces.extend((c, i, i + 1) for i, c in enumerate(reading.text[at : match.start()], at))
        closed, breaks = _close(match.group(), match.start())
        pieces.extend(closed)
        lost = lost or (sum(len(p) for p, _, _ in closed) - breaks) > _MEAN_WORD * (breaks + 1)
        at = match.end()
    if any_run:
        pieces.extend((c, i, i + 1) for i, c in enumerate(reading.text[at:], at))
        closed_up = _derive(reading, "spaced", pieces, joined=True)
        yield closed_up if not lost else replace(closed_up, semantic=False)
        if lost:
            yield segmented(closed_up)


def segmented(reading: Reading) -> Reading:
    """Runs of letters without word breaks, broken into the likeliest words (unigrams)."""
    pieces: list[Piece] = []
    at = 0
    for match in _LONG_RUN.finditer(reading.text):
        pieces.extend((c, i, i + 1) for i, c in enumerate(reading.text[at : match.start()], at))
        place = match.start()
        if match.group().isdigit():
            pieces.append((" ", place, place + 1))
            pieces.extend((c, place + i, place + i + 1) for i, c in enumerate(match.group()))
            at = match.end()
            continue
        for word in split_words(match.group()):
            pieces.append((" ", place, place + 1))
            pieces.extend((c, place + i, place + i + 1) for i, c in enumerate(word))
            place += len(word)
        at = match.end()
    pieces.extend((c, i, i + 1) for i, c in enumerate(reading.text[at:], at))
    return replace(_derive(reading, "spaced", pieces, joined=True), name="segmented")


def _close(run: str, offset: int) -> tuple[list[Piece], int]:
    """The letters of a run, with spaces where its separators show that words end; and how many did."""
    gaps = list(re.finditer(r"[\s._\-*|/,~+]+", run))
    kinds = Counter(m.group() for m in gaps)
    common = kinds.most_common(1)[0][0]
    punctuated = not common.isspace()

    def ends_word(gap: str) -> bool:
        return any(c.isspace() for c in gap) if punctuated else len(gap) > len(common)

    pieces: list[Piece] = []
    broke = 0
    for i, char in enumerate(run):
        if re.match(r"[^\W_]", char):
            pieces.append((char, offset + i, offset + i + 1))
    for gap in reversed(gaps):
        if ends_word(gap.group()):
            broke += 1
            place = sum(1 for c in run[: gap.start()] if re.match(r"[^\W_]", c))
            pieces.insert(place, (" ", offset + gap.start(), offset + gap.end()))
    return pieces, broke


_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u2010\u2011\u00ad][ \t]*(\r?\n[ \t>*#]*)?(?=[^\W\d_])")


def unhyphenated(reading: Reading) -> Iterator[Reading]:
    """Hyphens inside words left out, those at line ends with the line end."""
    pieces: list[Piece] = []
    at = 0
    at_line_end = False
    for match in _HYPHEN.finditer(reading.text):
        pieces.extend((c, i, i + 1) for i, c in enumerate(reading.text[at : match.start()], at))
        at = match.end()
        at_line_end = at_line_end or match.group(1) is not None
    if at:
        pieces.extend((c, i, i + 1) for i, c in enumerate(reading.text[at:], at))
        yield replace(_derive(reading, "unhyphenated", pieces), semantic=at_line_end)


_B64 = re.compile(r"[A-Za-z0-9+/_-]{12,}(?:\r?\n[A-Za-z0-9+/_-]{4,})*={0,2}")
_HEX = re.compile(r"(?:(?:\\x|0x)?[0-9a-fA-F]{2}[\s:,]{0,2}){8,}")


def base64_runs(reading: Reading) -> Iterator[Reading]:
    """Runs of base64, standard or URL-safe, decoded."""
    for match in _B64.finditer(reading.text):
        body = re.sub(r"\s", "", match.group()).rstrip("=").replace("-", "+").replace("_", "/")
        if len(body) % 4 != 1:
            padded = body + "=" * (-len(body) % 4)
            yield from _decoded(reading, "base64", match, partial(base64.b64decode, padded))


def hex_runs(reading: Reading) -> Iterator[Reading]:
    """Runs of hexadecimal bytes, bare or escaped, decoded."""
    for match in _HEX.finditer(reading.text):
        body = re.sub(r"\\x|0x|[^0-9a-fA-F]", "", match.group())
        yield from _decoded(reading, "hex", match, partial(bytes.fromhex, body[: len(body) // 2 * 2]))


def _decoded(reading: Reading, name: str, match: re.Match[str], decode: Callable[[], bytes]) -> Iterator[Reading]:
    try:
        text = decode().decode("utf-8")
    except (ValueError, binascii.Error):
        return
    if sum(c.isprintable() or c.isspace() for c in text) < 0.95 * len(text) or sum(map(str.isalnum, text)) < 4:
        return
    cleaned = "".join(map(_cleaned, text))
    span = reading.raw(match.start(), match.end())
    count = len(cleaned)
    if count:
        yield Reading(name, cleaned, [span.start] * count, [span.end] * count)


_ESCAPE = re.compile(
    r"(?:%[0-9a-fA-F]{2})+|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,31});|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}"
)


def escapes(reading: Reading) -> Iterator[Reading]:
    """URL, HTML and backslash escapes resolved in place."""
    pieces: list[Piece] = []
    at = 0
    for match in _ESCAPE.finditer(reading.text):
        pieces.extend((c, i, i + 1) for i, c in enumerate(reading.text[at : match.start()], at))
        resolved = "".join(map(_cleaned, _resolve(match.group())))
        pieces.extend((c, match.start(), match.end()) for c in resolved)
        at = match.end()
    if at:
        pieces.extend((c, i, i + 1) for i, c in enumerate(reading.text[at:], at))
        plus = {"+": " "} if "%" in reading.text else {}
        yield _derive(reading, "escapes", ((plus.get(p, p), s, e) for p, s, e in pieces))


def _resolve(escape: str) -> str:
    if escape.startswith("%"):
        return bytes.fromhex(escape.replace("%", "")).decode("utf-8", "replace")
    if escape.startswith("&"):
        return html.unescape(escape)
    return chr(int(escape[2:], 16))


def rot13(reading: Reading) -> Iterator[Reading]:
    """Letters turned by 13; worth the encoder only where that makes more English."""
    text = codecs.encode(reading.text, "rot13")
    yield Reading("rot13", text, reading.starts, reading.ends, semantic=_english(text) > _english(reading.text))


def reverse(reading: Reading) -> Iterator[Reading]:
    """Back to front; worth the encoder only where that makes more English."""
    text = reading.text[::-1]
    better = _english(text) > _english(reading.text)
    yield Reading("reversed", text, reading.starts[::-1], reading.ends[::-1], semantic=better)


def _english(text: str) -> int:
    return sum(word in _COMMON for word in re.findall(r"[a-z]+", text[:4000].lower()))


VIEWS: dict[str, Callable[[Reading], Iterator[Reading]]] = {
    "confusables": confusables,
    "leetspeak": leetspeak,
    "spaced": spaced,
    "unhyphenated": unhyphenated,
    "escapes": escapes,
    "base64": base64_runs,
    "hex": hex_runs,
    "rot13": rot13,
    "reversed": reverse,
}


def _derive(parent: Reading, name: str, pieces: Iterator[Piece] | list[Piece], *, joined: bool = False) -> Reading:
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    last: tuple[int, int] | None = None
    own = Span(0, 0)
    for text, start, end in pieces:
        if not text:
            continue
        if (start, end) != last:  # a long run gives many characters with one origin
            last, own = (start, end), parent.raw(start, end)
        out.append(text)
        starts.extend([own.start] * len(text))
        ends.extend([own.end] * len(text))
    return Reading(name, "".join(out), starts, ends, joined=joined)


@lru_cache(maxsize=1)
def _confusable_table() -> dict[str, str]:
    """Characters that are not ASCII, to the ASCII letters that they look like."""
    from confusable_homoglyphs.confusables import confusables_data

    table: dict[str, str] = {}
    for char, lookalikes in confusables_data.items():
        if len(char) != 1 or char.isascii():
            continue
        latin = next((i["c"] for i in lookalikes if len(i["c"]) == 1 and i["c"].isascii() and i["c"].isalpha()), None)
        if latin and unicodedata.category(char)[0] in "LNS":
            table[char] = latin
    return table
