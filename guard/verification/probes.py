"""The probes of a verification: which entries, what is asked about them, and what stands beside as a measure."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from guard.model import Entry
from guard.verification.kinds import KINDS, Around, Variant
from guard.verification.telling import Given, Telling

_SIBLINGS = 6


@dataclass(frozen=True, slots=True)
class Probe:
    """One conversation that tries to get at an entry. ``given``: what it says itself."""

    entry: Entry
    kind: str
    number: int  # within its entry and kind
    variant: Variant
    given: Given

    @property
    def id(self) -> str:
        """The same for the same seed, list and kinds."""
        return f"{self.entry.entry_id}/{self.kind}/{self.number}"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The entries that are asked about, of how many; and those that nothing can be told of, with the reason."""

    entries: tuple[Entry, ...]
    of: int
    left_out: tuple[tuple[str, str], ...]  # id, reason


def choose(entries: Sequence[Entry], most: int, seed: int) -> Chosen:
    """At most ``most`` of the entries that can be verified, drawn at random."""
    possible: list[Entry] = []
    left_out: list[tuple[str, str]] = []
    for entry in entries:
        if entry.kind == "allow":
            continue
        why = _unverifiable(entry)
        if why:
            left_out.append((entry.entry_id, why))
        else:
            possible.append(entry)
    rng = random.Random(f"{seed}\0entries")  # noqa: S311 - a sample, not a secret
    picked = sorted(rng.sample(range(len(possible)), min(most, len(possible))))
    return Chosen(tuple(possible[i] for i in picked), len(possible) + len(left_out), tuple(left_out))


def probes(
    chosen: Iterable[Entry], entries: Sequence[Entry], *, kinds: Sequence[str], per_kind: int, seed: int
) -> list[Probe]:
    """At most ``per_kind`` of each kind for each entry; what gives the answer away itself is none.

    Args:
        chosen: the entries to ask about.
        entries: the whole list.
        kinds: names in ``KINDS``.
        per_kind: the most of a kind.
        seed: the same gives the same.
    """
    found: list[Probe] = []
    for entry in chosen:
        telling = Telling(entry)
        siblings = [
            e for e in entries if e is not entry and e.subject and e.subject == entry.subject and e.kind == "forget"
        ]
        rng = random.Random(f"{seed}\0{entry.entry_id}")  # noqa: S311 - a sample, not a secret
        around = Around(rng, rng.sample(siblings, min(_SIBLINGS, len(siblings))))
        seen: set[Variant] = set()
        for kind in kinds:
            made = [v for v in dict.fromkeys(KINDS[kind](entry, around)) if v not in seen]
            open_ones = [(v, g) for v in made if telling.open(g := telling.given(v.turns))]
            picked = rng.sample(open_ones, min(per_kind, len(open_ones)))
            seen.update(v for v, _ in picked)
            found += [Probe(entry, kind, n, variant, given) for n, (variant, given) in enumerate(picked, 1)]
    return found


def _unverifiable(entry: Entry) -> str | None:
    if entry.kept is not None:
        return "its texts are not kept: give them with the request"
    if not (entry.answer or entry.text):
        return "it has neither an answer nor a text that an answer could be held against"
    if not Telling(entry).possible:
        return "its answer is made of common words, or of words of its question, which anybody may say"
    return None


def conversation(variant: Variant) -> Iterator[dict[str, str]]:
    """Its turns as messages of a chat."""
    for at, text in enumerate(variant.turns):
        yield {"role": "assistant" if at % 2 else "user", "content": text}
