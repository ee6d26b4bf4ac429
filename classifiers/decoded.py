"""What is decoded, put where its code stood, and whether it can be text at all."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Sequence

from classifiers.reading import Edit, Reading, cleaned, edited

CHANCE = 16  # letters of a code below which it may decode by chance to what is no ASCII, or no letters
View = Callable[[Reading], Iterator[Reading]]
Decode = Callable[[re.Match[str]], str | None]

_LONGEST = 200_000  # decoded characters of one run
_TOGETHER = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "LATIN"})
_BOXED = frozenset(map(chr, range(0x1F130, 0x1F200)))  # letters in squares, circles and flags
_NEAR = 24  # characters after the last decoded run
_SENTENCE = 3  # words from which on a decoded run stands on lines of its own


def readable(data: bytes) -> str | None:
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
    return plausible(text)


def plausible(text: str) -> str | None:
    """``text`` cleaned, on lines of its own where it is a sentence; None where it can be none in any language."""
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
        if (any(0x24F < ord(c) < 0x370 for c in letters) and not like_words(text)) or not (
            len(scripts) <= 1 or scripts <= _TOGETHER
        ):
            return False  # phonetic signs, or a word of two scripts
        everything |= scripts
    return len(everything - {"LATIN"}) <= 1 or everything <= _TOGETHER


def view_of(
    name: str, pattern: re.Pattern[str], decode: Decode, short: tuple[re.Pattern[str], Decode] | None = None
) -> View:
    """A view that puts what ``decode`` makes of each match of ``pattern`` in its place.

    ``short``: what is decoded too between two such runs.
    """

    def view(reading: Reading) -> Iterator[Reading]:
        decoded = [(m.start(), m.end(), text) for m in reading.matches(pattern) if (text := decode(m)) is not None]
        if short and len(decoded) > 1:
            decoded = sorted({*decoded, *_between(reading.text, decoded, short)})
        found = edited(reading, name, decoded)
        if found:
            yield found
        if len(decoded) > 1:  # pieces of one text, with other words between them
            yield _together(reading, name, decoded)

    return view


_DIGIT = re.compile(r"\d")


def of_digits(view: View) -> View:
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


def like_words(text: str) -> bool:
    """Whether a text that is not ASCII is too much like words to come of chance."""
    return len(text) >= CHANCE and sum(c.isalpha() or c in " '?.,\n" for c in text) >= 0.95 * len(text)
