"""Letters that look like others: of other scripts, in boxes and flags, small capitals, upside down, invisible."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from classifiers.reading import NOT_ASCII, Edit, Reading, cleaned_char, edited

# Characters that are a Latin letter in another dress are called so in Unicode: "LATIN LETTER SMALL CAPITAL R",
# "NEGATIVE SQUARED LATIN CAPITAL LETTER Q", "LATIN SMALL LETTER O WITH STROKE", "REGIONAL INDICATOR SYMBOL LETTER A".
_DRESSED = re.compile(
    r"^(?:(?:NEGATIVE |CROSSED NEGATIVE )?(?:SQUARED |CIRCLED )?LATIN (?:CAPITAL LETTER|SMALL LETTER|LETTER)"
    r"(?: SMALL CAPITAL)?(?: TURNED| REVERSED| DOTLESS| BARRED)?|REGIONAL INDICATOR SYMBOL LETTER) "
    r"(?P<letter>[A-Z])(?: WITH .*)?$"
)
_BLOCKS = ((0x80, 0x2AF), (0x1D00, 0x1DBF), (0x1E00, 0x1EFF), (0x2C60, 0x2C7F), (0xA720, 0xA7FF), (0xAB30, 0xAB6F),
           (0x1F100, 0x1F1FF))  # fmt: skip
_FLIPPED = dict(zip("ɐqɔpǝɟƃɓᵷɥᴉıɾſʞɯɹʇʌʍʎ∀ᗺƆᗡƎℲ⅁⅄Λ˥",
                    "abcdefggghiijjkmrtvwyABCDEFGYVL", strict=True))  # fmt: skip
_FLIPPED |= {"u": "n", "n": "u", "b": "q", "d": "p", "p": "d", "q": "b", "¿": "?", "¡": "!", "˙": ".", "'": ","}
_LATIN = re.compile("[A-Za-z]")
_TELLING = re.compile("[ɐǝɟƃɥᴉɾʞɯɹʇʌʍʎ]")


def confusables(reading: Reading) -> Iterator[Reading]:
    """Letters as the Latin ones that they look like (Unicode's table) or are (by their names)."""
    if reading.text.isascii():
        return
    lookalikes, dressed = _lookalikes(), _dressed()
    odd = [(match.start(), match.group()) for match in NOT_ASCII.finditer(reading.text)]
    latin = _LATIN.search(reading.text) or any(c in dressed for _, c in odd)
    meant = {c: letter for _, c in odd if (letter := lookalikes.get(c) or dressed.get(c))}
    if latin and not all(_is_accented(c, letter) for c, letter in meant.items()):
        found = edited(reading, "confusables", ((i, i + 1, meant[c]) for i, c in odd if c in meant))
        if found:
            yield found


def _is_accented(char: str, letter: str) -> bool:
    """Whether ``char`` is ``letter`` with an accent: names are found without it, and the encoder leaves it out."""
    return unicodedata.normalize("NFD", char)[0] in (letter.lower(), letter.upper())


def upside_down(reading: Reading) -> Iterator[Reading]:
    """Letters turned by half a circle, the text from its end."""
    if reading.text.isascii() or len(_TELLING.findall(reading.text, 0, 2000)) < 2:
        return
    text = "".join(_FLIPPED.get(c, c) for c in reversed(reading.text))
    yield Reading("upside-down", text, reading.starts[::-1], reading.ends[::-1])


_TAGS = re.compile("[\U000e0020-\U000e007e]+")
_TELLING_TAGS = 3  # a flag of a country's part has five, after a black flag


def tags(raw: str) -> Reading | None:
    """Tag characters, which no screen shows, as the ASCII that they stand for; None where there are none."""
    if raw.isascii() or not _TAGS.search(raw):
        return None
    edits: list[Edit] = []
    for i, char in enumerate(raw):
        text = chr(ord(char) - 0xE0000) if _TAGS.match(char) else cleaned_char(char)
        if text != char:
            edits.append((i, i + 1, text))
    return edited(Reading("raw", raw, range(len(raw)), range(1, len(raw) + 1)), "tags", edits)


_FOREIGN = re.compile(
    r"(?<![A-Za-z])[\u0370-\u1dff\u2e80-\ud7ff\uf900-\ufdff\ufe70-\ufeff\U00010000-\U0003ffff]+(?![A-Za-z])"
)


def transliterated(reading: Reading) -> Iterator[Reading]:
    """Other scripts in Latin letters."""
    if reading.text.isascii() or not _FOREIGN.search(reading.text):
        return
    from anyascii import anyascii

    edits = ((m.start(), m.end(), anyascii(m.group())) for m in _FOREIGN.finditer(reading.text))
    found = edited(reading, "transliterated", edits, semantic=False, joined=True)
    if found:
        yield found


@lru_cache(maxsize=1)
def _lookalikes() -> dict[str, str]:
    """Characters that are not ASCII, to the ASCII letters that they look like."""
    from confusable_homoglyphs.confusables import confusables_data

    table: dict[str, str] = {}
    for char, lookalikes in confusables_data.items():
        if len(char) != 1 or char.isascii():
            continue
        latin = next((i["c"] for i in lookalikes if len(i["c"]) == 1 and i["c"].isascii() and i["c"].isalpha()), None)
        if latin and unicodedata.category(char)[0] in "LNS":
            table[char] = "I" if latin == "l" and char.isupper() else latin
    return table | _MORE


# Look-alikes that Unicode's table lacks or takes for another letter.
_MORE = {"ς": "c", "κ": "k", "Ԛ": "Q", "ց": "g", "գ": "q", "ո": "n", "ա": "w", "հ": "h", "ҽ": "e"}


@lru_cache(maxsize=1)
def _dressed() -> dict[str, str]:
    points = (p for first, last in _BLOCKS for p in range(first, last + 1))
    matches = ((chr(p), _DRESSED.match(unicodedata.name(chr(p), ""))) for p in points)
    return {char: match.group("letter").lower() for char, match in matches if match}
