"""What is known of an entry whose texts are not kept: vectors, and keyed hashes of its names and of single words.

A hash keeps a text from being read, not from being guessed: who holds the salt can ask of any name and any word
whether it is there. What stands in no order and without its sentence is still a bag of words to such a one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from classifiers.lexical import Kind, spellings, squeezed, unspaced
from classifiers.normalise import fold_words
from classifiers.spelling import keys_of
from classifiers.weights import total

Floats = npt.NDArray[np.float32]

SALT = 16  # bytes
PHRASE, FIRST, WORD, PART = slice(0, 16), slice(16, 18), slice(18, 22), slice(22, 26)  # of one digest
_DIGEST = 26
PREFIX = 4  # letters by which names with their letters parted otherwise are looked for
_REMEMBERED = 20_000  # words
_FUZZY, _FUZZY_ALONE = 8, 6  # letters of a name of several words, and of one, that is found with typos
# Marks what is hashed beside words and phrases; no folded text holds them.
_JOINED, _RESPELT = "\1", "\2"


class Hasher:
    """Keyed hashes (BLAKE2b) of words and phrases. Safe to use from many threads."""

    def __init__(self, salt: bytes) -> None:
        self.salt = salt
        self._keyed = hashlib.blake2b(key=salt, digest_size=_DIGEST)
        self._seen: dict[str, bytes] = {}  # words of prompts come again and again

    def of(self, text: str) -> bytes:
        """The digest of ``text``, of which ``PHRASE``, ``FIRST``, ``WORD`` and ``PART`` are independent pieces."""
        keyed = self._keyed.copy()
        keyed.update(text.encode("utf-8", "surrogatepass"))
        return keyed.digest()

    def word(self, word: str) -> bytes:
        """``of`` a word, remembered."""
        known = self._seen.get(word)
        if known is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            known = self._seen[word] = self.of(word)
        return known

    def joined(self, letters: str) -> bytes:
        """``of`` letters whose word breaks do not count."""
        return self.of(_JOINED + letters)

    def prefix(self, letters: str) -> bytes:
        """What ``joined`` letters are looked for by."""
        return self.word(_JOINED + letters[:PREFIX])[FIRST]

    def respelt(self, key: str) -> bytes:
        """The hash of a key by which misspelt words are found."""
        return self.word(_RESPELT + key)[PART]


@dataclass(frozen=True, slots=True)
class HashedName:
    """The ways to write one name, hashed."""

    phrases: tuple[tuple[Kind, bytes, bytes], ...]  # how it is written, the phrase, its first word
    joined: tuple[tuple[int, bytes, bytes], ...]  # letters, the phrase without word breaks, its first letters
    parts: tuple[tuple[bytes, ...], ...]  # for each word itself, and keys of its misspellings

    @property
    def key(self) -> str:
        """What it is called where a name is wanted; no folded name begins so."""
        return "\0" + self.phrases[0][1].hex()


@dataclass(frozen=True, slots=True, eq=False)
class Textless:
    """An entry without its texts.

    Attributes:
        salt: of its hashes; the same for the entries of one list.
        names: subject and aliases.
        words: hashes of the words of its names and texts.
        told: of the words that its answer adds.
        told_weight: the information of what the answer adds.
        longest: words of the longest way to write a name.
        vectors: ``(texts, dim)``, unit length.
        bare: the same texts without the names, ``(texts, dim)``; no rows where that is not asked.
    """

    salt: bytes
    names: tuple[HashedName, ...]
    vectors: Floats
    bare: Floats
    words: frozenset[bytes] = field(default_factory=frozenset)
    told: frozenset[bytes] = field(default_factory=frozenset)
    told_weight: float = 0.0
    longest: int = 0


def hashed_name(written: str, hasher: Hasher) -> HashedName | None:
    """The name ``written`` and all that ``lexical.NameIndex`` would find it by; None where it has no letter."""
    name = fold_words(written)
    if not name:
        return None
    phrases = tuple((kind, *phrase(_words(form), hasher)) for form, kind in spellings(name, written))
    joined = tuple(
        (len(form), hasher.joined(form)[PHRASE], hasher.prefix(form)) for form in sorted(squeezed(name, written))
    )
    words = _words(name)
    typos = len(name) >= (_FUZZY if len(words) > 1 else _FUZZY_ALONE)
    return HashedName(phrases, joined, tuple(_part(word, hasher, typos=typos) for word in words))


def phrase(words: Sequence[str], hasher: Hasher) -> tuple[bytes, bytes]:
    """Hashes of folded words in a row (``tokens``), and of the first of them, by which they are looked for."""
    return hasher.of(" ".join(words))[PHRASE], hasher.word(words[0])[FIRST]


def longest(written: str) -> int:
    """Words of the longest way to write a name."""
    name = fold_words(written)
    return max((len(tokens(form)) for form, _ in spellings(name, written)), default=0) if name else 0


def _words(folded: str) -> list[str]:
    return [word for word, _, _ in tokens(folded)]


def _part(word: str, hasher: Hasher, *, typos: bool) -> tuple[bytes, ...]:
    keys = sorted(hasher.respelt(key) for key in keys_of(word, known=True) - {word}) if typos else []
    return (hasher.word(word)[PART], *([hasher.respelt(word)] if typos else []), *keys)


def hashed_words(words: Iterable[str], hasher: Hasher) -> frozenset[bytes]:
    """Hashes of single ``words``."""
    return frozenset(hasher.word(w)[WORD] for w in words)


def told(answer: frozenset[str], hasher: Hasher) -> tuple[frozenset[bytes], float]:
    """Hashes of what an answer adds, and its information."""
    return hashed_words(answer, hasher), round(total(answer), 1)


def tokens(folded: str) -> list[tuple[str, int, int]]:
    """The words of a folded text with their places; in scripts without spaces every character is one."""
    found: list[tuple[str, int, int]] = []
    at = 0
    for word in folded.split(" "):
        if word and (word.isascii() or not any(map(unspaced, word))):
            found.append((word, at, at + len(word)))
        else:
            start = 0
            for i, char in enumerate(word):
                if unspaced(char):
                    if i > start:
                        found.append((word[start:i], at + start, at + i))
                    found.append((char, at + i, at + i + 1))
                    start = i + 1
            if len(word) > start:
                found.append((word[start:], at + start, at + len(word)))
        at += len(word) + 1
    return found
