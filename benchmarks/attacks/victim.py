"""A row of the comparison as an attacker meets it: it can be asked, and its weights may be had."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from benchmarks.data.corpus import Corpus, Item
from benchmarks.methods.batches import encoded
from benchmarks.metrics.reading import Readings
from benchmarks.metrics.scoring import read
from benchmarks.models.generating import Sampling, generated
from benchmarks.models.meter import Meter
from benchmarks.models.packing import Chat
from benchmarks.models.predicted import read_only


class Guard(Protocol):
    """A guard before the model, in this process (``benchmarks.methods.guard_inside``)."""

    def encode_as(self, question: str, answer: str, plain: bool = False) -> Chat | None:
        """What the model reads of a question; None where it is not asked."""
        ...

    def says(self, question: str, plain: bool = False) -> str | None:
        """What the guard answers by itself; None where the model does."""
        ...

    def released(self, question: str, text: str, plain: bool = False) -> str:
        """What goes out where the model answers a question with ``text``."""
        ...

    def action(self, question: str, plain: bool = False) -> str:
        """What is done with a question: "pass", or the guard's name."""
        ...


@dataclass(frozen=True, slots=True)
class Victim:
    """What is attacked or looked into.

    Attributes:
        name: of the row: "target", "retained" or a method.
        load: the model's weights, a copy at each call; behind a guard, the target's.
        target, retained: those of the two yardsticks.
        tokenizer: of all three.
        corpus: all that there is.
        sets: what of it is asked.
        readings: what this row predicts and says of ``sets``; ``target_readings``, ``retained_readings``: the others.
        guard: before the model and its answers, if it is a guard's row.
        seed: of chance.
        max_tokens: of an answer.
        batch: chats computed together.
        meter: counts tokens and shows progress.
        drawn: how much drawn answers said, by whom and how they were drawn, for figures that read the same draws.
    """

    name: str
    load: Callable[[], Any]
    target: Callable[[], Any]
    retained: Callable[[], Any]
    tokenizer: Any
    corpus: Corpus
    sets: Mapping[str, tuple[Item, ...]]
    readings: Readings
    target_readings: Readings
    retained_readings: Readings
    guard: Guard | None = None
    seed: int = 0
    max_tokens: int = 64
    batch: int = 16
    meter: Meter = field(default_factory=lambda: Meter(shown=False))
    drawn: dict[tuple[Any, ...], list[list[float]]] = field(default_factory=dict)

    def read(
        self, model: Any, sets: Mapping[str, Sequence[Item]], *, scored: bool = False, texts: bool = True
    ) -> Readings:
        """What ``model`` behind this row's guard predicts and says; a guard that declines says its own sentence."""
        found = read(
            model, self.tokenizer, sets, max_tokens=self.max_tokens, batch=self.batch, meter=self.meter,
            encode_as=None if self.guard is None else self.guard.encode_as, scored=scored, texts=texts,
        )  # fmt: skip
        if self.guard is None or not texts:
            return found
        return {name: tuple(map(self._told, each)) for name, each in found.items()}

    def draw(self, model: Any, items: Sequence[Item], sampling: Sampling) -> list[list[str]]:
        """For each item ``sampling.count`` texts that are drawn in answer to its question."""
        with read_only(model):
            return [
                self._drawn(model, item, replace(sampling, seed=sampling.seed * 1009 + place))
                for place, item in enumerate(self.meter.over(items, len(items)))
            ]

    def _drawn(self, model: Any, item: Item, sampling: Sampling) -> list[str]:
        chat = self.chat(item)
        if chat is None:
            assert self.guard is not None  # noqa: S101 - only a guard leaves a question unasked
            return [self.guard.says(item.question, item.plain) or ""] * sampling.count
        texts: list[str] = []
        for part in _parts(sampling, self.batch):
            rows = generated(model, self.tokenizer, [chat], self.max_tokens, self.meter, part)
            texts += [str(self.tokenizer.decode(row, skip_special_tokens=True)).strip() for row in rows]
        return [self._released(item, text) for text in texts]

    def chat(self, item: Item) -> Chat | None:
        """An item as this row's model reads it; None where the guard does not ask the model."""
        if self.guard is None:
            return encoded(self.tokenizer, item)
        return self.guard.encode_as(item.question, item.answer, item.plain)

    def _told(self, reading: Any) -> Any:
        assert self.guard is not None  # noqa: S101 - asked for guards alone
        item = reading.item
        if reading.text is not None:
            return replace(reading, text=self._released(item, reading.text))
        return replace(reading, text=self.guard.says(item.question, item.plain))

    def _released(self, item: Item, text: str) -> str:
        return text if self.guard is None else self.guard.released(item.question, text, item.plain)


def _parts(sampling: Sampling, batch: int) -> Iterator[Sampling]:
    """``sampling`` in parts of ``batch`` texts, each with a seed of its own."""
    for number, at in enumerate(range(0, sampling.count, batch)):
        count = min(batch, sampling.count - at)
        yield replace(sampling, count=count, seed=sampling.seed * 1_000_003 + number)
