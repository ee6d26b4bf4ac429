"""Ways to corrupt embedding rows, as pure functions (ECO, arXiv 2406.07933).

Adding one: write the function and put a line into ``CORRUPTIONS``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Corruption = Callable[["torch.Tensor", Sequence[bool], float, "torch.Generator"], "torch.Tensor"]


def gaussian(rows: torch.Tensor, mask: Sequence[bool], sigma: float, generator: torch.Generator) -> torch.Tensor:
    """Add noise of standard deviation ``sigma`` to every dimension of the masked rows.

    Args:
        rows: ``(tokens, dim)`` float32.
        mask: one flag for each token; unmasked rows come back bit-equal.
        sigma: in units of the embedding's own values; 0 changes nothing.
        generator: source of the noise, so that the caller decides what repeats.
    """
    import torch

    noise = torch.randn(rows.shape, generator=generator, dtype=rows.dtype)
    chosen = torch.tensor(list(mask), dtype=torch.bool).unsqueeze(1)
    return torch.where(chosen, rows + sigma * noise, rows)


CORRUPTIONS: dict[str, Corruption] = {"gaussian": gaussian}
