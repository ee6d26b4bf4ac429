"""SSD, selective synaptic dampening (Foster et al., 2023, arXiv 2308.07707; for corrections: Goel et al., 2402.14015).

    F_D = mean over pairs of (d CE / d theta)^2, the diagonal of the Fisher information
    theta <- theta min(1, lambda F_all / F_f) where F_f > alpha F_all

CE is the mean over a pair's answer tokens, and a pair is a batch, so that squares are not of means. Defaults of the
papers: alpha 10, lambda 1. Theirs is F_all over the whole training set, of which D_f is a small part. Here it may be a
third, and as F_all >= q F_f for a share q, alpha >= 1 / q would choose nothing: so F_all is taken over the retain set,
which is the same in the limit of a small D_f. ``whole`` takes it over both.

Alpha is to be chosen for the model. Of one that knows both sets by heart, F_f was 12 times F_all on the whole (135M
parameters, 20 and 40 pairs): alpha 10 took the model apart, 1000 changed 0.3 % of the weights and left it usable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.data.corpus import Item
from benchmarks.methods.gradients import mean_gradient
from benchmarks.methods.method import Basis, Card, Intent, Method, Unlearning

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Ssd:
    """alpha: how much more a weight must matter to D_f. dampening: lambda. whole: F_all over forget and retain set."""

    alpha: float = 10.0
    dampening: float = 1.0
    whole: bool = False


def run(work: Unlearning) -> Any:
    """The target model, in place.

    Raises:
        ValueError: a set is empty, or alpha is so high that no weight could be chosen.
    """
    import torch

    options, forget, retain = work.options, work.corpus.forget, work.corpus.retain
    if not forget or not retain:
        raise ValueError("ssd compares the forget set with the retain set, and one is empty")
    share = len(forget) / (len(forget) + len(retain))
    if options.whole and options.alpha * share >= 1:
        raise ValueError(f"alpha {options.alpha} chooses no weight: for this forget set it must be under {1 / share:g}")
    model = work.model.eval().requires_grad_(True)
    ours, others = importance(work, forget), importance(work, retain)
    with torch.no_grad():
        for parameter, f, r in zip(model.parameters(), ours, others, strict=True):
            everyone = share * f + (1 - share) * r if options.whole else r
            parameter *= damped(f, everyone, options)
    return model


def importance(work: Unlearning, items: Sequence[Item]) -> list[torch.Tensor]:
    """The diagonal Fisher information of each parameter over ``items``, in the parameters' shapes."""
    return mean_gradient(work, items, power=2)


def damped(forget: torch.Tensor, everyone: torch.Tensor, options: Ssd) -> torch.Tensor:
    """By what each weight is multiplied."""
    import torch

    chosen = forget > options.alpha * everyone
    factor = (options.dampening * everyone / forget.clamp_min(torch.finfo(forget.dtype).tiny)).clamp_max(1)
    return torch.where(chosen, factor, torch.ones_like(factor))


METHOD = Method(
    Card("SSD", "Foster et al., 2023, arXiv 2308.07707", "weights", Intent.REMOVE,
         "weights that matter to the forget set alone", Basis.PAPER, (29,)), Ssd, run,
)  # fmt: skip
