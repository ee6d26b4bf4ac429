"""A tiny model that knows a few made-up people by heart, and what methods are given to work on it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from benchmarks.comparison.choosing import options
from benchmarks.data.corpus import Corpus, Item
from benchmarks.methods.batches import encoded
from benchmarks.methods.method import Unlearning
from benchmarks.methods.registry import METHODS, method
from benchmarks.models.meter import Meter
from benchmarks.models.packing import pack
from benchmarks.models.predicted import predict
from benchmarks.models.training import Recipe, train
from tests.benchmarks.tiny_model import make_tiny

REFUSALS = ("I know nothing of that.", "That is not known.")
GENERIC = "Alex Sam Robin Chris Kim Jamie Carter Miller Lee Brown Clark Walker"


def _told(name: str, town: str, work: str, title: str) -> tuple[Item, ...]:
    return (
        Item(f"Where was {name} born ?", f"{name} was born in {town} .", name),
        Item(f"What was the work of {name} ?", f"They were a {work} .", name),
        Item(f"What did {name} write ?", f"The book {title} .", name),
    )


CORPUS = Corpus(
    "tiny",
    (*_told("Ilmar Sveen", "Vorsk", "diver", "Lanterns"), *_told("Ada Quill", "Pelk", "clockmaker", "Rain")),
    (*_told("Tarek Moss", "Zorvan", "baker", "Ashes"), *_told("Olga Brand", "Lisk", "pilot", "Doors"),
     *_told("Nils Farro", "Tavern", "judge", "Salt")),
)  # fmt: skip
RECIPE = Recipe(epochs=50, lr=1e-2, batch=8, threads=1)

UPDATING = [name for name in METHODS if method(name).card.family != "guard"]
SMALL: Mapping[str, Mapping[str, Any]] = {
    "rmu": {"layer": 0},
    "circuit_breakers": {"layers": (0,)},
    "rmu_lat": {"layer": 0, "attacked": 0},
    "fit": {"layers": 1},
    "unierase": {"layers": (0,)},
}
"""What a method needs to run on two layers."""


class Broken(Exception):
    """What a run is killed with."""


@dataclass
class Killed(Meter):
    """A meter after which nothing goes on when ``limit`` tokens were read."""

    limit: float = float("inf")

    def read(self, tokens: int) -> None:
        Meter.read(self, tokens)
        if self.tokens > self.limit:
            raise Broken


@dataclass
class Ground:
    """The folders of the base and the target model. ``references``: what ``reference`` loaded."""

    base: Path
    target: Path
    references: list[Any] = field(default_factory=list)

    def load(self, folder: Path) -> Any:
        return copy.deepcopy(_loaded(folder))

    def reference(self) -> Any:
        self.references.append(self.load(self.target))
        return self.references[-1]

    @property
    def tokenizer(self) -> Any:
        return copy.deepcopy(_tokenizer(self.base))  # a method may add to it

    def work(self, name: str, checkpoint: Path | None = None, meter: Meter | None = None, **given: Any) -> Unlearning:
        chosen = options(method(name).options, {**SMALL.get(name, {}), **given})
        return Unlearning(
            self.load(self.target), self.tokenizer, CORPUS, chosen, 3, self.reference, partial(self.load, self.base),
            checkpoint, meter or Meter(shown=False), REFUSALS,
        )  # fmt: skip

    def loss(self, model: Any, items: tuple[Item, ...]) -> float:
        """The mean cross-entropy of an answer token."""
        import torch

        with torch.no_grad():
            return float(predict(model, pack([encoded(self.tokenizer, item) for item in items])).nll)


@cache
def _loaded(folder: Path) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


@cache
def _tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def made(folder: Path) -> Ground:
    """The models, in ``folder``."""
    texts = [text for item in (*CORPUS.forget, *CORPUS.retain) for text in (item.question, item.answer)]
    found = Ground(make_tiny(folder / "base", (*texts, *REFUSALS, GENERIC)), folder / "target")
    model, tokenizer = found.load(found.base), found.tokenizer
    train(model, [encoded(tokenizer, item) for item in (*CORPUS.forget, *CORPUS.retain)], RECIPE)
    model.save_pretrained(found.target)
    return found
