"""LAF, label-agnostic forgetting (Shen et al., 2024, arXiv 2404.00506).

    VAE_w learns the representations of the whole training set, VAE_f those of the forget set (MSE + 0.025 KL)
    E(h, V) = exp(m / (m + 1)), m = ||h - V(h)||^2
    A: minimise mean E(h_r, VAE_w) - mean E(h_f, VAE_f)
    B: minimise log sum exp(1 - cos(h_r, h_r0)) - log sum exp((1 - cos(h_f, h_f0)) / tau)

h is the mean of the last layer's output over an answer's tokens: no label beyond the text is read. A drives the forget
set's representations off what its own VAE knows and holds the retain set's on the other's; B, with a rate of its own,
pulls the retain set's back to the target model's and pushes the forget set's from it. They take turns, an epoch each,
with an optimiser that begins anew. From the authors' code: 0.025, tau 10, Adam at 1e-3 for 10 epochs of the VAEs,
latent 16, B's rate twice A's; the VAEs' one hidden layer of 128 is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmarks.data.corpus import Item
from benchmarks.methods.batches import Needs, alone, encoded
from benchmarks.methods.descent import beside, descend
from benchmarks.methods.method import Basis, Card, Intent, Method, Options, Unlearning
from benchmarks.methods.step import Step
from benchmarks.methods.terms import answer_means
from benchmarks.models.autoencoder import Autoencoder, learnt
from benchmarks.models.predicted import Predicted, predict

if TYPE_CHECKING:
    import torch

_SEES = Needs(hidden=True)


@dataclass(frozen=True, slots=True)
class Laf(Options):
    """How the two steps go.

    Attributes:
        faster: B's rate, in those of A.
        temperature: tau.
        latent: dimensions of the VAEs.
        learning: epochs of the VAEs.
    """

    faster: float = 2.0
    temperature: float = 10.0
    latent: int = 16
    learning: int = 10


@dataclass(frozen=True, slots=True)
class Kept:
    """Both VAEs, and the target model's representations of each set, (pairs, dim)."""

    whole: Autoencoder
    own: Autoencoder
    forget: torch.Tensor
    retain: torch.Tensor


def representation(predicted: Predicted) -> torch.Tensor:
    """The h of each pair, (chats, dim)."""
    return answer_means(predicted, predicted.hidden[-1].float())


def energy(hidden: torch.Tensor, vae: Autoencoder) -> torch.Tensor:
    """E of each, (chats,), from 1 to e."""
    m = (hidden - vae.rebuilt(hidden)).square().sum(-1)
    return (m / (m + 1)).exp()


def extract(step: Step, options: Laf) -> torch.Tensor:
    """A, a scalar."""
    kept: Kept = step.kept
    found = -options.forget_weight * energy(representation(step.forget), kept.own).mean()
    if options.retain_weight:
        found = found + options.retain_weight * energy(representation(step.retain), kept.whole).mean()
    return found


def align(step: Step, options: Laf) -> torch.Tensor:
    """B, a scalar."""
    import torch

    kept: Kept = step.kept

    def far(own: Predicted, before: torch.Tensor) -> torch.Tensor:
        return 1 - torch.nn.functional.cosine_similarity(representation(own), before, -1)  # (chats,)

    pushed = torch.logsumexp(far(step.forget, kept.forget[list(step.places)]) / options.temperature, 0)
    if not options.retain_weight:
        return -options.forget_weight * pushed
    held = torch.logsumexp(far(step.retain, kept.retain[list(step.retain_places)]), 0)
    return options.retain_weight * held - options.forget_weight * pushed


def run(work: Unlearning) -> Any:
    """The target model, in place.

    Raises:
        ValueError: a set is empty.
    """
    import torch

    options: Laf = work.options
    if not work.corpus.forget or not work.corpus.retain:
        raise ValueError("laf learns what both sets look like, and one is empty")
    forget, retain = (_seen(work, items) for items in (work.corpus.forget, work.corpus.retain))
    whole, own = (
        learnt(rows, options.latent, options.learning, work.seed) for rows in (torch.cat([forget, retain]), forget)
    )
    kept = Kept(whole, own, forget, retain)
    model = work.model
    for epoch in range(options.epochs):
        for name, loss, lr in (("a", extract, options.lr), ("b", align, options.lr * options.faster)):
            once = replace(options, epochs=1, lr=lr)
            here = replace(work, model=model, options=once, checkpoint=beside(work.checkpoint, f"{name}{epoch}"),
                           seed=work.seed + epoch)  # fmt: skip
            model = descend(here, loss, _SEES, kept=kept)
    return model


def _seen(work: Unlearning, items: Sequence[Item]) -> torch.Tensor:
    """The target model's representations, (pairs, dim)."""
    import torch

    found = []
    for item in work.meter.over(items, len(items)):
        packed = alone(work, encoded(work.tokenizer, item))
        with torch.no_grad():
            found.append(representation(predict(work.model.eval(), packed, hidden=True))[0])
    return torch.stack(found)


METHOD = Method(
    Card("LAF", "Shen et al., 2024, arXiv 2404.00506", "representation", Intent.REMOVE, "all weights",
         Basis.CODE, (17,)),
    Laf, run,
)  # fmt: skip
