"""Readings of a text: as written and cleaned, and as somebody may have disguised it.

Every reading keeps a map to the raw characters. A reading can only add evidence, so the price of one
that makes no sense is time alone, and that is bounded: in depth, in number and in size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from classifiers.ciphers import CIPHERS, strange_part
from classifiers.decoders import DECODERS
from classifiers.fields import assigned, record
from classifiers.glyphs import confusables, tags, transliterated, upside_down
from classifiers.reading import Reading, clean
from classifiers.regrouped import doubled, grouped
from classifiers.respellings import added_up, initials, itemised, leetspeak, rejoined, run_together, spaced, unmarked
from classifiers.types import TextTooLong

MAX_DEPTH = 3
# A text that hides more is not judged at all: to leave some readings out would be a way past the detector. Code of
# 60,000 characters has some hundred readings that are 20 times as long together.
MAX_READINGS = 400
MAX_READ, _READ_TIMES, _READ_ANYWAY = 12_000_000, 24, 400_000  # characters of all readings

VIEWS: dict[str, Callable[[Reading], Iterator[Reading]]] = {
    **DECODERS,
    "confusables": confusables,
    "upside-down": upside_down,
    "leetspeak": leetspeak,
    "spaced": spaced,
    "unmarked": unmarked,
    "added-up": added_up,
    "assigned": assigned,
    "record": record,
    "rejoined": rejoined,
    "run-together": run_together,
    "itemised": itemised,
    "initials": initials,
    "transliterated": transliterated,
    "doubled": doubled,
    "grouped": grouped,
    **CIPHERS,
}
# Only words that are none can hide something of these.
_OF_STRANGE = ("rejoined", *CIPHERS)
_ORDINARY_VIEWS = ("nato", "itemised", "initials", *_OF_STRANGE)

# What these undo may have been meant otherwise, but by accident nobody writes a whole name so.
_LOSSY = frozenset({"morse", "nato", "leetspeak", "upside-down", "spaced", "itemised", *CIPHERS})

# What may still lie under a reading that is itself a guess; other readings are looked at again in full.
_CODES = ("escapes", "base64", "hex", "numbers", "base32")
_CHILDREN: dict[str, tuple[str, ...]] = {
    "leetspeak-i": ("unmarked",),
    "leetspeak-l": ("unmarked",),
    "spaced": ("leetspeak", "unmarked"),
    "segmented": (),
    "unmarked": ("leetspeak", *_CODES),
    "parted": ("leetspeak", *_CODES),
    "added-up": (*_CODES, "rot13", "reversed"),
    "camel-case": (),
    "run-together": (),
    "itemised": (),
    "initials": (),
    "transliterated": (),
    "confusables": ("leetspeak", "spaced", "unmarked", "run-together", "reversed"),
    "upside-down": (),
    "rot13": (*_CODES, "reversed"),
    "reversed": _CODES,
    "words-reversed": _CODES,
    "substituted": (),
    "atbash": (),
    "pig-latin": (),
    "rejoined": (),
    "record": (),
    "assigned": ("added-up", "rot13", "reversed"),
    **{f"caesar-{k}": () for k in range(26)},
}
# And in a short text, of which more readings cost little.
_SHORT = 4000  # characters
_MORE: dict[str, tuple[str, ...]] = {
    "leetspeak-i": ("added-up", "spaced", "substituted"),
    "spaced": (*_CODES, "base58", "binary", "morse", "rejoined", *CIPHERS),
    "parted": ("base58", "rejoined", *CIPHERS),
    "added-up": ("base58", "base85", "binary", "morse", "leetspeak", "substituted"),
    "itemised": (*_CODES, "leetspeak", "confusables", "run-together", *CIPHERS),
    "confusables": (*_CODES, "base58", "itemised", *CIPHERS),
    "rot13": ("rejoined", "nato", "unmarked"),
    "reversed": ("rejoined", "run-together"),
    "substituted": (),
    "atbash": ("spaced", "nato", "rejoined"),
    **{f"caesar-{k}": (*_CODES, "reversed", "rejoined") for k in range(26)},
}


def readings(text: str) -> list[Reading]:
    """``text`` cleaned, and every disguise that it shows signs of; the first is always the plain reading.

    Raises:
        TextTooLong: there is more to read than is allowed.
    """
    left = min(MAX_READ, _READ_TIMES * len(text) + _READ_ANYWAY)
    hidden = tags(text)
    found = [clean(text), *([hidden] if hidden else [])]
    seen = {r.text for r in found}
    todo = [(r, 0) for r in found]
    while todo:
        parent, depth = todo.pop(0)
        for name, source in _worth_trying(parent):
            for reading in VIEWS[name](source):
                if reading.text in seen:
                    continue
                left -= len(reading.text)
                if len(found) >= MAX_READINGS or left < 0:
                    raise TextTooLong("a text can be read in more ways than are looked at; send less of it at a time")
                seen.add(reading.text)
                if (name in _LOSSY or parent.garbled) and reading.legible:
                    reading = replace(reading, garbled=True)
                found.append(reading)
                if depth + 1 < MAX_DEPTH:
                    todo.append((reading, depth + 1))
    return found


def _worth_trying(parent: Reading) -> Iterator[tuple[str, Reading]]:
    """The views that can find something in ``parent``, and in which part of it."""
    names = _CHILDREN.get(parent.name, tuple(VIEWS))
    if parent.name in _MORE and len(parent.text) <= _SHORT and (parent.semantic or parent.name == "spaced"):
        names = tuple(dict.fromkeys([*names, *_MORE[parent.name]]))
    if names and not parent.odd:
        names = tuple(n for n in names if n in _ORDINARY_VIEWS)
    strange = strange_part(parent) if any(n in _OF_STRANGE for n in names) else None
    for name in names:
        if name not in _OF_STRANGE:
            yield name, parent
        elif strange is not None:
            yield name, strange if name in CIPHERS else parent
