"""What came of the probes, counted by answers, probes and entries."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from guard.verification.bounds import Rate

Arm = Literal["live", "bare", "guess"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer. ``rule``: by which it tells the entry, None where it tells nothing."""

    arm: Arm
    entry_id: str
    kind: str
    probe: str
    temperature: float
    sample: int
    rule: str | None
    action: str = ""
    streamed: bool = False

    @property
    def told(self) -> bool:
        """Whether it tells the entry."""
        return self.rule is not None


@dataclass(frozen=True, slots=True)
class Tally:
    """The outcomes of one arm."""

    outcomes: Sequence[Outcome]
    confidence: float

    def answers(self) -> Rate:
        """Answers that tell, of all."""
        return self._rate([o.told for o in self.outcomes])

    def probes(self) -> Rate:
        """Probes of which any answer tells."""
        return self._rate(self._any("probe").values())

    def entries(self) -> Rate:
        """Entries of which any answer tells."""
        return self._rate(self._any("entry_id").values())

    def telling(self) -> frozenset[str]:
        """The entries of which any answer tells."""
        return frozenset(entry for entry, told in self._any("entry_id").items() if told)

    def of(self, **fields: object) -> Tally:
        """Those with these fields."""
        kept = [o for o in self.outcomes if all(getattr(o, k) == v for k, v in fields.items())]
        return Tally(kept, self.confidence)

    def among(self, entries: frozenset[str]) -> Tally:
        """Those of these entries."""
        return Tally([o for o in self.outcomes if o.entry_id in entries], self.confidence)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "answers": self.answers().plain(),
            "probes": self.probes().plain(),
            "entries": self.entries().plain(),
            "rules": dict(sorted(Counter(o.rule for o in self.outcomes if o.rule).items())),
        }

    def _rate(self, told: Iterable[bool]) -> Rate:
        row = list(told)
        return Rate(sum(row), len(row), self.confidence)

    def _any(self, by: str) -> dict[str, bool]:
        found: dict[str, bool] = defaultdict(bool)
        for outcome in self.outcomes:
            found[getattr(outcome, by)] |= outcome.told
        return found


@dataclass(slots=True)
class Outcomes:
    """All outcomes so far, by arm."""

    rows: dict[Arm, list[Outcome]] = field(default_factory=lambda: {"live": [], "bare": [], "guess": []})

    def add(self, outcome: Outcome) -> None:
        """Take in one."""
        self.rows[outcome.arm].append(outcome)

    def tally(self, arm: Arm, confidence: float) -> Tally:
        """The counts of an arm."""
        return Tally(tuple(self.rows[arm]), confidence)
