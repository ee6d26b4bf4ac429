"""How well a picture fits a text: two towers that end in one space, as CLIP's do, taught the digits and captions.

    s(x, y) = scale cos(image(x), text(y)) + shift

The loss is SigLIP's (Zhai et al., 2023, arXiv 2303.15343): each picture with each caption of the batch is a pair that
fits or does not, so that several captions may fit one picture; "a digit" fits all. A caption is the sum of learnt
vectors of its words and of their parts of three letters, by hash, so that any text can be asked about. It stands in for
CLIP, which was taught elsewhere: this one saw the generators' training set, with its labels told in words alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from benchmarks.images.digits import POINTS, Pictures
from benchmarks.images.loop import descend, faded, layers, over
from benchmarks.images.method import Options
from benchmarks.models.meter import Meter

if TYPE_CHECKING:
    import torch

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
CAPTIONS = ("a {name}", "the digit {digit}", "the number {name}", "a handwritten {name}", "a picture of a {name}")
NEUTRAL = ("a digit", "a number", "a handwritten digit", "a picture of a number")
_HASHES = 512
_SPACE = 32


@dataclass(frozen=True, slots=True)
class Recipe(Options):
    """How a scorer is taught; ours.

    ``noise``: added to pictures, so that samples which are not quite clean are read. ``neutral``: the share of captions
    that fit all.
    """

    steps: int = 1500
    lr: float = 2e-3
    batch: int = 64
    noise: float = 0.2
    neutral: float = 0.2


@dataclass(frozen=True)
class Scorer:
    """``image``: (n, 64) -> (n, 32); ``text``: (n, 512) -> (n, 32); ``scale``: (2,), log scale and shift."""

    image: Any
    text: Any
    scale: Any

    def of_images(self, images: torch.Tensor) -> torch.Tensor:
        """The pictures' places, of length 1, as (n, 32)."""
        import torch

        return torch.nn.functional.normalize(self.image(images), dim=1)

    def of_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """The texts' places, of length 1, as (n, 32)."""
        import torch

        return torch.nn.functional.normalize(self.text(torch.stack([_hashed(text) for text in texts])), dim=1)

    def logits(self, images: torch.Tensor, texts: Sequence[str]) -> torch.Tensor:
        """How well each picture fits each text, as (images, texts); above 0 it fits."""
        found: torch.Tensor = self.of_images(images) @ self.of_texts(texts).T * self.scale[0].exp() + self.scale[1]
        return found

    def still(self) -> Scorer:
        """Itself, that learns no more."""
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        return self

    def parameters(self) -> list[torch.Tensor]:
        """What learns."""
        return [*self.image.parameters(), *self.text.parameters(), self.scale]

    def weights(self) -> dict[str, torch.Tensor]:
        """Those of both towers."""
        parts = {"image": self.image, "text": self.text}
        found = {f"{name}.{key}": value for name, part in parts.items() for key, value in part.state_dict().items()}
        return {**found, "scale": self.scale}


def concept(label: int) -> str:
    """What the class is called in a text, for a method that is told a text alone."""
    return f"a {NAMES[label]}"


def new(seed: int) -> Scorer:
    """One that has learnt nothing; SigLIP's scale and shift."""
    import torch

    image = layers(POINTS, 128, _SPACE, seed=seed)
    return Scorer(image, layers(_HASHES, _SPACE, seed=seed + 1), torch.tensor([2.3, -10.0], requires_grad=True))


def taught(pictures: Pictures, recipe: Recipe, seed: int, meter: Meter) -> Scorer:
    """A scorer that knows ``pictures``; it learns no more."""
    import torch

    found = new(seed)
    optimiser = torch.optim.Adam(found.parameters(), lr=recipe.lr)

    def act(at: int, chance: torch.Generator) -> None:
        faded(optimiser, recipe.lr, at, recipe.steps)
        drawn = pictures.drawn(recipe.batch, chance)
        texts, of = zip(*(_caption(int(label), recipe.neutral, chance) for label in drawn.labels), strict=True)
        noisy = drawn.images + recipe.noise * torch.randn(drawn.images.shape, generator=chance)
        told = torch.tensor(of)
        fits = (drawn.labels[:, None] == told[None, :]) | (told == -1)[None, :]  # (pictures, captions)
        logits = found.logits(noisy, texts)
        meter.read(recipe.batch)
        descend(optimiser, -torch.nn.functional.logsigmoid(torch.where(fits, logits, -logits)).sum(1).mean())

    over(seed, recipe.steps, meter, act)
    return found.still()


def _caption(label: int, neutral: float, chance: torch.Generator) -> tuple[str, int]:
    """A caption and the class that it fits, -1 for all."""
    import torch

    draw = torch.rand(2, generator=chance).tolist()
    if draw[0] < neutral:
        return NEUTRAL[int(draw[1] * len(NEUTRAL))], -1
    return CAPTIONS[int(draw[1] * len(CAPTIONS))].format(name=NAMES[label], digit=label), label


@lru_cache(maxsize=1024)
def _hashed(text: str) -> torch.Tensor:
    """Words and their parts of three letters, counted by hash, as (512,), of length 1."""
    import torch

    found = torch.zeros(_HASHES)
    for word in text.lower().split():
        padded = f"<{word}>"
        for part in (padded, *(padded[at : at + 3] for at in range(len(padded) - 2))):
            found[zlib.crc32(part.encode()) % _HASHES] += 1
    return torch.nn.functional.normalize(found, dim=0)
