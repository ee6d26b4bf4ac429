"""Names, and what is said of their bearers, known by keyed hashes alone and found by hashing the words of a text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from classifiers.lexical import IN_PIECES, SHARED, TELLING, Kind, NameHit
from classifiers.normalise import View
from classifiers.sightings import Place, places
from classifiers.spelling import MOST_WORDS, keys_of
from classifiers.textless import FIRST, PART, PHRASE, PREFIX, WORD, HashedName, Hasher, Textless, tokens
from classifiers.weights import in_vocabulary, specific, total

_SHORTEST = 4  # letters of a word that may be a misspelt one
_POSSESSIVE = 6  # letters of a word whose last one may be the s of a possessive

T = TypeVar("T")
_REMEMBERED = 20_000  # words
_Close = dict[tuple[str, int], bool]
Token = tuple[str, int, int]  # word, where in the view


def is_hashed(name: str) -> bool:
    """Whether ``name`` is the key of a hashed name."""
    return name.startswith("\0")


@dataclass(frozen=True, slots=True)
class _Hit:
    key: str
    kind: Kind
    start: int
    end: int


class HashedPhrases(Generic[T]):
    """Phrases that are known by their hashes, each with whose it is. Safe to use from many threads."""

    def __init__(self, hasher: Hasher, phrases: Iterable[tuple[bytes, bytes, T]], longest: int) -> None:
        """Take phrases.

        Args:
            hasher: with the salt that they were hashed with.
            phrases: ``textless.phrase`` of each, and whose it is.
            longest: words of the longest.
        """
        self._hasher = hasher
        self._longest = longest
        self._starts: set[bytes] = set()
        self._owners: dict[bytes, list[T]] = defaultdict(list)
        for own, first, owner in phrases:
            self._starts.add(first)
            self._owners[own].append(owner)

    def find(self, words: Sequence[Token]) -> Iterator[tuple[T, int, int]]:
        """Whose phrases stand in ``words`` (``textless.tokens`` of a folded text), and where."""
        hasher, starts, owners = self._hasher, self._starts, self._owners
        for i, (word, start, end) in enumerate(words):
            digest = hasher.word(word)
            if digest[FIRST] not in starts:
                continue
            phrase = word
            for j in range(i + 1, i + self._longest + 1):
                for owner in owners.get(digest[PHRASE], ()):
                    yield owner, start, end
                if j >= len(words):
                    break
                phrase = f"{phrase} {words[j][0]}"
                end = words[j][2]
                digest = hasher.of(phrase)


class HashedNames:
    """What ``lexical.NameIndex`` is for names that are written out. A name is called by its ``HashedName.key``."""

    def __init__(self, entries: Iterable[Textless]) -> None:
        by_salt: dict[bytes, list[Textless]] = defaultdict(list)
        for entry in entries:
            if entry.names:
                by_salt[entry.salt].append(entry)
        self._tables = [_Table(salt, own) for salt, own in by_salt.items()]

    def __bool__(self) -> bool:
        return bool(self._tables)

    def places(
        self, text: str, view: View, *, cased: bool, joined: bool = False, guessed: bool = False, parts: bool = True
    ) -> Iterator[Place]:
        """The names in a reading, with their keys.

        Args:
            text: the reading's.
            view: its words, as ``NameIndex.find`` takes them.
            cased: capital letters of ``text`` tell names from other words.
            joined: see ``NameIndex.find``.
            guessed: see ``NameIndex.find``.
            parts: whether a part of a name counts.
        """
        words = tokens(view.text)
        for table in self._tables:
            found = table.find(view.text, words, joined=joined, guessed=guessed)
            by_name: dict[str, list[_Hit]] = defaultdict(list)
            for hit in found:
                if parts or hit.kind != "partial":
                    by_name[hit.key].append(hit)
            for key, hits in by_name.items():
                whole = [NameHit(table.read(key, hit, view.text, words), hit.kind, hit.start, hit.end) for hit in hits]
                spans = [view.raw(h.start, h.end) for h in hits]
                for _, kind, place in places(text, whole, spans, cased=cased):
                    yield key, kind, place


class _Table:
    """Names hashed with one salt."""

    def __init__(self, salt: bytes, entries: Sequence[Textless]) -> None:
        self._hasher = Hasher(salt)
        self._names = {name.key: name for entry in entries for name in entry.names}
        spelt = ((own, first, (key, kind)) for key, n in self._names.items() for kind, own, first in n.phrases)
        self._phrases = HashedPhrases(self._hasher, spelt, max(e.longest for e in entries))
        self._prefixes: dict[bytes, set[int]] = defaultdict(set)
        self._joined: dict[bytes, list[str]] = defaultdict(list)
        self._words: dict[bytes, list[tuple[str, int]]] = defaultdict(list)  # name, which of its words
        self._respelt: dict[bytes, list[tuple[str, int, bool]]] = defaultdict(list)  # and whether it is the word itself
        self._seen: dict[str, _Close] = {}  # words of prompts come again and again
        few = sum(len(name.parts) for name in self._names.values()) <= MOST_WORDS
        for key, name in self._names.items():
            self._take(key, name, typos=few)

    def _take(self, key: str, name: HashedName, *, typos: bool) -> None:
        for length, phrase, first in name.joined:
            self._prefixes[first].add(length)
            self._joined[phrase].append(key)
        for i, (own, *keys) in enumerate(name.parts):
            self._words[own].append((key, i))
            for j, respelt in enumerate(keys if typos else ()):
                self._respelt[respelt].append((key, i, j == 0))

    def find(self, text: str, words: Sequence[Token], *, joined: bool, guessed: bool) -> list[_Hit]:
        """As ``NameIndex.find``."""
        found = [_Hit(key, kind, start, end) for (key, kind), start, end in self._phrases.find(words)]
        hits = [hit for hit in found if hit.kind != "partial"]
        known = {hit.key for hit in hits}
        if self._prefixes:
            hits.extend(h for h in self._without_breaks(text, words, anywhere=joined) if h.key not in known)
        if guessed:
            return [h for h in hits if h.end - h.start >= TELLING]
        inside = bytearray(len(text) if hits else 0)
        for hit in hits:
            inside[hit.start : hit.end] = b"\1" * (hit.end - hit.start)
        sharing: dict[tuple[int, int], list[_Hit]] = defaultdict(list)
        for hit in found:
            if hit.kind == "partial" and not (inside and inside[hit.start] and inside[hit.end - 1]):
                sharing[hit.start, hit.end].append(hit)
        sure = {h.key for h in hits}
        for own in sharing.values():
            hits.extend(own if len(own) <= SHARED else ())
        if self._respelt:
            hits.extend(h for h in self._misspelt(words, inside) if h.key not in sure)
        return hits

    def read(self, key: str, hit: _Hit, text: str, words: Sequence[Token]) -> str:
        """As much of the name as ``words`` tell, for what is compared with it."""
        if hit.kind != "partial":
            return text[hit.start : hit.end]
        parts = ["\0"] * len(self._names[key].parts)
        for word, _, _ in words:
            for other, i in self._words.get(self._hasher.word(word)[PART], ()):
                if other == key:
                    parts[i] = word
        return " ".join(parts)

    def _without_breaks(self, text: str, words: Sequence[Token], *, anywhere: bool) -> Iterator[_Hit]:
        """Names with their letters parted otherwise; whole words of the text unless ``anywhere``."""
        letters = text.replace(" ", "")
        if len(letters) < TELLING:
            return
        kept = [i for i, c in enumerate(text) if c != " "]
        begins: Iterable[int] = range(len(letters) - TELLING + 1)
        if not anywhere:
            before = {place: i for i, place in enumerate(kept)}
            begins = [before[start] for _, start, _ in words]
        for i in begins:
            for length in self._prefixes.get(self._hasher.prefix(letters[i : i + PREFIX]), ()):
                if i + length > len(letters):
                    continue
                start, end = kept[i], kept[i + length - 1] + 1
                if anywhere or text[end : end + 1] == " ":
                    for key in self._joined.get(self._hasher.joined(letters[i : i + length])[PHRASE], ()):
                        pieces = text.count(" ", start, end) + 1 - len(self._names[key].parts)
                        yield _Hit(key, "mangled" if pieces >= IN_PIECES else "derived", start, end)

    def _misspelt(self, words: Sequence[Token], inside: bytearray) -> Iterator[_Hit]:
        """Runs of words of which each is a name's word or may be a misspelling; ``inside``: 1 where a name stands."""
        close = [{} if inside and inside[start] else self._close(word) for word, start, _ in words]
        for i, options in enumerate(close):
            for (key, part), exact in options.items():
                count = len(self._names[key].parts)
                if part or i + count > len(words):
                    continue
                run = [close[i + k].get((key, k)) for k in range(count)]
                if None not in run and not all(run) and (count > 1 or not exact):
                    yield _Hit(key, "fuzzy", words[i][1], words[i + count - 1][2])

    def _close(self, word: str) -> _Close:
        """Of which words of which names ``word`` is a spelling, and whether it is the right one."""
        known = self._seen.get(word)
        if known is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            known = self._seen[word] = self._compared(word)
        return known

    def _compared(self, word: str) -> _Close:
        hasher = self._hasher
        found = dict.fromkeys(self._words.get(hasher.word(word)[PART], ()), True)
        if len(word) < _SHORTEST or in_vocabulary(word):  # a word, or another's name, and no misspelling
            return found
        bare = word[:-1] if len(word) >= _POSSESSIVE and word.endswith("s") else word
        for written in {word, bare}:
            for key in keys_of(written, known=False):
                for name, part, whole in self._respelt.get(hasher.respelt(key), ()):
                    # Of a name of one word only what is one letter more or less; the rest is too easily another word.
                    if len(self._names[name].parts) > 1 or whole or key == written:
                        found.setdefault((name, part), False)
        return found


