"""Attacks that do more than ask, and probes of the weights: each a stage of its own, for every row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

from benchmarks.attacks.victim import Guard, Victim
from benchmarks.comparison.attacking import active
from benchmarks.comparison.models import Workshop, key
from benchmarks.data.corpus import Corpus, Item, digests
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.metrics.reading import Readings
from benchmarks.models.meter import Meter
from benchmarks.models.workers import first
from benchmarks.probes.registry import probe

Measure = Callable[[Victim], Measured | Undefined]
Figures = dict[str, Measured | Undefined]


@dataclass(frozen=True, slots=True)
class Patient:
    """A row that is looked into.

    Attributes:
        name: of the row.
        folder: of its weights; behind a guard the target's.
        readings: what was read off it.
        guard: opens the guard before it.
        settings: the guard's, which the figures depend on.
    """

    name: str
    folder: Path
    readings: Readings
    guard: Callable[[], AbstractContextManager[Guard]] | None = None
    settings: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Probing:
    """What is done to every row beside asking it. ``yardsticks``: the target's and the retained model's folders."""

    workshop: Workshop
    corpus: Corpus
    sets: Mapping[str, tuple[Item, ...]]
    yardsticks: tuple[Path, Path]
    measured: Callable[[], tuple[Readings, Readings]]
    attacks: Sequence[str]
    probes: Sequence[str]

    def figures(self, patient: Patient) -> Figures:
        """Of each attack and probe; one that fails says so and leaves the others."""
        wanted: dict[str, Measure] = {name: one.leak for name, one in active(self.attacks).items()}
        wanted |= {name: probe(name).measure for name in self.probes}
        with ExitStack() as stack:  # the guard is opened once, and only where something is to be measured
            victim = cache(partial(self._victim, patient, stack))
            return {name: self._figure(name, measure, patient, victim) for name, measure in wanted.items()}

    def _figure(
        self, name: str, measure: Measure, patient: Patient, victim: Callable[[], Victim]
    ) -> Measured | Undefined:
        spec = self.workshop.spec
        stage = self.workshop.stages.stage(
            f"probed-{name.replace(': ', '-')}",
            {"row": patient.name, "model": key(patient.folder), "guard": patient.settings, "corpus": self.corpus.digest,
             "sets": self._digests, "asking": asdict(spec.asking),
             "yardsticks": [key(folder) for folder in self.yardsticks], "seed": spec.seed,
             "precision": spec.precision},
        )  # fmt: skip
        try:
            told = self.workshop.stages.once(stage, partial(self._make, f"{name} {patient.name}", measure, victim))
        except Exception as error:  # noqa: BLE001 - the other figures are worth having
            self.workshop.stages.tell(f"{name} failed: {error}")
            return Undefined(f"failed: {type(error).__name__}: {error}")
        return Undefined(**told) if "why" in told else Measured(**told | {"values": tuple(told["values"])})

    @cached_property
    def _digests(self) -> dict[str, str]:
        return digests(self.sets)

    def _make(self, title: str, measure: Measure, victim: Callable[[], Victim], out: Path) -> dict[str, Any]:
        if not first():
            return {}
        return asdict(measure(replace(victim(), meter=Meter(title, self.workshop.shown))))

    def _victim(self, patient: Patient, stack: ExitStack) -> Victim:
        shop, asking = self.workshop, self.workshop.spec.asking
        target, retained = self.measured()
        return Victim(
            patient.name, partial(shop.load, patient.folder), partial(shop.load, self.yardsticks[0]),
            partial(shop.load, self.yardsticks[1]), shop.tokenizer(patient.folder), self.corpus, self.sets,
            patient.readings, target, retained, stack.enter_context(patient.guard()) if patient.guard else None,
            shop.spec.seed, asking.max_tokens, asking.batch,
        )  # fmt: skip
