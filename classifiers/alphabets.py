"""Letters that stand for themselves under another name: Morse, and the radio alphabet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from classifiers.decoded import plausible, view_of
from classifiers.reading import Reading, replaced

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
    return plausible(" ".join("".join(_MORSE_CODE.get(s, "") for s in w) for w in signs))


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


morse = view_of("morse", _MORSE, _morse)
