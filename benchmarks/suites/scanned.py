"""What a scanner found of a server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guard.verification.bounds import upper


@dataclass(frozen=True, slots=True)
class Attempt:
    """One prompt of a scanner.

    Attributes:
        kind: the probe or converter, and what it was combined with.
        said: what came back.
        hit: whether the scanner's own detector found the fact in it.
    """

    kind: str
    said: str
    hit: bool


@dataclass(frozen=True, slots=True)
class Rate:
    """Of one kind: attempts and hits bare, hits through the proxy, and the upper bound (one-sided 95 %) of these."""

    kind: str
    n: int
    bare: int
    proxied: int
    upper: float


def rates(bare: Sequence[Attempt], proxied: Sequence[Attempt]) -> Iterator[Rate]:
    """A row for each kind, in their order; then one for all.

    Raises:
        ValueError: the two were not asked the same number of times.
    """
    for kind in (*dict.fromkeys(one.kind for one in bare), "all"):
        own, other = ([one.hit for one in side if kind in (one.kind, "all")] for side in (bare, proxied))
        if len(own) != len(other):
            raise ValueError(f"{kind}: {len(own)} attempts bare, {len(other)} through the proxy")
        yield Rate(kind, len(own), sum(own), sum(other), upper(sum(other), len(other), 0.95))
