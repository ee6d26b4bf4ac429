"""What a request says of the entries in force, before its answer begins."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from classifiers.weights import content, total, weight
from guard.model import Entry
from guard.output.atoms import sentences
from guard.output.scanner import find
from guard.output.types import Asked, Key
from guard.output.values import Told, said_by
from guard.output.walks import Term, TermSource

Alive = Callable[[Entry], bool]

# Of a folded text. Whoever asks for one of these may get an answer that no word of the list stands in.
_CODED = re.compile(
    r"revers|backward|mirror|rot-?13|caesar|cipher|acrostic|first letter|base-?(?:16|32|58|64|85)|\bhex|encod|encrypt|"
    r"\bmorse|\bbinary\b|\bascii\b|unicode|pig latin|\bspell|letter by letter|leet|l33t|upside|nato|phonetic alphabet|"
    r"obfuscat|emoji|homoglyph|zero.width|\b(?:every|each|all)(?: of)?(?: the| its| your)? (?:letter|character)|"
    r"\b(?:every|each) word|\bletters? (?:after|by|between)\b|\b(?:group|block|chunk)s? of \w+ (?:letter|character)|"
    r"\binitial letter|\bsubstitut\w* (?:letter|cipher)"
)
_ASKED = 0.6  # share of a question's information that a text which asks it has
_ALLOWED, _ALLOWED_BACK = 0.8, 0.5


@dataclass(frozen=True)
class Context:
    """A request as the guard of its answer sees it.

    Attributes:
        asked: the request.
        named: the names that the client gave (``Term.bases``).
        given: the terms that stand in the client's texts.
        offered: the entries of which a value does.
        armed: the entries whose subject is named, or that the request was flagged for, with all of their subject.
        passing: the lists of which an allowed question was asked, and nothing else.
        spared: for other lists, words that an allowed answer says.
    """

    asked: Asked
    named: frozenset[str]
    given: frozenset[str]
    offered: frozenset[Key]
    armed: dict[Key, Entry] = field(default_factory=dict)
    passing: frozenset[str] = frozenset()
    spared: dict[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, asked: Asked, sources: Sequence[TermSource], alive: Alive, flagged: Iterable[Entry], allow: Sequence[Entry]
    ) -> Context:
        """Read a request."""
        passing, spared = _allowed(asked, allow)
        armed: dict[Key, Entry] = {}
        for entry in flagged:
            armed[key(entry)] = entry
            for source in sources:
                armed.update((key(e), e) for e in source.named(entry) if alive(e) and e.list_name == entry.list_name)
        named: set[str] = set()
        given: set[str] = set()
        offered: set[Key] = set()
        for text in asked.texts if sources else ():  # where nothing is watched for, there is nothing to find
            for seen in find(text, sources):
                given.add(seen.term.letters)
                named.update(seen.term.bases)
                offered.update(map(key, seen.term.values))
                armed.update((key(e), e) for e in seen.term.names if alive(e))
        armed = {k: e for k, e in armed.items() if k[0] not in passing}
        return cls(asked, frozenset(named), frozenset(given), frozenset(offered), armed, passing, spared)

    @cached_property
    def coded(self) -> bool:
        """Whether it asks for an answer that is not written plainly."""
        return any(_CODED.search(text.casefold()) for text in self.asked.texts)

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of its texts (``weights.content``)."""
        return frozenset(w for text in self.asked.texts for w in content(text))

    def asks(self, told: Told, also: frozenset[str] = frozenset()) -> bool:
        """Whether it, or ``also``, says most of what the question of an entry says."""
        own = total(told.asks)
        return own > 0 and total(told.asks & (self.words | also)) >= _ASKED * own

    def gave(self, term: Term) -> bool:
        """Whether the client wrote it."""
        return term.letters in self.given

    def named_by(self, term: Term) -> bool:
        """Whether the client wrote the name that ``term`` is, in whatever way."""
        return not self.named.isdisjoint(term.bases)

    def spares(self, entry: Entry) -> bool:
        """Whether an allowed answer says all that ``entry`` tells."""
        said = self.spared.get(entry.list_name)
        if said is None:
            return False
        adds = Told.of(entry).adds
        return bool(adds) and adds <= said


def key(entry: Entry) -> Key:
    """The entry's list and id."""
    return entry.list_name, entry.entry_id


def nameless(entry: Entry) -> bool:
    """Whether only meaning can tell what is about the entry."""
    return not (entry.kept.names if entry.kept else entry.subject or entry.aliases)


def _allowed(asked: Asked, allow: Sequence[Entry]) -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    """Lists of which the request asks what they allow: those to pass, and what the allowed answers of others say."""
    if not allow:
        return frozenset(), {}
    pieces = [frozenset(content(s)) for text in asked.texts for s in sentences(text)]
    passing: set[str] = set()
    spared: dict[str, frozenset[str]] = {}
    flagged = {name for name, _ in asked.flagged}
    for entry in allow:
        texts = [t for t in (entry.question, *entry.paraphrases, entry.text) if t]
        if not any(_same(frozenset(content(t)), piece) for t in texts for piece in pieces):
            continue
        if said_by(entry):
            said = spared.get(entry.list_name, frozenset())
            spared[entry.list_name] = said | Told.of(entry).words
        elif entry.list_name not in flagged:
            passing.add(entry.list_name)
    return frozenset(passing), spared


def _same(wanted: frozenset[str], piece: frozenset[str]) -> bool:
    """Whether a sentence asks what an allowed question asks."""
    common = sum(weight(w) + 0.1 for w in wanted & piece)
    own, other = (sum(weight(w) + 0.1 for w in words) for words in (wanted, piece))
    return bool(own) and common >= _ALLOWED * own and common >= _ALLOWED_BACK * other
