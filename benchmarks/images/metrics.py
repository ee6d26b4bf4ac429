"""How far a generator has forgotten a class, and what it still does with the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.estimate import Proportion
from benchmarks.images.digits import CLASSES, Pictures
from benchmarks.images.judge import Judge
from benchmarks.images.method import Generator

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

RESAMPLED = 50


@dataclass(frozen=True, slots=True)
class Scores:
    """What is measured of a generator.

    Attributes:
        forget: of the samples asked for the class to forget, those that the judge calls that class.
        retain: of those asked for the others, those that it calls what was asked for.
        frechet: from the retained classes' samples to held pictures of them, in the judge's space; 0 is alike. It falls
            with ``n``, so figures of one ``n`` alone compare.
        stderr: of ``frechet``, by the bootstrap over samples.
        n: samples behind ``frechet``.
    """

    forget: Proportion
    retain: Proportion
    frechet: float
    stderr: float
    n: int

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"forget_accuracy": self.forget.plain(), "retain_accuracy": self.retain.plain(),
                "frechet": {"value": self.frechet, "stderr": self.stderr, "n": self.n}}  # fmt: skip


def scored(generator: Generator, judge: Judge, held: Pictures, forget: int, each: int, seed: int) -> Scores:
    """Figures of ``each`` samples of every class; the seed gives all generators the same noise."""
    import torch

    labels = torch.arange(CLASSES).repeat_interleave(each)
    images = generator.sample(labels, torch.Generator().manual_seed(seed))
    right, asked = judge.named(images) == labels, labels == forget
    features, theirs = judge.features(images[~asked]), judge.features(held.without(forget).images)
    return Scores(
        Proportion.of(right[asked].tolist()), Proportion.of(right[~asked].tolist()), frechet(features, theirs),
        _spread(features, theirs, seed), len(features),
    )  # fmt: skip


def frechet(one: Array, two: Array) -> float:
    """Of two sets of places (n, dim), taken as normal: |m_1 - m_2|^2 + tr(C_1 + C_2 - 2 (C_1 C_2)^(1/2))."""
    import numpy as np

    first, second = np.cov(one, rowvar=False), np.cov(two, rowvar=False)
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    shared = np.sqrt(np.linalg.eigvalsh(root @ second @ root).clip(0)).sum()
    apart = np.square(one.mean(0) - two.mean(0)).sum()
    return max(0.0, float(apart + np.trace(first) + np.trace(second) - 2 * shared))


def _spread(one: Array, two: Array, seed: int) -> float:
    import numpy as np

    chance = np.random.default_rng(seed)
    found = [frechet(one[chance.integers(len(one), size=len(one))], two) for _ in range(RESAMPLED)]
    return float(np.std(found, ddof=1))