class HashedWords:
    """What is said of subjects whose texts are not kept, as far as the words of a prompt show it."""

    def __init__(self, entries: Iterable[tuple[int, Textless]]) -> None:
        """``entries``: each with its subject."""
        self._hashers: dict[bytes, Hasher] = {}
        self._words: dict[int, tuple[Hasher, set[bytes]]] = {}
        self._subjects: dict[bytes, dict[bytes, list[int]]] = {}
        for subject, entry in entries:
            hasher = self._hashers.setdefault(entry.salt, Hasher(entry.salt))
            own = self._subjects.setdefault(entry.salt, defaultdict(list))
            _, words = self._words.setdefault(subject, (hasher, set()))
            for short in entry.words - words:
                own[short].append(subject)
            words |= entry.words

    def __bool__(self) -> bool:
        return bool(self._words)

    def subjects(self, word: str) -> list[int]:
        """Subjects of which ``word``, a specific one, may be said."""
        if not specific(word):
            return []
        found: list[int] = []
        for salt, hasher in self._hashers.items():
            found += self._subjects[salt].get(hasher.word(word)[WORD], ())
        return found

    def said(self, subject: int, words: Iterable[str]) -> frozenset[str] | None:
        """Of ``words`` those that may be said of ``subject``; None where its texts are kept."""
        known = self._words.get(subject)
        if known is None:
            return None
        hasher, shorts = known
        return frozenset(w for w in words if hasher.word(w)[WORD] in shorts)

    def answered(self, entry: Textless, words: Iterable[str]) -> float:
        """The share of its answer's information that ``words`` give; 0 where it has none."""
        if not entry.told_weight:
            return 0.0
        hasher = self._hashers[entry.salt]
        return total(w for w in words if hasher.word(w)[WORD] in entry.told) / entry.told_weight
