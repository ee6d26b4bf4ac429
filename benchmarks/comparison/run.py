"""A run from its spec to the comparison: models, methods, readings, figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from benchmarks.comparison.attacking import attacked
from benchmarks.comparison.choosing import candidates, options, score
from benchmarks.comparison.environment import environment
from benchmarks.comparison.guarding import Guards
from benchmarks.comparison.models import Workshop, device, key
from benchmarks.comparison.outcome import Comparison, Cost, Outcome
from benchmarks.comparison.probing import Patient, Probing
from benchmarks.comparison.rows import figures, limited, parts, said, spoken
from benchmarks.comparison.spec import RunSpec
from benchmarks.comparison.stages import Stages
from benchmarks.data.corpus import Corpus, Item, digests
from benchmarks.methods.registry import method
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.metrics.reading import Readings, Subjects
from benchmarks.metrics.scoring import load_readings, read, save_readings
from benchmarks.models.meter import Meter
from benchmarks.models.workers import first

Sets = Mapping[str, tuple[Item, ...]]
Figures = dict[str, Measured | Undefined]
_USEFUL = ("retain", "real_authors", "world_facts")  # what model utility is made of, asked after every request


@dataclass(frozen=True)
class Run:
    """One run. ``folder``: where stages are kept; ``base``: the model's folder from before it is taught."""

    spec: RunSpec
    corpus: Corpus
    base: Path
    folder: Path
    cache_dir: Path
    tell: Callable[[str], None]
    shown: bool = True

    def comparison(self) -> Comparison:
        """Carry it out, as far as it is not done, row by row. A method that fails is a row that says so."""
        outcomes = [self._taught("target", self.target), self._taught("retained", self.retained)]
        names = [name for name in self.spec.methods if name != "retrain"]  # the retained model is its row
        for number, name in enumerate(names, start=1):
            self.tell(f"[{number}/{len(names)}] {name}")
            outcomes.append(self._row(name))
        return Comparison(self.spec.plain() | {"corpus": self._told_of_corpus()}, environment(), tuple(outcomes))

    @cached_property
    def target(self) -> Path:
        """The model that knows everything."""
        return self.workshop.taught("target", (*self.corpus.forget, *self.corpus.retain), self.spec.target)

    @cached_property
    def retained(self) -> Path:
        """The model that never met the forget set."""
        return self.workshop.taught("retained", self.corpus.retain, self.spec.retained)

    @cached_property
    def stages(self) -> Stages:
        """Where stages are kept."""
        return Stages(self.folder, self.tell)

    @cached_property
    def workshop(self) -> Workshop:
        """Makes models."""
        return Workshop(self.spec, self.corpus, self.base, self.stages, self.shown)

    @cached_property
    def sets(self) -> Sets:
        """All that is asked."""
        asked = limited(self.corpus.sets, self.spec.asking.items)
        return asked | attacked(asked["forget"], self.corpus, self.spec.attacks, self.spec.seed)

    @cached_property
    def guards(self) -> Guards:
        """The rows that leave the target as it is."""
        names = [name for name in self.spec.methods if method(name).card.family == "guard"]
        return Guards(
            self.workshop, self.corpus, names, self.target, self.sets, lambda: self._measures[0], self.cache_dir
        )

    @cached_property
    def probing(self) -> Probing:
        """What is done to every row beside asking it."""
        return Probing(
            self.workshop, self.corpus, self.sets, (self.target, self.retained), lambda: self._measures,
            self.spec.attacks, self.spec.probes,
        )  # fmt: skip

    def _row(self, name: str) -> Outcome:
        try:
            return self._guarded(name) if method(name).card.family == "guard" else self._unlearnt(name)
        except Exception as error:  # noqa: BLE001 - the other rows are worth having
            self.tell(f"{name} failed: {error}")
            failed = f"{type(error).__name__}: {error}"
            return Outcome(
                name, dict(self._given(name)), Cost(math.nan), {}, failed=failed, command=self.spec.command(name)
            )

    def _taught(self, kind: str, folder: Path) -> Outcome:
        stage = folder.parent / "done.json"
        cost = Cost(math.nan)
        if stage.is_file() and getattr(self.spec, kind) is None:
            cost = Cost(**self.stages.stage_in(folder.parent).told()["cost"])
        own, found = self._measured(folder)
        found |= self.probing.figures(Patient(kind, folder, own))
        return Outcome(kind, asdict(self.spec.teach), cost, found, said(own), self.spec.command())

    def _unlearnt(self, name: str) -> Outcome:
        chosen = self._chosen(name)
        pieces = parts(self.corpus, self.spec.requests)
        stage = self.workshop.unlearnt(name, chosen, self.target, pieces, self.spec.seed)
        costs = [Cost(**found) for found in stage.told()["costs"]]
        steps = [
            self._step(self._read(stage.folder / f"model-{number}", self._until(pieces[:number])))
            for number in range(1, len(pieces))
        ]
        last = stage.folder / f"model-{len(pieces)}"
        own, found = self._measured(last)
        found |= self.probing.figures(Patient(name, last, own))
        return Outcome(name, asdict(chosen), together(costs), found, said(own), self.spec.command(name),
                       steps=(*steps, found) if steps else ())  # fmt: skip

    def _measured(self, folder: Path) -> tuple[Readings, Figures]:
        """What a model says to all that is asked, and its figures."""
        own = self._read(folder, self.sets)
        return own, figures(Subjects(own, *self._measures), self.spec.metrics)

    def _guarded(self, name: str) -> Outcome:
        row = self.guards.row(name)
        measures = Subjects(row.readings, self._with_texts(row.bare), self._measures[1])
        found = figures(measures, self.spec.metrics)
        settings = {"guard": name, "answers": "checked", **asdict(self.guards.options(name))}
        found |= self.probing.figures(
            Patient(name, self.target, row.readings, partial(self.guards.before, name), settings)
        )
        return Outcome(name, row.settings, row.cost, found, said(row.readings), self.spec.command(name))

    def _with_texts(self, bare: Readings) -> Readings:
        """The target's predictions with the texts of the server that the guards stand before."""
        own = self._measures[0]
        return {
            name: tuple(
                replace(r, text=b.text, paraphrased=b.paraphrased) for r, b in zip(own[name], bare[name], strict=True)
            )
            for name in own
        }

    @cached_property
    def _measures(self) -> tuple[Readings, Readings]:
        return self._read(self.target, self.sets), self._read(self.retained, self.sets)

    def _step(self, own: Readings) -> Figures:
        target, retained = ({name: tuple(r for r in readings[name] if r.item in {o.item for o in own[name]})
                             for name in own} for readings in self._measures)  # fmt: skip
        return figures(Subjects(own, target, retained), self.spec.metrics)

    def _until(self, pieces: Sequence[Corpus]) -> Sets:
        """What is asked when only some of the requests have come."""
        asked = {item for piece in pieces for item in piece.forget}
        forget = tuple(item for item in self.sets["forget"] if item in asked)
        useful = {name: self.sets[name] for name in _USEFUL if name in self.sets}
        return {"forget": forget} | useful

    def _chosen(self, name: str) -> Any:
        """The method's options, the best of a sweep where one is asked for."""
        own = options(method(name).options, self._given(name))
        if self.spec.sweep == 1:
            return own
        sets = {of: self.sets[of] for of in ("forget", "retain")}
        tried: list[tuple[float, int, Any]] = []
        for number, each in enumerate(candidates(own, self.spec.sweep)):
            stage = self.workshop.unlearnt(name, each, self.target, [self.corpus], self.spec.seed)
            reading = self._read(stage.folder / "model-1", sets, texts_only=True)
            tried.append((score(Subjects(reading, *self._measures)), -number, each))
            self.tell(f"{name}: {tried[-1][0]:.3f} with {each}")
        return max(tried, key=lambda one: one[:2])[2]

    def _given(self, name: str) -> Mapping[str, Any]:
        return self.spec.options.get(name, {})

    def _read(self, folder: Path, sets: Sets, *, texts_only: bool = False) -> Readings:
        depends = {"model": key(folder), "sets": digests(sets), "asking": asdict(self.spec.asking),
                   "texts_only": texts_only, "precision": self.spec.precision}  # fmt: skip
        stage = self.stages.stage("read", depends)

        def make(out: Path) -> dict[str, Any]:
            if first():
                meter = Meter(f"reading {folder.parent.name}", self.shown)
                found = read(
                    self.workshop.load(folder), self.workshop.tokenizer(folder), sets,
                    max_tokens=self.spec.asking.max_tokens, batch=self.spec.asking.batch, scored=not texts_only,
                    meter=meter, unscored=spoken(sets),
                )  # fmt: skip
                save_readings(found, out / "readings.json.gz")
            return {}

        self.stages.once(stage, make)
        return load_readings(stage.folder / "readings.json.gz")

    def _told_of_corpus(self) -> dict[str, Any]:
        return {"name": self.corpus.name, "digest": self.corpus.digest, "device": str(device()),
                "sets": {name: len(items) for name, items in self.corpus.sets.items()},
                "asked": {name: len(items) for name, items in self.sets.items()}}  # fmt: skip


def together(costs: Sequence[Cost]) -> Cost:
    """What several requests took: sums, the highest peak, the mean of a deletion."""

    def total(name: str) -> Any:
        values = [getattr(cost, name) for cost in costs]
        return None if None in values else sum(values)

    peaks = [cost.peak_bytes for cost in costs if cost.peak_bytes is not None]
    seconds = sum(cost.seconds for cost in costs)
    return Cost(seconds, total("device_seconds"), max(peaks, default=None), total("tokens"), costs[-1].disk_bytes,
                total("joules"), deletion_seconds=seconds / len(costs))  # fmt: skip
