"""A generative adversarial network of the digits that is told a class, parted as StyleGAN is.

    w = mapping(z, c)    x = synthesis(w)    critic(x, c): one number

The mapping makes a latent w out of chance and class; a method that is told a text and no class works on w alone. Taught
by the non-saturating loss (Goodfellow et al., 2014) with R1, (gamma / 2) |grad critic(x)|^2 at true pictures (Mescheder
et al., 2018), and an average of the generator's weights is what samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.images.digits import CLASSES, POINTS, Pictures
from benchmarks.images.loop import layers, onehot
from benchmarks.images.method import Options

if TYPE_CHECKING:
    import torch

NOISE = 32
LATENT = 64


@dataclass(frozen=True, slots=True)
class Recipe(Options):
    """How a GAN is taught; ours, by what the judge then recognises. ``average``: how slowly the kept weights follow."""

    steps: int = 3000
    lr: float = 1e-3
    batch: int = 128
    gamma: float = 1.0
    average: float = 0.99


@dataclass(frozen=True)
class Gan:
    """``mapping``: (n, 32 + 10) -> (n, 64); ``synthesis``: (n, 64) -> (n, 64)."""

    mapping: Any
    synthesis: Any

    def latents(self, labels: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        """A w for each label (n,), as (n, 64)."""
        import torch

        noise = torch.randn(len(labels), NOISE, generator=chance)
        found: torch.Tensor = self.mapping(torch.cat([noise, onehot(labels)], dim=1))
        return found

    def sample(self, labels: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        """A picture for each label."""
        import torch

        with torch.no_grad():
            found: torch.Tensor = self.synthesis(self.latents(labels, chance))
        return found

    def weights(self) -> Mapping[str, torch.Tensor]:
        """Those of both networks."""
        parts = {"mapping": self.mapping, "synthesis": self.synthesis}
        return {f"{name}.{key}": value for name, part in parts.items() for key, value in part.state_dict().items()}


def new(seed: int) -> Gan:
    """One that has learnt nothing."""
    import torch

    mapping = layers(NOISE + CLASSES, 128, LATENT, seed=seed)
    return Gan(mapping, layers(LATENT, 256, 256, POINTS, seed=seed + 1, last=torch.nn.Tanh()))


def critic(seed: int) -> Any:
    """One that has learnt nothing: (n, 64 + 10) -> (n, 1)."""
    return layers(POINTS + CLASSES, 256, 256, 1, seed=seed + 2)


def critical(net: Any, true: Pictures, made: torch.Tensor, gamma: float) -> torch.Tensor:
    """The critic's loss, a scalar; ``made`` (n, 64) are of the classes of ``true``."""
    import torch

    real = true.images.detach().requires_grad_(True)
    on_real, on_made = _told(net, real, true.labels), _told(net, made.detach(), true.labels)
    (slope,) = torch.autograd.grad(on_real.sum(), real, create_graph=True)
    softplus = torch.nn.functional.softplus
    return (softplus(-on_real) + softplus(on_made)).mean() + gamma / 2 * slope.square().sum(1).mean()


def convincing(net: Any, made: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The generator's loss, a scalar."""
    import torch

    return torch.nn.functional.softplus(-_told(net, made, labels)).mean()


def _told(net: Any, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    import torch

    found: torch.Tensor = net(torch.cat([images, onehot(labels)], dim=1))
    return found
