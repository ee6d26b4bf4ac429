"""Rows that leave the target as it is: guards, through the real proxy for texts and in process for predictions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from benchmarks.comparison.choosing import options
from benchmarks.comparison.costs import spending
from benchmarks.comparison.models import Workshop, key
from benchmarks.comparison.outcome import Cost
from benchmarks.comparison.rows import spoken
from benchmarks.comparison.stages import Stage
from benchmarks.data.corpus import Corpus, Item, digests
from benchmarks.guarded.answers import Reply
from benchmarks.methods.guard_asked import Asking
from benchmarks.methods.guard_inside import Inside, inside
from benchmarks.methods.guard_list import lines
from benchmarks.methods.guard_listed import Listed
from benchmarks.methods.guard_proxied import BARE, Proxied, proxied
from benchmarks.methods.registry import method
from benchmarks.metrics.reading import Reading, Readings
from benchmarks.metrics.scoring import load_readings, read, save_readings
from benchmarks.models.workers import first

READINGS = "readings.json.gz"
_BARE = "bare.json.gz"


@dataclass(frozen=True, slots=True)
class GuardRow:
    """What came of a guard. ``bare``: the texts of the same server without it."""

    readings: Readings
    bare: Readings
    cost: Cost
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Guards:
    """The guards of a run, asked of one vLLM one after the other.

    Texts are what a client is told by the proxy, answers checked as ever; predictions are those of the model given what
    the guard makes of the question, by the same code in this process; ``bare``, the target's, where it makes nothing of
    it. A guard that answers by itself predicts nothing.
    """

    workshop: Workshop
    corpus: Corpus
    names: Sequence[str]
    target: Path
    sets: Mapping[str, Sequence[Item]]
    bare: Callable[[], Readings]
    cache_dir: Path

    def row(self, name: str) -> GuardRow:
        """What came of the guard called ``name``.

        Raises:
            RuntimeError: vLLM or the proxy did not come up, or failed.
        """
        stage = self._stage(name)
        told = self.workshop.stages.once(stage, partial(self._make, name, stage))
        own, bare = load_readings(stage.folder / READINGS), load_readings(stage.folder / _BARE)
        return GuardRow(own, bare, Cost(**told["cost"]), told["settings"])

    @contextmanager
    def before(self, name: str) -> Iterator[Inside]:
        """The guard called ``name`` before the target in this process."""
        own = self.options(name)
        usual = (getattr(own, "threshold", None), getattr(own, "false_positive_rate", None)) == (None, None)
        guard = inside(name, self.target, self.corpus, own, listed=self._listed if usual else None)
        try:
            yield guard
        finally:
            guard.close()

    def options(self, name: str) -> Any:
        """The guard's options: its own, and the run's over them."""
        return options(method(name).options, self.workshop.spec.options.get(name, {}))

    def _stage(self, name: str) -> Stage:
        spec = self.workshop.spec
        return self.workshop.stages.stage(
            f"guarded-{name}",
            {"guard": name, "options": asdict(self.options(name)), "target": key(self.target),
             "sets": digests(self.sets), "corpus": self.corpus.digest, "asking": asdict(spec.asking),
             "precision": spec.precision},
        )  # fmt: skip

    @cached_property
    def _proxied(self) -> Proxied:
        """Of every guard that is not done."""
        missing = {name: self.options(name) for name in self.names if not self._stage(name).done}
        kept = self.workshop.stages.root / "replies.jsonl"
        asking = Asking(self.workshop.spec.asking.max_tokens, at_once=1, shown=self.workshop.shown)
        attacks = spoken(self.sets)
        calm, crowd = list(self._asked(self.sets.keys() - attacks)), list(self._asked(attacks))
        work = proxied(self.target, self.corpus, missing, [text for text, plain in calm if not plain],
                       cache_dir=self.cache_dir, passages=[text for text, plain in calm if plain], crowd=crowd,
                       kept=kept, asking=asking)  # fmt: skip
        return asyncio.run(work)

    @cached_property
    def _listed(self) -> Listed:
        """The forget list in this process, learnt once for all guards that leave the detector as it is."""
        return Listed(self.corpus)

    def _asked(self, names: Collection[str]) -> Iterator[tuple[str, bool]]:
        """What is asked, and whether it is running text, of the sets of these names."""
        for item in (item for name, items in self.sets.items() if name in names for item in items):
            yield item.question, item.plain
            if item.paraphrase is not None:
                yield item.paraphrase, item.plain

    def _make(self, name: str, stage: Stage, out: Path) -> dict[str, Any]:
        if not first():
            return {}
        served, replies = self._proxied.served[name], self._proxied.replies
        with spending(stage.kind, None, shown=self.workshop.shown) as spent:
            predicted, setup = self._predicted(name, spent)
            cost = spent.cost()
        save_readings(_with_texts(predicted, replies[name]), out / READINGS)
        save_readings(_with_texts(predicted, replies[BARE]), out / _BARE)
        disk = len("\n".join(lines(self.corpus)).encode())  # of the list: nothing else is kept
        cost = Cost(
            served.setup_seconds, None, cost.peak_bytes, cost.tokens, disk,
            request_seconds=served.request_seconds, deletion_seconds=served.deletion_seconds,
        )  # fmt: skip
        return {"cost": asdict(cost), "settings": dict(served.settings), "setup_in_process": setup}

    def _predicted(self, name: str, meter: Any) -> tuple[Readings, float]:
        with self.before(name) as guard:
            found = read(
                self.workshop.load(self.target), self.workshop.tokenizer(self.target), self.sets,
                max_tokens=1, batch=self.workshop.spec.asking.batch, encode_as=guard.encode_as, known=self.bare(),
                texts=False, meter=meter, unscored=spoken(self.sets),
            )  # fmt: skip
            return found, guard.setup_seconds


def _with_texts(predicted: Readings, replies: Mapping[str, Reply]) -> Readings:
    return {name: tuple(_told(reading, replies) for reading in found) for name, found in predicted.items()}


def _told(reading: Reading, replies: Mapping[str, Reply]) -> Reading:
    item = reading.item
    own = replies[item.question]
    again = None if item.paraphrase is None else replies[item.paraphrase].text.strip()
    return replace(reading, text=own.text.strip(), paraphrased=again, action=own.action)
