"""A diffusion model of the digits that is told a class: x_t = sqrt(a_t) x + sqrt(1 - a_t) e.

It predicts the clean picture, f(x_t, t, c) = E[x | x_t, c], which is the score in another dress:
grad log p(x_t | c) = (sqrt(a_t) f - x_t) / (1 - a_t). The schedule is DDPM's (Ho et al., 2020): 1000 times, beta
rising in a straight line from 1e-4 to 0.02. Samples take 25 steps of DDIM (Song et al., 2020). A perceptron with two
hidden layers of 256 is enough for 8 x 8 points.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from benchmarks.images.digits import CLASSES, POINTS, Pictures
from benchmarks.images.loop import layers, onehot
from benchmarks.images.method import Options

if TYPE_CHECKING:
    import torch

TIMES = 1000
_WAVES = 8


@dataclass(frozen=True, slots=True)
class Recipe(Options):
    """How a diffusion model is taught; ours, by what the judge then recognises."""

    steps: int = 6000
    lr: float = 2e-3
    batch: int = 128


@dataclass(frozen=True)
class Diffusion:
    """``net``: (n, 64 + 16 + 10) -> (n, 64)."""

    net: Any
    strides: int = 25

    def clean(self, noisy: torch.Tensor, at: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """E[x | x_t, c] for ``noisy`` (n, 64), times ``at`` (n,) and ``labels`` (n,), as (n, 64)."""
        import torch

        found: torch.Tensor = self.net(torch.cat([noisy, _waves(at), onehot(labels)], dim=1))
        return found

    def sample(self, labels: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        """A picture for each label, by DDIM."""
        import torch

        times = torch.linspace(TIMES - 1, 0, self.strides).round().long().tolist()
        noisy = torch.randn(len(labels), POINTS, generator=chance)
        with torch.no_grad():
            for at, after in zip(times, [*times[1:], None], strict=True):
                here = torch.full((len(labels),), at)
                clean = self.clean(noisy, here, labels).clamp(-1, 1)
                if after is None:
                    return clean
                kept, left = share(here)
                noise = (noisy - kept * clean) / left
                kept, left = share(torch.full((len(labels),), after))
                noisy = kept * clean + left * noise
        raise AssertionError("DDIM takes a step at least")

    def weights(self) -> Mapping[str, torch.Tensor]:
        """The network's."""
        found: Mapping[str, torch.Tensor] = self.net.state_dict()
        return found


def new(seed: int) -> Diffusion:
    """One that has learnt nothing."""
    return Diffusion(layers(POINTS + 2 * _WAVES + CLASSES, 256, 256, POINTS, seed=seed))


def share(at: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """sqrt(a_t) and sqrt(1 - a_t) of times (n,), as (n, 1) each."""
    kept = _schedule()[at, None]
    return kept.sqrt(), (1 - kept).sqrt()


def noised(images: torch.Tensor, at: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """The pictures (n, 64) with the noise of times (n,)."""
    import torch

    kept, left = share(at)
    return kept * images + left * torch.randn(images.shape, generator=chance)


def denoising(
    model: Diffusion, pictures: Pictures, chance: torch.Generator, first: int = 0, last: int = TIMES
) -> torch.Tensor:
    """The mean squared error of the clean picture, a scalar, at times from ``first`` up to ``last``."""
    import torch

    at = torch.randint(first, last, (len(pictures),), generator=chance)
    found = model.clean(noised(pictures.images, at, chance), at, pictures.labels)
    return (found - pictures.images).square().mean()


@cache
def _schedule() -> torch.Tensor:
    """a_t, as (1000,)."""
    import torch

    return (1 - torch.linspace(1e-4, 0.02, TIMES, dtype=torch.float64)).cumprod(0).float()


def _waves(at: torch.Tensor) -> torch.Tensor:
    """Times (n,) as (n, 16)."""
    import torch

    angles = at[:, None].float() / TIMES * math.pi * 2.0 ** torch.arange(_WAVES)
    return torch.cat([angles.sin(), angles.cos()], dim=1)
