"""KUDA, deviation of knowledge with updates kept from what stays (arXiv 2602.19275).

    trace: how much of log p(answer) comes back when a layer's feed-forward output is restored, the subject being noise
    L = gamma mean relu(cos(h, h_0)) on the forget set + alpha CE(retain), on the traced layers' down_proj W
    dW <- dW (I - (1 - r) U U^T)

Causal tracing (Meng et al., 2022, arXiv 2202.05262) names the layers that hold the facts. There the forget set's
representations h are driven from where they were, and each update is projected into the approximate null space of the
retain set: U are the directions of its features (what W is given) that make the share ``cover`` of their covariance;
r of what lies in them is let through. Projected are each gradient and, since Adam mixes directions, the whole change at
the end. Built from summaries: 3 layers, cover 0.9, r 0.1 and the loss of deviation are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.methods.batches import Needs, alone, encoded
from benchmarks.methods.descent import descend
from benchmarks.methods.method import Basis, Card, Intent, Method, Training, Unlearning
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced
from benchmarks.methods.tracing import traced
from benchmarks.models.hooks import inputs, layers
from benchmarks.models.predicted import predict

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Kuda(Training):
    """What changes and how freely; a low-rank update would leave the null space, so there is none.

    Attributes:
        count: layers that are chosen.
        cover: share of the retain features' covariance that is kept from.
        relaxed: r, share of an update within it that is let through.
    """

    count: int = 3
    cover: float = 0.9
    relaxed: float = 0.1


@dataclass(frozen=True, slots=True)
class Held:
    """The chosen layers, and of each the directions U, (features, directions)."""

    places: tuple[int, ...]
    directions: tuple[torch.Tensor, ...]


def loss(step: Step, options: Kuda) -> torch.Tensor:
    """The loss of a step, a scalar."""
    import torch

    own, before = step.forget.hidden, step.frozen.forget.hidden
    cosine = partial(torch.nn.functional.cosine_similarity, dim=-1)
    near = [cosine(own[place + 1].float(), before[place + 1].float()).relu().mean() for place in step.kept.places]
    return balanced(step, options, torch.stack(near).mean())


def directions(covariance: torch.Tensor, cover: float) -> torch.Tensor:
    """The fewest eigenvectors that make the share ``cover`` of the trace, (features, directions)."""
    import torch

    values, vectors = torch.linalg.eigh(covariance.float())  # ascending
    shares = values.clamp_min(0).flip(0).cumsum(0) / values.clamp_min(0).sum().clamp_min(1e-30)
    count = min(len(values), int((shares < cover).sum()) + 1)
    found: torch.Tensor = vectors.flip(1)[:, :count]
    return found


def projected(change: torch.Tensor, held: torch.Tensor, relaxed: float) -> torch.Tensor:
    """``change`` (rows, features) with only the share ``relaxed`` of it within ``held`` (features, directions)."""
    return change - (1 - relaxed) * (change @ held) @ held.T


def kept_from(step: Step, options: Kuda, parameters: Sequence[Any]) -> None:
    """Project each gradient."""
    for parameter, held in zip(parameters, step.kept.directions, strict=True):
        if parameter.grad is not None:
            parameter.grad = projected(parameter.grad.float(), held, options.relaxed).to(parameter.dtype)


def run(work: Unlearning) -> Any:
    """The target model, in place."""
    import torch

    options = work.options
    work.model.eval().requires_grad_(True)
    places = traced(work, work.corpus.forget, options.count)
    downs = [layers(work.model)[place].mlp.down_proj for place in places]
    held = Held(places, tuple(directions(each, options.cover) for each in _covariances(work, downs)))
    before = [down.weight.detach().clone() for down in downs]
    model = descend(
        work, loss, Needs(reference=True, hidden=True), kept=held, edit=kept_from,
        trained=lambda _, __: [down.weight for down in downs],
    )  # fmt: skip
    with torch.no_grad():
        for down, old, own in zip(downs, before, held.directions, strict=True):
            change = projected((down.weight - old).float(), own, options.relaxed)
            down.weight.copy_(old + change.to(old.dtype))
    return model


def _covariances(work: Unlearning, downs: Sequence[Any]) -> list[torch.Tensor]:
    """Of what each is given on the retain set, (features, features); no mean is taken off."""
    import torch

    found = [torch.zeros(down.in_features, down.in_features, device=work.model.device) for down in downs]
    for item in work.meter.over(work.corpus.retain, len(work.corpus.retain)):
        packed = alone(work, encoded(work.tokenizer, item))
        with torch.no_grad(), inputs(downs) as given:
            predict(work.model, packed)
        for place, total in enumerate(found):
            features = given[place][0].float()  # (tokens, features)
            total += features.T @ features
    return found


METHOD = Method(
    Card("KUDA", "arXiv 2602.19275", "representation", Intent.REMOVE, "down projections of the layers that hold it",
         Basis.SUMMARY, (35,)), Kuda, run, copies=6,
)  # fmt: skip
