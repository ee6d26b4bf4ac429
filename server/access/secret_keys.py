"""Keys as texts: how they are made, hashed, and judged too weak."""

from __future__ import annotations

import hashlib
import re
import secrets
from itertools import pairwise

from server.access.principal import Role

SHORTEST = 20  # characters of a key that an operator chose
_DISTINCT = 8
_OURS = re.compile(r"lw-(?:client|auditor|operator|admin)-[A-Za-z0-9_-]{32,200}")
_WORDS = re.compile(
    r"admin|change-?_?me|default|example|key|letheward|pass(?:word)?|placeholder|qwerty(?:uiop)?|asdf(?:ghjkl)?|replace|secret|test|token"
)


def make_key(role: Role) -> str:
    """A new key with 256 random bits."""
    return f"lw-{role}-{secrets.token_urlsafe(32)}"


def hash_of(key: str) -> str:
    """What is kept of a key, 64 hexadecimal digits. Unsalted and fast, which is right for 256 random bits alone."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def is_generated(key: str) -> bool:
    """Whether a key has the form of those that we make, which nobody guesses."""
    return _OURS.fullmatch(key) is not None and len(set(key.split("-", 2)[2])) >= 12


def carries_key(text: str) -> bool:
    """Whether a key of ours is somewhere in ``text``."""
    return _OURS.search(text) is not None


def weakness(key: str) -> str | None:
    """Why a key could be guessed, or None."""
    left = _WORDS.sub("", key.lower())
    if len(key) < SHORTEST:
        return f"it is shorter than {SHORTEST} characters"
    if len(left) < SHORTEST // 2 or len(set(left)) < _DISTINCT:
        return "it is a word that everybody tries, or has few different characters"
    steps = [ord(b) - ord(a) for a, b in pairwise(left)]
    if sum(abs(step) <= 1 for step in steps) > len(steps) / 2:
        return "its characters follow one another"
    if any(left.startswith(left[n:]) for n in range(1, len(left) // 2 + 1)):
        return "it is one piece over and over"
    return None
