"""Whether a classifier can tell two models by their answers alone (unlearning traces, arXiv 2506.14003)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.estimate import Proportion
from classifiers.types import Encoder

FOLDS = 5
_WORDS = r"\S+"
Fold = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]  # rows to learn from, rows to judge


@dataclass(frozen=True, slots=True)
class Telling:
    """How often a classifier named the right one of two, on prompts that it was not trained on."""

    prompts: str
    sides: tuple[str, str]
    features: str
    accuracy: Proportion
    hidden: bool | None = None  # whether it must not tell

    @property
    def met(self) -> bool | None:
        """Whether what must not be told cannot be told: the interval reaches down to half.

        An accuracy below half tells nothing either: cross-validation on texts that do not differ gives somewhat
        less than half, since what a fold has by chance its training set lacks.
        """
        return None if self.hidden is None else self.accuracy.low <= 0.5

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"prompts": self.prompts, "sides": list(self.sides), "features": self.features,
                "accuracy": self.accuracy.plain(), "met": self.met}  # fmt: skip


def tell(
    prompts: str, sides: tuple[str, str], texts: tuple[Sequence[str], Sequence[str]], groups: Sequence[int],
    encoder: Encoder, *, hidden: bool | None = None, seed: int = 0,
) -> Iterator[Telling]:  # fmt: skip
    """A logistic regression for each kind of features, cross-validated.

    Args:
        prompts: what was asked, in words.
        sides: the two models' names.
        texts: their answers, each to the same prompts in the same order.
        groups: of each prompt; answers of one group are never in training and in test at once.
        encoder: for the sentence embeddings.
        hidden: whether the two must not be told apart.
        seed: of the division into folds.
    """
    both = [*texts[0], *texts[1]]
    truth = np.repeat([0, 1], [len(texts[0]), len(texts[1])])
    folds = list(divided(truth, [*groups, *groups], seed))
    for name, judged in (("embedding", _by_embedding(encoder)), ("tf-idf", by_words)):
        right = judged(both, truth, folds)
        yield Telling(prompts, sides, name, Proportion.of([bool(r) for r in right]), hidden)


def markdown(tellings: Sequence[dict[str, Any]]) -> str:
    """The report's JSON as a table for a README."""
    lines: list[tuple[str, ...]] = [("prompts", "told apart", "features", "accuracy", ""), ("---",) * 5]
    for t in tellings:
        a = t["accuracy"]
        figure = f"{a['value']:.1%} ({a['hits']}/{a['n']}, {a['low']:.1%} to {a['high']:.1%})"
        met = "" if t["met"] is None else "cannot tell" if t["met"] else "TELLS"
        lines.append((t["prompts"], " from ".join(t["sides"]), t["features"], figure, met))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def divided(truth: npt.NDArray[np.intp], groups: Sequence[int], seed: int) -> Iterator[Fold]:
    """``FOLDS`` ways to learn from most rows and judge the others; those of a group stay together."""
    from sklearn.model_selection import GroupKFold

    split = GroupKFold(n_splits=FOLDS, shuffle=True, random_state=seed)
    yield from split.split(truth, truth, groups)


Judged = Callable[[Sequence[str], npt.NDArray[np.intp], Sequence[Fold]], npt.NDArray[np.bool_]]


def _by_embedding(encoder: Encoder) -> Judged:
    def judged(
        texts: Sequence[str], truth: npt.NDArray[np.intp], folds: Sequence[Fold]
    ) -> npt.NDArray[np.bool_]:  # fmt: skip
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        vectors = encoder.encode([text or " " for text in texts])  # (texts, dim)
        right = np.zeros(len(texts), dtype=bool)
        for learn, test in folds:
            model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=2000))
            right[test] = model.fit(vectors[learn], truth[learn]).predict(vectors[test]) == truth[test]
        return right

    return judged


def by_words(
    texts: Sequence[str], truth: npt.NDArray[np.intp], folds: Sequence[Fold]
) -> npt.NDArray[np.bool_]:  # fmt: skip
    """Whether each text is named rightly by n-grams of its words and signs."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    right = np.zeros(len(texts), dtype=bool)
    for learn, test in folds:
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=_WORDS)
        signs = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
        model = make_pipeline(make_union(words, signs), LogisticRegression(C=10.0, max_iter=2000))
        model.fit([texts[i] for i in learn], truth[learn])
        right[test] = model.predict([texts[i] for i in test]) == truth[test]
    return right
