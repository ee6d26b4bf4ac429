"""What a method for image generators is: the card of all methods, a kind of generator, options and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.images.digits import Parted
from benchmarks.methods.method import Card
from benchmarks.models.meter import Meter

if TYPE_CHECKING:
    import torch

    from benchmarks.images.scorer import Scorer


class Kind(StrEnum):
    """Which generator a method works on."""

    DIFFUSION = "diffusion"
    GAN = "gan"


class Generator(Protocol):
    """What makes pictures of the classes that it is asked for."""

    def sample(self, labels: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        """A picture for each of ``labels`` (n,), as (n, 64)."""

    def weights(self) -> Mapping[str, torch.Tensor]:
        """Everything it computes with, by name."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the methods have in common: ``lr`` of Adam, and pictures to a step."""

    steps: int = 1000
    lr: float = 1e-3
    batch: int = 128


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What a method works on.

    Attributes:
        model: the target generator, which the method may change in place.
        corpus: the training set, parted by the class to forget.
        scorer: tells how well a picture fits a text; the stand-in for CLIP.
        options: the method's own.
        seed: of order and chance.
        checkpoint: where the state of a run that is broken off is kept; None keeps none.
        meter: counts pictures that a model reads, and shows progress.
    """

    model: Any
    corpus: Parted
    scorer: Scorer
    options: Any
    seed: int
    checkpoint: Path | None
    meter: Meter


@dataclass(frozen=True, slots=True)
class Method:
    """A method in the registry. ``run`` returns the generator that has unlearnt."""

    card: Card
    kind: Kind
    options: type[Any]
    run: Callable[[Forgetting], Generator]
