"""WAGLE, weights chosen by attribution (Jia et al., 2024, arXiv 2410.17509).

    S_i = |(theta_i - g_r,i / gamma) g_f,i|

g_f and g_r are the gradients of CE on the forget and the retain set at the target model. One ranking over all
parameters; the top ``share`` is changed, by the loss of any other method, and the rest keeps its values: a mask on the
gradients, made once. gamma stands for the diagonal of the retain loss's Hessian. Defaults from the authors' settings
for TOFU: gamma 1e-6, with which the second term rules, and share 0.95. With gamma to infinity it is |theta g_f|, SNIP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.methods.descent import descend
from benchmarks.methods.gradients import mean_gradient
from benchmarks.methods.method import Basis, Card, Intent, Method, Training, Unlearning
from benchmarks.methods.over import borrowed, underlying
from benchmarks.methods.step import Step

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Wagle(Training):
    """How to choose; there is no low-rank update, since single weights are chosen.

    Attributes:
        over: the method whose loss is minimised.
        gamma: the retain loss's curvature.
        share: of the parameters that change.
    """

    over: str = "grad_diff"
    gamma: float = 1e-6
    share: float = 0.95


def scores(weight: torch.Tensor, forget: torch.Tensor, retain: torch.Tensor, gamma: float) -> torch.Tensor:
    """S, of the shape of all three."""
    return ((weight - retain / gamma) * forget).abs()


def masks(found: Sequence[torch.Tensor], share: float) -> list[torch.Tensor]:
    """The ``share`` with the highest scores of all, as booleans in their shapes."""
    import torch

    every = torch.cat([one.flatten() for one in found])
    left = min(len(every), max(0, round((1 - share) * len(every))))
    if not left:
        return [torch.ones_like(one, dtype=torch.bool) for one in found]
    least = every.kthvalue(left).values
    return [one > least for one in found]


def masked(step: Step, options: Any, parameters: Sequence[Any]) -> None:
    """Leave the gradients of what was chosen (``step.kept``)."""
    for parameter, mask in zip(parameters, step.kept, strict=True):
        if parameter.grad is not None:
            parameter.grad.mul_(mask)


def run(work: Unlearning) -> Any:
    """The target model, in place."""
    import torch

    options: Wagle = work.options
    work.model.eval().requires_grad_(True)
    forget, retain = (mean_gradient(work, items) for items in (work.corpus.forget, work.corpus.retain))
    with torch.no_grad():
        found = [
            scores(weight.float(), f, r, options.gamma)
            for weight, f, r in zip(work.model.parameters(), forget, retain, strict=True)
        ]
    del forget, retain
    chosen = masks(found, options.share)
    del found
    return descend(work, borrowed, underlying(options.over, options)[0].needs, kept=chosen, edit=masked)


METHOD = Method(
    Card("WAGLE", "Jia et al., 2024, arXiv 2410.17509", "weights", Intent.REMOVE, "weights chosen by attribution",
         Basis.CODE, (27,)), Wagle, run, copies=7,
)  # fmt: skip
