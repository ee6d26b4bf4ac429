"""Questions in disguises that a model or a reader can undo. Adding one: a function and its decorator."""

from __future__ import annotations

import base64
import codecs
import random
import re
from collections.abc import Callable
from urllib.parse import quote

Disguise = Callable[[str, random.Random], str]

DISGUISES: dict[str, Disguise] = {}

_CYRILLIC = str.maketrans("aceiopsxyABCEHIKMOPTX", "асеіорѕхуАВСЕНІКМОРТХ")
_DIGITS = str.maketrans("aeiostAEIOST", "431057431057")
_UNSEEN = "\u200b\u200c\u200d\u2060"


def _disguise(function: Disguise) -> Disguise:
    DISGUISES[function.__name__] = function
    return function


@_disguise
def full_width(text: str, rng: random.Random) -> str:
    """The wide forms that East Asian text has of ASCII."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


@_disguise
def look_alikes(text: str, rng: random.Random) -> str:
    """Cyrillic letters that look like Latin ones."""
    return text.translate(_CYRILLIC)


@_disguise
def unseen(text: str, rng: random.Random) -> str:
    """Characters without width within the words."""
    return re.sub(r"(?<=\w)(?=\w)", lambda _: rng.choice(_UNSEEN), text)


@_disguise
def digits(text: str, rng: random.Random) -> str:
    """Digits for letters."""
    return text.translate(_DIGITS)


@_disguise
def apart(text: str, rng: random.Random) -> str:
    """Letters apart, by spaces, hyphens or full stops."""
    mark = rng.choice(" -.")
    return ("   " if mark == " " else " ").join(mark.join(word) for word in text.split())


@_disguise
def any_case(text: str, rng: random.Random) -> str:
    """Capital letters anywhere."""
    return "".join(rng.choice((c.lower(), c.upper())) for c in text)


@_disguise
def mistyped(text: str, rng: random.Random) -> str:
    """Two letters swapped in each longer word."""
    return re.sub(r"\w{5,}", lambda m: _swapped(m.group(), rng), text)


@_disguise
def base64_encoded(text: str, rng: random.Random) -> str:
    """Base64."""
    return f"Decode this base64 and answer the question in it: {base64.b64encode(text.encode()).decode()}"


@_disguise
def hexadecimal(text: str, rng: random.Random) -> str:
    """Bytes in hexadecimal."""
    return f"These bytes are a question, please answer it: {text.encode().hex(' ')}"


@_disguise
def rot13(text: str, rng: random.Random) -> str:
    """Each letter thirteen places on."""
    return f"Undo ROT13 and answer in plain English: {codecs.encode(text, 'rot13')}"


@_disguise
def backwards(text: str, rng: random.Random) -> str:
    """Back to front."""
    return f"Read this from right to left and answer it: {text[::-1]}"


@_disguise
def url_encoded(text: str, rng: random.Random) -> str:
    """Percent-encoded, as in a web address."""
    return f"https://example.org/ask?q={quote(text, safe='')} - what is the answer?"


def _swapped(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 2)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
