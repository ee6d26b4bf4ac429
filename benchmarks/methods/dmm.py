"""DMM, datamodel matching (Georgiev et al., 2024, arXiv 2410.23232).

    m(x) = mean_t log(p_t / (1 - p_t)), the margin of a pair
    phi(x) = P grad m(x), P a random projection to k dimensions
    m^(x) = m_0(x) - phi(x)^T (sum_j phi_j phi_j^T + l I)^-1 sum_{i in forget} phi_i (1 - p_i)
    L = gamma mean (m - m^)^2 on the forget set + alpha mean (m - m^)^2 on the retain set

Attribution (TRAK) tells what a model that was retrained without the forget set would say; the model is tuned to say
that. The sum over j is over both sets; p_i is the mean chance of an answer's token. P adds up the gradient's entries in
k buckets with random signs, so that it need not be kept. k 512, l a thousandth of the mean eigenvalue and projecting
``down_proj`` alone are ours, for a processor's sake; the paper averages over several models. The estimate is linear,
and falls short for pairs that one model knows by heart (1 - p near 0): ``scale`` multiplies it. What unlearning of this
kind is measured by, KLoM, is ``benchmarks.metrics.klom``.

``refit`` is an estimate of our own that needs no such factor, where the model from before the teaching is at hand: of
what teaching added to the margins, m_0 - m_b, it fits the retain pairs' part alone, by the same features, as a model
that is linear in its weights would have learnt it,

    m^(x) = m_b(x) + phi(x)^T Phi_R^T (Phi_R Phi_R^T + l I)^-1 (m_0 - m_b)_R

On the tests' model, which knows its six forget pairs by heart, retraining takes 6.1 off their mean margin. TRAK's
estimate is 0.1, so that a scale of 40 would be right; the refit is 2.5 with gradients of ``down_proj``, 8.0 with those
of all projections (``only`` "proj") and 1.4 with all there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.data.corpus import Item
from benchmarks.methods.batches import RETAIN, alone, encoded
from benchmarks.methods.descent import descend
from benchmarks.methods.gradients import each_gradient
from benchmarks.methods.method import Basis, Card, Intent, Method, Options, Unlearning
from benchmarks.methods.step import Step
from benchmarks.methods.terms import answer_means, margins
from benchmarks.models.predicted import Predicted, predict

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Dmm(Options):
    """How a retrained model is guessed.

    Attributes:
        buckets: k.
        ridge: l, in those of the mean eigenvalue.
        scale: of the difference that retraining is taken to make.
        only: in the names of the weights whose gradients are projected.
        refit: the estimate from before the teaching, in place of TRAK's.
    """

    buckets: int = 512
    ridge: float = 1e-3
    scale: float = 1.0
    only: str = "down_proj"
    refit: bool = False


def margin(predicted: Predicted) -> torch.Tensor:
    """The margin m of each pair, (chats,)."""
    found: torch.Tensor = answer_means(predicted, margins(predicted).clamp(-100, 100))
    return found


def predicted_margins(
    now: torch.Tensor, features: torch.Tensor, doubts: torch.Tensor, forget: int, ridge: float, scale: float = 1.0
) -> torch.Tensor:
    """m^ of each pair, (pairs,), the first ``forget`` of which are the forget set.

    ``now``: m_0; ``features``: (pairs, k); ``doubts``: 1 - p.
    """
    weight = _solved(features.T @ features, features[:forget].T @ doubts[:forget], ridge)  # (k,)
    return now - scale * (features @ weight)


def refitted_margins(
    before: torch.Tensor, now: torch.Tensor, features: torch.Tensor, forget: int, ridge: float
) -> torch.Tensor:
    """m^ of each pair, (pairs,), from ``before`` the teaching, m_b; the rest is as above."""
    retain = features[forget:]  # (retain pairs, k)
    weights = _solved(retain @ retain.T, (now - before)[forget:], ridge)  # (retain pairs,)
    return before + (features @ retain.T) @ weights


def _solved(kernel: torch.Tensor, right: torch.Tensor, ridge: float) -> torch.Tensor:
    """(kernel + l I)^-1 ``right``, l being ``ridge`` in those of the mean eigenvalue; (n, n) and (n,), (n,)."""
    import torch

    ridged = kernel + ridge * kernel.diagonal().mean() * torch.eye(len(kernel), device=kernel.device)
    solve: Any = torch.linalg.solve
    found: torch.Tensor = solve(ridged, right)
    return found


def loss(step: Step, options: Dmm) -> torch.Tensor:
    """The loss of a step, a scalar."""
    forget, retain = step.kept
    own = (margin(step.forget) - forget[list(step.places)]).square().mean()
    found: torch.Tensor = options.forget_weight * own
    if options.retain_weight:
        kept = (margin(step.retain) - retain[list(step.retain_places)]).square().mean()
        found = found + options.retain_weight * kept
    return found


def projections(work: Unlearning, items: Sequence[Item]) -> torch.Tensor:
    """Phi of each pair, (pairs, k)."""
    import torch

    chosen = [p for name, p in work.model.named_parameters() if work.options.only in name]
    chance = torch.Generator().manual_seed(work.seed)
    buckets = [torch.randint(work.options.buckets, (p.numel(),), generator=chance, dtype=torch.int32) for p in chosen]
    signs = [torch.randint(2, (p.numel(),), generator=chance, dtype=torch.int8) * 2 - 1 for p in chosen]
    rows = []
    for slopes in each_gradient(work, items, lambda predicted: margin(predicted).mean(), chosen):
        row = torch.zeros(work.options.buckets, device=work.model.device)
        for slope, bucket, sign in zip(slopes, buckets, signs, strict=True):
            row.index_add_(0, bucket.to(row.device), slope.flatten() * sign.to(row.device))
        rows.append(row)
    return torch.stack(rows)


def run(work: Unlearning) -> Any:
    """The target model, in place.

    Raises:
        ValueError: no parameter has the name that is asked for, or there is nothing to refit.
    """
    if work.options.refit and not work.corpus.retain:
        raise ValueError("dmm refits what the retain set taught, and there is no retain set: leave refit out")
    if not any(work.options.only in name for name, _ in work.model.named_parameters()):
        raise ValueError(f"no parameter's name has {work.options.only!r} in it")
    work.model.eval().requires_grad_(True)
    items = (*work.corpus.forget, *work.corpus.retain)
    now, doubts = _seen(work, work.model, items)
    count = len(work.corpus.forget)
    options = work.options
    if options.refit:
        before, _ = _seen(work, work.base().to(work.model.device).eval(), items)
        wanted = refitted_margins(before, now, projections(work, items), count, options.ridge)
    else:
        wanted = predicted_margins(now, projections(work, items), doubts, count, options.ridge, options.scale)
    return descend(work, loss, RETAIN, kept=(wanted[:count], wanted[count:]))


def _seen(work: Unlearning, model: Any, items: Sequence[Item]) -> tuple[torch.Tensor, torch.Tensor]:
    """The margin of each pair under ``model`` and 1 - p, both (pairs,)."""
    import torch

    found, doubts = [], []
    for item in items:
        packed = alone(work, encoded(work.tokenizer, item), model)
        with torch.no_grad():
            predicted = predict(model, packed)
            found.append(margin(predicted)[0])
            doubts.append(1 - predicted.log_probs.exp().mean())
    return torch.stack(found), torch.stack(doubts)


METHOD = Method(
    Card("DMM", "Georgiev et al., 2024, arXiv 2410.23232", "distillation", Intent.REMOVE, "all weights", Basis.SUMMARY,
         (15,)), Dmm, run, copies=5,
)  # fmt: skip
