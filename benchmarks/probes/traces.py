"""Whether a row's answers can be told from the target's: the traces that unlearning leaves.

Chen et al., 2025, "Unlearning Isn't Invisible: Detecting Unlearning Traces in LLMs from Model Outputs" (arXiv
2506.14003): a classifier that was shown answers of both names the model behind an answer to a question it was not
shown, on forget-relevant prompts (the forget set) and on irrelevant ones (the retain set):

    text     what was said, greedily: n-grams of words and of signs, tf-idf, logistic regression
    logits   how the true answer is predicted: 8 features of its tokens' log p and entropies, logistic regression

The figure is the accuracy, cross-validated over questions, a question's two answers in one fold; 0.5 is chance, and a
row whose answers are the target's own comes to 0.5 exactly. On relevant prompts a model that never learnt is told apart
as well, so that the retained model's row is the measure there; irrelevant prompts should not tell. Accuracy under 0.5
is no telling either: what a fold has by chance its training set lacks.

The paper fine-tunes a language model on thousands of answers, and looks at activations before the logits; the n-grams
are those of ``benchmarks.guarded.telling``, the features of logits ours: mean, least, first and last log p, share of
greedy tokens, mean and first entropy, mean spread. With a few dozen questions a detector of this size is a lower bound
on what can be told; see the standard error. A guard's row is read through the guard.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.attacks.victim import Victim
from benchmarks.guarded.telling import Fold, by_words, divided
from benchmarks.metrics.metric import Measured, Undefined, mean
from benchmarks.metrics.reading import Reading, Scored
from benchmarks.metrics.whole import whole
from benchmarks.probes.probe import Probe

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Look = Callable[[Reading], Any]
Judged = Callable[[Sequence[Any], "npt.NDArray[np.intp]", Sequence[Fold]], "npt.NDArray[np.bool_]"]

_LEAST = 5  # questions, for as many folds


def told(victim: Victim, of: str, look: Look, what: str, judged: Judged) -> Measured | Undefined:
    """How often the right model is named by what ``look`` sees of a reading; a value for each question.

    ``what``: it is called where it is missing. ``judged``: tells which are named rightly, the row's first.
    """
    import numpy as np

    sides = [whole(readings, of, look, what) for readings in (victim.readings, victim.target_readings)]
    given: list[Any] = []
    for side in sides:
        if isinstance(side, Undefined):
            return side
        given += side
    count = len(given) // 2
    if count < _LEAST:
        return Undefined(f"{count} questions are too few to learn from and to judge")
    truth = np.repeat([0, 1], [count, count])
    right = judged(given, truth, list(divided(truth, [*range(count), *range(count)], victim.seed)))
    values = [(float(right[at]) + float(right[at + count])) / 2 for at in range(count)]
    return mean(values, "chance 0.5")


def features(scored: Scored) -> tuple[float, ...]:
    """What of a predicted answer is looked at."""
    n, logs = len(scored.log_probs), scored.log_probs
    entropies = [-each for each in scored.mean]
    return (math.fsum(logs) / n, min(logs), logs[0], logs[-1], sum(scored.greedy) / n,
            math.fsum(entropies) / n, entropies[0], math.fsum(scored.spread) / n)  # fmt: skip


def _by_numbers(
    rows: Sequence[tuple[float, ...]], truth: npt.NDArray[np.intp], parts: Sequence[Fold]
) -> npt.NDArray[np.bool_]:
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table, right = np.asarray(rows), np.zeros(len(rows), dtype=bool)
    for learn, test in parts:
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        right[test] = model.fit(table[learn], truth[learn]).predict(table[test]) == truth[test]
    return right


def _text(reading: Reading) -> str | None:
    return reading.text


def _features(reading: Reading) -> tuple[float, ...] | None:
    return None if reading.answer is None else features(reading.answer)


_PAPER = "Chen et al., 2025, arXiv 2506.14003"
_BY_TEXT = partial(told, look=_text, what="answer in words", judged=by_words)
_BY_LOGITS = partial(told, look=_features, what="predicted answer", judged=_by_numbers)
TEXT = Probe("told from the target by answers, forget", _PAPER, "retained", "robustness",
             partial(_BY_TEXT, of="forget"))  # fmt: skip
TEXT_RETAIN = Probe("told from the target by answers, retain", _PAPER, "low", "robustness",
                    partial(_BY_TEXT, of="retain"))  # fmt: skip
LOGITS = Probe("told from the target by logits, forget", _PAPER, "retained", "robustness",
               partial(_BY_LOGITS, of="forget"))  # fmt: skip
LOGITS_RETAIN = Probe("told from the target by logits, retain", _PAPER, "low", "robustness",
                      partial(_BY_LOGITS, of="retain"))  # fmt: skip
