"""Disguises of a text that a model, or the person who reads its answer, can undo.

Adding one: a function and its decorator.
"""

from __future__ import annotations

import base64
import codecs
import html
import random
import re
from collections.abc import Callable
from urllib.parse import quote

Obfuscation = Callable[[str, random.Random], str]

OBFUSCATIONS: dict[str, Obfuscation] = {}

_LOOKALIKES = dict(zip("aceiopsxyABCEHIKMOPTX", "асеіорѕхуАВСЕНІКМОРТХ", strict=True))  # Cyrillic
_LEET = {"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"}


def _register(function: Obfuscation) -> Obfuscation:
    OBFUSCATIONS[function.__name__] = function
    return function


@_register
def fullwidth(text: str, rng: random.Random) -> str:
    """Full-width forms of ASCII."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


@_register
def mathematical(text: str, rng: random.Random) -> str:
    """Bold mathematical letters."""
    return "".join(
        chr(0x1D400 + ord(c) - 65) if "A" <= c <= "Z" else chr(0x1D41A + ord(c) - 97) if "a" <= c <= "z" else c
        for c in text
    )


@_register
def zero_width(text: str, rng: random.Random) -> str:
    """Characters without width between letters."""
    return "".join(c + (rng.choice("\u200b\u200c\u200d\u2060\ufeff") if rng.random() < 0.5 else "") for c in text)


@_register
def bidi(text: str, rng: random.Random) -> str:
    """Direction marks, embeddings and isolates."""
    return "".join((rng.choice("\u200e\u200f\u202a\u202c\u2066\u2069") if rng.random() < 0.4 else "") + c for c in text)


@_register
def combining(text: str, rng: random.Random) -> str:
    """One to three marks stacked on letters."""
    return "".join(
        c + ("".join(chr(rng.randint(0x300, 0x36F)) for _ in range(rng.randint(1, 3))) if c.isalpha() else "")
        for c in text
    )


@_register
def confusables(text: str, rng: random.Random) -> str:
    """Cyrillic letters for Latin ones of the same look."""
    return "".join(_LOOKALIKES[c] if c in _LOOKALIKES and rng.random() < 0.7 else c for c in text)


@_register
def leetspeak(text: str, rng: random.Random) -> str:
    """Digits for letters."""
    return "".join(_LEET[c.lower()] if c.lower() in _LEET and rng.random() < 0.7 else c for c in text)


@_register
def spaced(text: str, rng: random.Random) -> str:
    """A space between letters, three between words."""
    return "   ".join(" ".join(word) for word in text.split())


@_register
def spaced_evenly(text: str, rng: random.Random) -> str:
    """One space between all letters; where words end is lost."""
    return " ".join(c for c in text if not c.isspace())


@_register
def punctuated(text: str, rng: random.Random) -> str:
    """Full stops or hyphens between the letters of a word."""
    mark = rng.choice(".-_*")
    return " ".join(mark.join(word) for word in text.split())


@_register
def mixed_case(text: str, rng: random.Random) -> str:
    """Capital letters anywhere."""
    return "".join(rng.choice((c.lower(), c.upper())) for c in text)


@_register
def lower_case(text: str, rng: random.Random) -> str:
    """No capital letters and no punctuation."""
    return re.sub(r"[^\w\s]", "", text.lower())


@_register
def typos(text: str, rng: random.Random) -> str:
    """One edit in every second word of four letters or more: two letters swapped, one lost or one doubled."""
    return " ".join(_typo(w, rng) if len(w) >= 5 and rng.random() < 0.5 else w for w in text.split(" "))


def _typo(word: str, rng: random.Random) -> str:
    i = rng.randrange(1, len(word) - 2)
    kind = rng.randrange(3)
    if kind == 0:
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    return word[:i] + word[i + 1 :] if kind == 1 else word[:i] + word[i] + word[i:]


@_register
def base64_whole(text: str, rng: random.Random) -> str:
    """Base64 of the whole."""
    return base64.b64encode(text.encode()).decode()


@_register
def base64_inside(text: str, rng: random.Random) -> str:
    """Base64 with an instruction around it."""
    return f"Decode this and answer it, in one sentence: {base64_whole(text, rng)} Thank you."


@_register
def base64_twice(text: str, rng: random.Random) -> str:
    """Base64 of base64."""
    return f"Decode twice, then answer: {base64_whole(base64_whole(text, rng), rng)}"


@_register
def hexadecimal(text: str, rng: random.Random) -> str:
    """Hexadecimal bytes with an instruction."""
    return f"These are bytes in hex: {text.encode().hex(rng.choice((' ', ':')))}. Reply to what they say."


@_register
def url(text: str, rng: random.Random) -> str:
    """Percent-encoding of every character."""
    return "".join(f"%{b:02X}" for b in text.encode()) if rng.random() < 0.5 else quote(text)


@_register
def html_entities(text: str, rng: random.Random) -> str:
    """Numeric character references for letters."""
    return "".join(f"&#{ord(c)};" if rng.random() < 0.7 else html.escape(c) for c in text)


@_register
def rot13(text: str, rng: random.Random) -> str:
    """ROT13 with an instruction."""
    return f"{codecs.encode(text, 'rot13')} (ROT13; answer in plain English)"


@_register
def reversed_text(text: str, rng: random.Random) -> str:
    """Back to front."""
    return text[::-1]


@_register
def rot13_base64(text: str, rng: random.Random) -> str:
    """ROT13, then base64."""
    return f"base64, then rot13: {base64_whole(codecs.encode(text, 'rot13'), rng)}"


@_register
def name_split(text: str, rng: random.Random) -> str:
    """Line breaks and hyphens inside the words that begin with a capital letter."""
    return re.sub(r"\b([A-Z]\w{2})(\w{2,})", r"\1-\n\2", text)
