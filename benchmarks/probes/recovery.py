"""Whether what was forgotten can be read off the weights (PAPERS.md, row 1): a probe on frozen hidden states.

The hidden states along a question's true answer are to be told from those along another's: by a linear probe (logistic
regression) and by the nearest neighbours (k 3), cross-validated over items, an item's two answers in one fold. Who
knows the facts is surprised by the false ones. 0.5 is chance; the retained model shows what wording alone gives away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Item
from benchmarks.metrics.metric import Measured, Undefined, mean
from benchmarks.probes.probe import Probe
from benchmarks.probes.seeing import states


def swapped(items: Sequence[Item]) -> list[Item]:
    """Each question with the answer of another item whose own it is not; an item without such is left out."""
    found = []
    for place, item in enumerate(items):
        others = [other.answer for other in (*items[place + 1 :], *items[:place]) if other.answer != item.answer]
        if others:
            found.append(replace(item, answer=others[0]))
    return found


def recovered(victim: Victim, of: str, by: str) -> Measured | Undefined:
    """The share of answers that the probe tells true from false, from the middle layer."""
    import numpy as np

    items = victim.sets.get(of, ())
    false = swapped(items)
    if len(items) < 4 or len(false) != len(items):
        return Undefined(f"the set {of!r} has too few items for a probe to learn from")
    model = victim.load()
    layers = [states(victim, model, each) for each in (items, false)]
    if not all(layers) or len(layers[0][0]) != len(items) or len(layers[1][0]) != len(items):
        return Undefined("the guard does not ask the model everything")
    middle = len(layers[0]) // 2
    rows = np.concatenate([each[middle].numpy() for each in layers])
    labels = np.repeat([1, 0], len(items))
    groups = np.tile(np.arange(len(items)), 2)  # an item's two answers stay in one fold
    return mean(_right(rows, labels, groups, by), f"layer {middle}; chance is 0.5")


def _right(rows: Any, labels: Any, groups: Any, by: str) -> list[float]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    kind = LogisticRegression(max_iter=1000) if by == "linear" else KNeighborsClassifier(3)
    folds = GroupKFold(min(5, len(set(groups.tolist()))))
    told = cross_val_predict(make_pipeline(StandardScaler(), kind), rows, labels, groups=groups, cv=folds)
    return [float(a == b) for a, b in zip(told, labels, strict=True)]


_PAPER = "PAPERS.md, row 1"
LINEAR = Probe("told true from false by a linear probe, forget", _PAPER, "retained", "representation",
               partial(recovered, of="forget", by="linear"))  # fmt: skip
NEIGHBOURS = Probe("told true from false by nearest neighbours, forget", _PAPER, "retained", "representation",
                   partial(recovered, of="forget", by="neighbours"))  # fmt: skip
