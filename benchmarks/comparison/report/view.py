"""A comparison as a report reads it: numbered rows, the metrics in order, the key ones, and who guards."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from benchmarks.comparison.outcome import Comparison, Outcome
from benchmarks.comparison.report.catalogue import ABOUTS, FAMILIES, Catalogue, Heading
from benchmarks.methods.method import Card
from benchmarks.metrics.metric import Measured, Undefined

FORGETTING, UTILITY = "forget_rouge", "retain_rouge"
"""The two metrics that the answer is made of."""

_KEY = {"forgetting": 3, "utility": 2, "privacy": 2, "fluency": 1, "other": 0}  # columns at most
_FIRST = (FORGETTING, "forget_quality", "extraction_strength", "model_utility", UTILITY)
_EVEN = 1.96  # standard errors on either side of a 95 % interval


@dataclass(frozen=True, slots=True)
class Row:
    """An outcome with its number in the report."""

    number: int
    outcome: Outcome
    card: Card
    kind: Literal["yardstick", "guard", "updating"]

    @property
    def title(self) -> str:
        """What it is called."""
        return self.card.title

    def figure(self, name: str) -> Measured | None:
        """The figure, where it is a number."""
        found = self.outcome.figures.get(name)
        return found if isinstance(found, Measured) and not math.isnan(found.value) else None

    def why(self, name: str) -> str:
        """Why there is no figure."""
        found = self.outcome.figures.get(name)
        if self.outcome.failed:
            return "the method failed"
        if isinstance(found, Undefined):
            return found.why
        return "not a number" if isinstance(found, Measured) else "not measured in this run"


@dataclass(frozen=True)
class View:
    """All that a report reads."""

    comparison: Comparison
    catalogue: Catalogue

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The yardsticks and each method, as numbered in the report."""
        numbered = enumerate(self.comparison.outcomes, start=1)
        return tuple(self._row(number, outcome) for number, outcome in numbered)

    @cached_property
    def headings(self) -> tuple[Heading, ...]:
        """Every metric that any row has, in the registry's order."""
        names = dict.fromkeys(name for row in self.rows for name in (*row.outcome.figures, *_step_names(row)))
        return tuple(self.catalogue.heading(name) for name in names)

    @cached_property
    def key(self) -> tuple[Heading, ...]:
        """The metrics of the main table."""
        chosen: list[Heading] = []
        for about in ABOUTS:
            own = [h for h in self.headings if h.about == about]
            own.sort(key=lambda h: _FIRST.index(h.name) if h.name in _FIRST else len(_FIRST))
            kept = own[: _KEY.get(about, 0)]
            chosen += [h for h in self.headings if h in kept]
        return tuple(chosen or self.headings[:6])

    @cached_property
    def methods(self) -> tuple[Row, ...]:
        """The rows that are compared."""
        return tuple(row for row in self.rows if row.kind != "yardstick")

    @cached_property
    def guards(self) -> tuple[Row, ...]:
        """Those that leave the weights as they are."""
        return tuple(row for row in self.rows if row.kind == "guard")

    @cached_property
    def families(self) -> tuple[tuple[str, tuple[Row, ...]], ...]:
        """The methods by their family."""
        names = dict.fromkeys((*FAMILIES, *(row.card.family for row in self.methods)))
        grouped = ((name, tuple(r for r in self.methods if r.card.family == name)) for name in names)
        return tuple((name, rows) for name, rows in grouped if rows)

    @property
    def target(self) -> Row | None:
        """The model before."""
        return self.named("target")

    @property
    def retained(self) -> Row | None:
        """The model that never learnt."""
        return self.named("retained")

    def named(self, name: str) -> Row | None:
        """The row called ``name``."""
        return next((row for row in self.rows if row.outcome.name == name), None)

    def heading(self, name: str) -> Heading:
        """What is said of a metric."""
        return self.catalogue.heading(name)

    def best(self, heading: Heading) -> frozenset[int]:
        """Numbers of the methods that no other is seen to surpass: their 95 % intervals reach the best one's.

        Where a figure has no standard error, nothing is known of its interval, and it counts as reaching.
        """
        found = [(row.number, *gap) for row in self.methods if (gap := self._distance(row, heading)) is not None]
        if not found:
            return frozenset()
        _, least, error = min(found, key=lambda each: each[1])
        return frozenset(number for number, far, own in found if far == least or not far - least > error + own)

    def _distance(self, row: Row, heading: Heading) -> tuple[float, float] | None:
        """How far a figure is from the best there can be, and half of its interval; nan where that is not known."""
        figure = row.figure(heading.name)
        if figure is None or heading.better == "":
            return None
        if heading.better == "retained":
            kept = self.retained.figure(heading.name) if self.retained else None
            if kept is None:
                return None
            return abs(figure.value - kept.value), _EVEN * math.hypot(figure.stderr, kept.stderr)
        return (figure.value if heading.better == "low" else -figure.value), _EVEN * figure.stderr

    def _row(self, number: int, outcome: Outcome) -> Row:
        card = self.catalogue.card(outcome.name)
        if outcome.name in ("target", "retained"):
            return Row(number, outcome, card, "yardstick")
        return Row(number, outcome, card, "guard" if card.family == "guard" else "updating")


def interval(figure: Measured) -> float:
    """Half of the 95 % interval; 0 where there is none."""
    return _EVEN * figure.stderr if math.isfinite(figure.stderr) else 0.0


def _step_names(row: Row) -> Iterable[str]:
    return (name for step in row.outcome.steps for name in step)
