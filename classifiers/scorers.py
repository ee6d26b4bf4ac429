"""Ways to make one score of the evidence. Adding one: write the class and put a line in ``SCORERS``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from classifiers import score as rule
from classifiers.prompt_classifier import PromptClassifier
from classifiers.score import SURE_NAME, Signals


class Scorer(Protocol):
    """A score in [0, 1] for the signals of one entry in one window. Immutable."""

    @property
    def name(self) -> str:
        """As it is chosen."""
        ...

    @property
    def threshold(self) -> float:
        """Where an entry counts as meant unless its list says otherwise."""
        ...

    @property
    def everywhere(self) -> bool:
        """Whether every window is to be encoded and compared, named or not."""
        ...

    @property
    def classifier(self) -> PromptClassifier | None:
        """The trained classifier to ask about every window, if any."""
        ...

    def score(self, signals: Signals) -> float:
        """The score."""
        ...


@dataclass(frozen=True, slots=True)
class Rule:
    """``classifiers.score``: no training."""

    name: str = "rule"
    threshold: float = rule.DEFAULT_THRESHOLD
    everywhere: bool = False
    classifier: PromptClassifier | None = None

    def score(self, signals: Signals) -> float:
        """See ``classifiers.score.score``."""
        return rule.score(signals)


@dataclass(frozen=True, slots=True)
class Dragon:
    """DRAGON's rule for private records (arXiv 2511.05784, section 4): ``EM(x) + max cos + 1[p_F(x) > tau1] > tau``.

    The sum lies in [0, 3]; a third of it is the score. The paper gives tau as robust from 0.7 to 0.9 on TOFU, and
    no tau1: 0.8 and 0.5 are ours. Without a trained classifier p_F is 0.
    """

    classifier: PromptClassifier | None = None
    name: str = "dragon"
    threshold: float = 0.8 / 3
    everywhere: bool = True
    tau1: float = 0.5

    def score(self, signals: Signals) -> float:
        """A third of the sum."""
        named = signals.name >= SURE_NAME
        indicated = signals.trained is not None and signals.trained > self.tau1
        return (named + min(max(signals.cosine, 0.0), 1.0) + indicated) / 3


@dataclass(frozen=True, slots=True)
class Trained:
    """ECO's way (arXiv 2406.07933): what a fine-tuned classifier says of the prompt, and nothing else."""

    classifier: PromptClassifier
    everywhere: bool = True

    @property
    def name(self) -> str:
        """As it is chosen."""
        return f"trained:{self.classifier.name}"

    @property
    def threshold(self) -> float:
        """The one that training chose on held-out texts."""
        return self.classifier.threshold

    def score(self, signals: Signals) -> float:
        """The classifier's probability."""
        return signals.trained or 0.0


# Rule scores at 0.5 +- 0.1 become probabilities of 0.77 and 0.23.
_STEEPNESS = 12.0
_FEATURES = 9


def _prior() -> npt.NDArray[np.float64]:
    weights = np.zeros(_FEATURES)
    weights[-1] = _STEEPNESS
    return weights


@dataclass(frozen=True, slots=True)
class Head:
    """Logistic regression over all evidence, fitted again by ``classifiers.fitting`` when a list changes.

    Its prior is the rule: without examples it decides as the rule does, and examples bend it.
    """

    weights: tuple[float, ...] = tuple(_prior())
    name: str = "head"
    threshold: float = rule.DEFAULT_THRESHOLD
    everywhere: bool = False
    classifier: PromptClassifier | None = None

    def score(self, signals: Signals) -> float:
        """The fitted log-odds in the rule's units, so that a threshold means the same under both."""
        odds = float(features(signals) @ np.asarray(self.weights))
        return min(1.0, max(0.0, self.threshold + odds / _STEEPNESS))

    @classmethod
    def fit(cls, signals: Sequence[Signals], about: Sequence[bool], *, ridge: float = 4.0) -> Self:
        """The maximum a posteriori by Newton's method, the prior gaussian around the rule.

        Args:
            signals: the evidence of each example.
            about: whether the example is about its entry.
            ridge: precision of the prior.
        """
        if not signals:
            return cls()
        x = np.stack([features(s) for s in signals])  # (examples, features)
        y = np.asarray(about, np.float64)
        prior = _prior()
        weights = prior.copy()
        for _ in range(30):
            p = _logistic(x @ weights)
            gradient = x.T @ (y - p) - ridge * (weights - prior)
            hessian = (x * (p * (1 - p))[:, None]).T @ x + ridge * np.eye(_FEATURES)
            step = np.linalg.solve(hessian, gradient)
            weights += step
            if np.abs(step).max() < 1e-6:
                break
        return cls(tuple(map(float, weights)))


def _logistic(value: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(value, -30, 30))))


def features(signals: Signals) -> npt.NDArray[np.float64]:
    """``(9,)``: a constant, the signals and the products that a linear model cannot make, the rule's score last."""
    sure = float(signals.name >= SURE_NAME)
    subject = float(signals.scope == "subject")
    bare = signals.bare if signals.bare is not None else signals.cosine
    return np.asarray(
        [1.0, sure * subject, sure * (1 - subject) * signals.cosine, sure * (1 - subject) * bare,
         signals.name * (1 - sure) * signals.cosine, min(signals.described, 3.0) * (1 - signals.contradicted),
         signals.free * signals.cosine, float(signals.contradicted), rule.score(signals) - 0.5]
    )  # fmt: skip


SCORERS: dict[str, Callable[[], Scorer]] = {"head": Head, "rule": Rule, "dragon": Dragon}
TRAINED = "trained:"


def create_scorer(name: str, trained: Path | None = None) -> Scorer:
    """The scorer called ``name``.

    ``trained:NAME`` is the classifier NAME under ``trained``, alone; ``dragon:NAME`` is DRAGON's rule with it.

    Raises:
        ValueError: there is none, or the classifier cannot be used; the message says what to do.
        RuntimeError: torch is not installed.
    """
    kind, _, own = name.partition(":")
    if own and kind in ("trained", "dragon"):
        if trained is None:
            raise ValueError(f"{name!r} needs the folder of trained classifiers")
        classifier = PromptClassifier.named(own, trained)
        return Trained(classifier) if kind == "trained" else Dragon(classifier)
    if name not in SCORERS:
        known = [*sorted(SCORERS), "trained:NAME", "dragon:NAME"]
        raise ValueError(f"unknown scorer {name!r}; there are {', '.join(known)}")
    return SCORERS[name]()
