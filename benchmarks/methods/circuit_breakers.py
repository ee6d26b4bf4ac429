"""Circuit breakers, representation rerouting (Zou et al., 2024, arXiv 2406.04313).

    L = c_s mean relu(cos(h, h_0)) on the forget set + c_r mean ||h - h_0|| on the retain set
    c_s = a (1 - t / 2T), c_r = a t / 2T

h and h_0 are the outputs of the chosen layers, of the model and of the target, where the next token is an answer's; t
of T is the step. What the forget set's activations were is turned away from, those of the retain set are held. Defaults
as reported for Llama-3-8B: layers 10 and 20, a 10. Theirs is a LoRA of rank 16 below layer 21, over all
tokens; here LoRA is an option as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.methods.batches import Needs
from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options
from benchmarks.methods.step import Step

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class CircuitBreakers(Options):
    """layers: whose outputs are turned, counted from 0. alpha: a."""

    layers: tuple[int, ...] = (10, 20)
    alpha: float = 10.0


def loss(step: Step, options: CircuitBreakers) -> torch.Tensor:
    """The loss of a step, a scalar."""
    import torch

    late = step.at / (2 * step.steps)
    turned = torch.stack([
        torch.nn.functional.cosine_similarity(own, before, -1).relu().mean()
        for own, before in _outputs(step, "forget", options)
    ]).mean()  # fmt: skip
    found = options.forget_weight * options.alpha * (1 - late) * turned
    if options.retain_weight:
        held = torch.stack([(own - before).norm(dim=-1).mean() for own, before in _outputs(step, "retain", options)])
        found = found + options.retain_weight * options.alpha * late * held.mean()
    return found


def _outputs(step: Step, name: str, options: CircuitBreakers) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The layers' outputs of the model and of the target, (answer tokens, dim) each."""
    own, before = step.of(name).hidden, step.frozen.of(name).hidden
    if max(options.layers) >= len(own) - 1:
        raise ValueError(f"circuit_breakers turns layers {options.layers}: the model has {len(own) - 1} from 0 on")
    return [(own[layer + 1].float(), before[layer + 1].float()) for layer in options.layers]


METHOD = by_loss(
    Card("Circuit breakers", "Zou et al., 2024, arXiv 2406.04313", "representation", Intent.SUPPRESS,
         "weights up to one layer", Basis.PAPER, (13,)), loss, CircuitBreakers, Needs(reference=True, hidden=True),
)  # fmt: skip
