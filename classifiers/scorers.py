"""Ways to make one score of the evidence. Adding one: write the class and put a line here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from classifiers import score as rule
from classifiers.score import SURE_NAME, Signals


class Scorer(Protocol):
    """A score in [0, 1] for the signals of one entry in one window."""

    name: str
    threshold: float  # where an entry counts as meant unless its list says otherwise
    everywhere: bool  # whether every window is to be encoded and compared, named or not

    def score(self, signals: Signals) -> float:
        """The score."""
        ...


class Rule:
    """``classifiers.score``: no training, the default."""

    name = "rule"
    threshold = rule.DEFAULT_THRESHOLD
    everywhere = False

    def score(self, signals: Signals) -> float:
        """See ``classifiers.score.score``."""
        return rule.score(signals)


class Dragon:
    """DRAGON's rule for private records (arXiv 2511.05784, section 4): ``EM(x) + max cos``, without its trained term.

    The paper reports its threshold as robust from 0.7 to 0.9 on TOFU; 0.8 is ours.
    """

    name = "dragon"
    threshold = 0.8
    everywhere = True

    def score(self, signals: Signals) -> float:
        """1 where the name occurs, else the cosine."""
        return min(1.0, (signals.name >= SURE_NAME) + max(signals.cosine, 0.0))


class Head:
    """Logistic regression over the signals, fitted anew by ``classifiers.head`` when a list changes.

    Until there is something to fit it on, the rule stands in.
    """

    name = "head"
    threshold = rule.DEFAULT_THRESHOLD
    everywhere = False

    def __init__(self, weights: npt.NDArray[np.float64] | None = None) -> None:
        self._weights = weights

    def score(self, signals: Signals) -> float:
        """The fitted probability."""
        if self._weights is None:
            return rule.score(signals)
        return float(1 / (1 + np.exp(-np.clip(features(signals) @ self._weights, -30, 30))))

    @classmethod
    def fit(cls, signals: Sequence[Signals], about: Sequence[bool], *, ridge: float = 0.1) -> Head:
        """Newton's method on the ridge-penalised likelihood.

        Args:
            signals: the evidence of each example.
            about: whether the example is about its entry.
            ridge: penalty of every weight but the constant.
        """
        x = np.stack([features(s) for s in signals])  # (examples, features)
        y = np.asarray(about, np.float64)
        weights = np.zeros(x.shape[1])
        penalty = np.full(x.shape[1], ridge)
        penalty[0] = 1e-6
        for _ in range(30):
            p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
            gradient = x.T @ (y - p) - penalty * weights
            hessian = (x * (p * (1 - p))[:, None]).T @ x + np.diag(penalty)
            step = np.linalg.solve(hessian, gradient)
            weights += step
            if np.abs(step).max() < 1e-6:
                break
        return cls(weights)


def features(signals: Signals) -> npt.NDArray[np.float64]:
    """``(8,)``: a constant, the signals, and the products that a linear model cannot make."""
    sure = float(signals.name >= SURE_NAME)
    subject = float(signals.scope == "subject")
    return np.asarray(
        [1.0, sure, sure * subject, sure * signals.cosine, signals.name * (1 - sure) * signals.cosine,
         min(signals.described, 3.0) * (1 - signals.contradicted), signals.free * signals.cosine,
         rule.score(signals) - 0.5]
    )  # fmt: skip


SCORERS: dict[str, Callable[[], Scorer]] = {"rule": Rule, "dragon": Dragon, "head": Head}


def create_scorer(name: str) -> Scorer:
    """The scorer called ``name``.

    Raises:
        ValueError: there is none.
    """
    if name not in SCORERS:
        raise ValueError(f"unknown scorer {name!r}; there are {', '.join(sorted(SCORERS))}")
    return SCORERS[name]()
