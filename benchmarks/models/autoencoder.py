"""A small variational autoencoder over vectors (Kingma and Welling, 2013, arXiv 1312.6114)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_HIDDEN = 128
_KL = 0.025
_BATCH = 32


@dataclass(frozen=True, slots=True)
class Autoencoder:
    """``down`` gives means and log variances, (rows, 2 latent), ``up`` vectors from a latent. Neither learns more."""

    down: Any
    up: Any

    def rebuilt(self, rows: torch.Tensor) -> torch.Tensor:
        """``rows`` (rows, dim) through the means."""
        mean, _ = self.down(rows).chunk(2, -1)
        found: torch.Tensor = self.up(mean)
        return found


def learnt(rows: torch.Tensor, latent: int, epochs: int, seed: int) -> Autoencoder:
    """One that has learnt ``rows`` (rows, dim): Adam at 1e-3 on MSE (summed over dimensions) + 0.025 KL."""
    import torch

    chance = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        down, up = (_layers(*shape) for shape in ((rows.shape[1], 2 * latent), (latent, rows.shape[1])))
    for part in (down, up):
        part.to(rows.device)
    optimiser = torch.optim.Adam([*down.parameters(), *up.parameters()], lr=1e-3)
    for _ in range(epochs):
        order = torch.randperm(len(rows), generator=chance)
        for at in range(0, len(rows), _BATCH):
            places = order[at : at + _BATCH]
            batch = rows[places.to(rows.device)]
            mean, spread = down(batch).chunk(2, -1)
            noise = torch.randn(mean.shape, generator=chance).to(rows.device)
            rebuilt = up(mean + noise * (spread / 2).exp())
            kl = -0.5 * (1 + spread - mean.square() - spread.exp()).sum(-1).mean()
            loss = (batch - rebuilt).square().sum(-1).mean() + _KL * kl
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
    for part in (down, up):
        part.requires_grad_(False)
    return Autoencoder(down, up)


def _layers(inner: int, outer: int) -> Any:
    import torch

    return torch.nn.Sequential(torch.nn.Linear(inner, _HIDDEN), torch.nn.ReLU(), torch.nn.Linear(_HIDDEN, outer))
