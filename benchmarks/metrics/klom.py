"""KLoM, divergence of margins (Georgiev et al., 2024, arXiv 2410.23232): is unlearnt told from retrained, over seeds?

    of each example: KL(unlearnt || retrained) of its margins' histograms, 20 equal bins over their joint range

A margin is log p / (1 - p) of the right answer, cut to +-100. One model has none: several seeds of both are needed, so
that this is no column of a run but a function over many. The authors' function is for KL(unlearnt || retrained), with
1e-5 at least in each bin of the second; their script hands the retrained margins over first. Here it is as the function
says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_BINS, _CUT, _LEAST = 20, 100.0, 1e-5


@dataclass(frozen=True, slots=True)
class Klom:
    """Over examples: the mean, the 95th percentile, and each example's."""

    mean: float
    high: float
    values: tuple[float, ...]


def klom(unlearnt: Sequence[Sequence[float]], retrained: Sequence[Sequence[float]]) -> Klom:
    """Of margins (models, examples); the two may have different numbers of models.

    Raises:
        ValueError: fewer than two models of a kind, or other examples.
    """
    own, other = (np.clip(np.asarray(m, dtype=float), -_CUT, _CUT) for m in (unlearnt, retrained))
    if own.ndim != 2 or other.ndim != 2 or min(len(own), len(other)) < 2 or own.shape[1] != other.shape[1]:
        raise ValueError("KLoM takes the margins of the same examples under two models of each kind at least")
    values = tuple(_divergence(a, b) for a, b in zip(own.T, other.T, strict=True))
    return Klom(float(np.mean(values)), float(np.percentile(values, 95)), values)


def _divergence(own: np.ndarray, other: np.ndarray) -> float:
    low, high = min(own.min(), other.min()), max(own.max(), other.max())
    if low == high:
        return 0.0
    p, q = (np.histogram(m, _BINS, (low, high))[0] / len(m) for m in (own, other))
    q = np.maximum(q, _LEAST)
    at = p > 0
    return float(np.sum(p[at] * np.log(p[at] / q[at])))
