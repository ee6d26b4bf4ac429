"""What a method is: a card, its options and what it does to a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from benchmarks.data.corpus import Corpus
from benchmarks.models.meter import Meter


class Intent(StrEnum):
    """What becomes of the knowledge, after the SoK's distinction (PAPERS.md, row 9)."""

    REMOVE = "remove"
    SUPPRESS = "suppress"


class Basis(StrEnum):
    """What a method was built from, and so how far its constants are the authors'."""

    CODE = "authors' code"
    OPEN = "open-unlearning's code"
    PAPER = "paper's text"
    SUMMARY = "summaries, constants ours"
    HERE = "this project"


@dataclass(frozen=True, slots=True)
class Card:
    """What a report says of a method.

    Attributes:
        title: as papers call it.
        paper: authors, year, arXiv number.
        family: "retraining", "divergence", "rejection", "representation", "distillation", "weights" or "guard".
        intent: whether it means to remove or to suppress.
        touches: what it changes, in a few words.
        basis: what it was built from.
        rows: its numbers in the README's table of papers.
    """

    title: str
    paper: str
    family: str
    intent: Intent
    touches: str
    basis: Basis
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Training:
    """What the methods that train have in common; a method's own options are a subclass, mostly of ``Options``.

    Attributes:
        epochs: how often the forget set is gone through.
        lr: highest learning rate; it falls to nothing in a straight line.
        batch: forget pairs to a step, and as many to retain.
        forget_weight: gamma of open-unlearning.
        retain_weight: its alpha; 0 leaves the retain set unread where the method allows.
    """

    epochs: int = 5
    lr: float = 2e-5
    batch: int = 8
    warmup: float = 0.1
    weight_decay: float = 0.0
    clip: float = 1.0
    forget_weight: float = 1.0
    retain_weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Options(Training):
    """lora: rank of a low-rank update; None changes all weights."""

    lora: int | None = None


@dataclass(frozen=True, slots=True)
class Unlearning:
    """What a method works on.

    Attributes:
        model: the target model, which the method changes in place, in float32 on a CPU.
        tokenizer: the model's.
        corpus: its ``forget`` and ``retain`` are what a method may read.
        options: the method's own.
        seed: of order and chance.
        target: loads the target model anew, for a frozen reference.
        base: loads the model from before it was taught the corpus.
        checkpoint: where the state of a run that is broken off is kept; None keeps none.
        meter: counts tokens and shows progress.
        refusals: sentences that decline, for methods that teach them.
    """

    model: Any
    tokenizer: Any
    corpus: Corpus
    options: Any
    seed: int
    target: Callable[[], Any]
    base: Callable[[], Any]
    checkpoint: Path | None
    meter: Meter
    refusals: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Method:
    """A method in the registry. ``run`` returns the model that has unlearnt, which may be the one it was given.

    ``loss`` and ``needs`` are those of a method that is made of a loss alone, for others that work over any such.
    ``copies``: whole models' worth of float32 that it holds at most: weights, gradients and AdamW's two moments make 4.
    ``beforehand``: what it holds beside the weights before its first step, where gradients of all weights are taken.
    """

    card: Card
    options: type[Any]
    run: Callable[[Unlearning], Any]
    loss: Any = None
    needs: Any = None
    copies: float = 4.0
    beforehand: float = 0.0
