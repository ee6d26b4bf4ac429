"""Text-to-Unlearn (Nagasubramaniam et al., 2025, arXiv 2504.01218): a GAN forgets what a text names, and no picture.

E is the scorer's image tower, T its text tower (CLIP's in the paper), G_f the generator, frozen, G_t the one that
learns, w a latent of chance and of any class. First a mapper finds what to forget, as StyleCLIP's (Patashnik et al.,
2021) does: M(w) = w + m(w) is taught so that G_f(M(w)) fits the text. Pairs of latents then give the way out,

    i = mean over w of E(G_f(w)) - E(G_f(M(w))),

and G_t is taught on u from w and M(w), where d(u) = E(G_t(u)) - E(G_f(u)) and p(u) is how sure the scorer is that
G_f(u) fits the text:

    L_dir = mean, weighted by p, of 1 - cos(d, i) + reach relu(1 - d.i / |i|^2)
    L_pic = mean of (1 - p) |G_t(u) - G_f(u)|^2            L_id = mean of (1 - p) (1 - cos(E(G_t(u)), E(G_f(u))))
    L     = L_dir + picture L_pic + identity L_id

Shapes: latents and pictures (n, 64), places (n, 32). Built from summaries of the paper: that it has these parts, a
mapper, a direction from latent pairs, L_dir, L_LPIPS and L_id, and a frozen mapping network, as StyleGAN-NADA has (Gal
et al., 2021). All constants are ours, and so are: p, for a class is the whole of a picture, and nothing of a three
would be left to keep; ``reach``, for a cosine alone is content with a step too small to see (0 leaves it out); and mean
squares of points in the place of LPIPS. ``direction`` "text" takes i = T(neutral) - T(concept) instead.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.images.digits import CLASSES
from benchmarks.images.gan import LATENT, Gan
from benchmarks.images.loop import descend, layers, resumed, tuned
from benchmarks.images.method import Forgetting, Kind, Method, Options
from benchmarks.images.scorer import concept
from benchmarks.methods.method import Basis, Card, Intent

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class TextToUnlearn(Options):
    """``concept``: the text; the class's name where None. ``near``: the weight of the mapper's |m(w)|^2."""

    steps: int = 800
    lr: float = 5e-4
    concept: str | None = None
    neutral: str = "a digit"
    direction: str = "pairs"
    reach: float = 1.0
    picture: float = 10.0
    identity: float = 1.0
    mapper_steps: int = 400
    mapper_lr: float = 2e-3
    near: float = 0.01


def directional(moved: torch.Tensor, way: torch.Tensor, sure: torch.Tensor, reach: float) -> torch.Tensor:
    """L_dir for ``moved`` (n, dim), ``way`` (dim,) and ``sure`` (n,), a scalar."""
    import torch

    # At first nothing has moved; the least length keeps the gradient finite there.
    aligned = torch.nn.functional.cosine_similarity(moved, way[None], dim=1, eps=1e-2)
    short = (1 - moved @ way / way.square().sum()).relu()
    return (sure * (1 - aligned + reach * short)).sum() / sure.sum().clamp_min(1e-6)


def kept(
    after: torch.Tensor, before: torch.Tensor, places: torch.Tensor, sure: torch.Tensor, options: TextToUnlearn
) -> torch.Tensor:
    """``picture`` L_pic + ``identity`` L_id: of pictures (n, 64) and the cosines of their places (n,), a scalar."""
    apart = options.picture * (after - before).square().mean(1) + options.identity * (1 - places)
    return ((1 - sure) * apart).mean()


def run(work: Forgetting) -> Gan:
    """The GAN with another synthesis; its mapping stays bit for bit as it was.

    Raises:
        ValueError: the scorer finds no picture of the generator that fits the text, or ``direction`` is unknown.
    """
    import torch

    options: TextToUnlearn = work.options
    model, scorer, text = work.model, work.scorer, options.concept or concept(work.corpus.label)
    frozen = Gan(model.mapping, copy.deepcopy(model.synthesis).requires_grad_(False))
    mapper = _mapper(work, frozen, text)
    way = direction(work, frozen, mapper, text)

    def loss(chance: torch.Generator) -> torch.Tensor:
        with torch.no_grad():
            free = drawn(frozen, options.batch // 2, chance)
            latents = torch.cat([free, free + mapper(free)])
            before = frozen.synthesis(latents)
            sure = scorer.logits(before, [text]).sigmoid()[:, 0]
            place = scorer.of_images(before)
        after = model.synthesis(latents)
        moved = scorer.of_images(after)
        work.meter.read(len(latents))
        cosines = (moved * place).sum(1)
        return directional(moved - place, way, sure, options.reach) + kept(after, before, cosines, sure, options)

    tuned(work, model.synthesis, loss)
    return Gan(model.mapping, model.synthesis)


def drawn(model: Gan, count: int, chance: torch.Generator) -> torch.Tensor:
    """Latents of chance and of any class: which one is to be forgotten, only the text tells."""
    import torch

    with torch.no_grad():
        return model.latents(torch.randint(CLASSES, (count,), generator=chance), chance)


def direction(work: Forgetting, frozen: Gan, mapper: Any, text: str) -> torch.Tensor:
    """The way i from what the text names to what is no such thing, as (32,).

    Raises:
        ValueError: pictures that fit the text were not found, or ``direction`` is unknown.
    """
    import torch

    options, scorer = work.options, work.scorer
    with torch.no_grad():
        free = drawn(frozen, 512, torch.Generator().manual_seed(work.seed))
        theirs = frozen.synthesis(free + mapper(free))
        if float(scorer.logits(theirs, [text]).mean()) < 0:
            raise ValueError(
                f"the generator makes nothing that the scorer calls {text!r}: name what it makes, e.g. {concept(3)!r}, "
                "or raise mapper_steps"
            )
        if options.direction == "pairs":
            return (scorer.of_images(frozen.synthesis(free)) - scorer.of_images(theirs)).mean(0)
        if options.direction == "text":
            return scorer.of_texts([options.neutral])[0] - scorer.of_texts([text])[0]
    raise ValueError(f"direction {options.direction!r}: choose 'pairs' or 'text'")


def _mapper(work: Forgetting, frozen: Gan, text: str) -> Any:
    """What to add to a latent for a picture that fits the text."""
    import torch

    options, scorer = work.options, work.scorer
    mapper = layers(LATENT, LATENT, LATENT, seed=work.seed)
    with torch.no_grad():
        goal = scorer.of_texts([text])[0]
    optimiser = torch.optim.Adam(mapper.parameters(), lr=options.mapper_lr)

    def act(_: int, chance: torch.Generator) -> None:
        free = drawn(frozen, options.batch, chance)
        step = mapper(free)
        work.meter.read(options.batch)
        fit = scorer.of_images(frozen.synthesis(free + step)) @ goal
        descend(optimiser, (1 - fit).mean() + options.near * step.square().mean())

    resumed(work, {"mapper": mapper, "optimiser": optimiser}, options.mapper_steps, act, "mapper")
    return mapper.requires_grad_(False)


METHOD = Method(
    Card("Text-to-Unlearn", "Nagasubramaniam et al., 2025, arXiv 2504.01218", "representation", Intent.REMOVE,
         "the GAN's synthesis, not its mapping", Basis.SUMMARY, (19,)), Kind.GAN, TextToUnlearn, run,
)  # fmt: skip
