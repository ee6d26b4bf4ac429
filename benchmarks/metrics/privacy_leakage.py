"""Privacy leakage (MUSE, Shi et al., 2025, arXiv 2407.06460).

``((1 - AUC) - (1 - AUC of the retained model)) / (1 - AUC of the retained model) * 100`` with the AUC of min-k %. Near
0 the forget set is told from held-out answers as much as in the retained model; below, it is under-unlearnt, above,
over-unlearnt.
"""

from __future__ import annotations

from benchmarks.metrics.membership import above, by_min_k, pairs, resampled
from benchmarks.metrics.metric import Measured, Metric, Undefined
from benchmarks.metrics.reading import Subjects


def privacy_leakage(subjects: Subjects) -> Measured | Undefined:
    """The leakage, with the standard error of a bootstrap that draws the same examples for both models."""
    import numpy as np

    found = pairs(subjects, by_min_k)
    if isinstance(found, Undefined):
        return found
    own, retained = found
    tables = [above(*own), above(*retained)]
    mine, theirs = (float(1 - table.mean()) for table in tables)
    if theirs == 0:
        return Undefined("the retained model itself tells all of the forget set from held-out answers")
    one, other = (1 - draws for draws in resampled(tables))
    draws = 100 * (one - other)[other > 0] / other[other > 0]
    count = len(own[0]) + len(own[1])
    return Measured(100 * (mine - theirs) / theirs, float(np.std(draws, ddof=1)), count, (),
                    f"AUC {1 - mine:.3f}, the retained model's {1 - theirs:.3f}")  # fmt: skip


LEAKAGE = Metric("privacy leakage (%)", "Shi et al., 2025, arXiv 2407.06460", "retained", "privacy", privacy_leakage)
