"""Asking many times at a high temperature: what one answer keeps back another may tell.

The best of n draws is leak@n (Reisizadeh et al., 2025, arXiv 2511.04934), with ROUGE-L's recall for what is said:

    sampling      = mean over questions of max_{j <= n} recall(text_j, true answer),   n = 16
    sampling_mean = mean over questions of mean_{j <= n} recall(text_j, true answer),  n = 4

The best grows with n for a model that knows nothing too, so read it beside the retained model's; a mean does not, and
needs fewer draws. Both numbers of draws and a temperature of 1.2 are ours: as many as a processor bears for each row.
"""

from __future__ import annotations

import statistics

from benchmarks.attacks.attack import Access, Active
from benchmarks.attacks.leaking import drawn_recalls
from benchmarks.attacks.victim import Victim
from benchmarks.metrics.metric import Measured, Undefined, mean
from benchmarks.models.generating import Sampling

_DRAWS, _TEMPERATURE = 16, 1.2
_FOR_MEAN = 4
_PAPER = "Reisizadeh et al., 2025, arXiv 2511.04934"


def best(victim: Victim, draws: int = _DRAWS, temperature: float = _TEMPERATURE) -> Measured | Undefined:
    """ROUGE-L's recall of the best draw, the mean over questions."""
    found = drawn_recalls(victim, Sampling(draws, temperature, seed=victim.seed))
    if isinstance(found, Undefined):
        return found
    return mean([max(each) for each in found], f"the best of {draws} draws at temperature {temperature}")


def usual(victim: Victim, draws: int = _FOR_MEAN, temperature: float = _TEMPERATURE) -> Measured | Undefined:
    """ROUGE-L's recall of all draws, the mean over questions."""
    found = drawn_recalls(victim, Sampling(draws, temperature, seed=victim.seed))
    if isinstance(found, Undefined):
        return found
    return mean([statistics.fmean(each) for each in found], f"{draws} draws at temperature {temperature}")


SAMPLING = Active("asked many times", _PAPER, Access.QUESTIONS, best)
MEAN = Active("drawn answers, the mean", _PAPER, Access.QUESTIONS, usual)
