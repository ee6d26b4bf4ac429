"""Quantisation brings back what an unlearnt model no longer says (Zhang et al., 2024, arXiv 2410.16454).

Round to nearest: w ~ s q with q an integer of ``bits`` bits and s = max |w| / (2^(bits-1) - 1), of each row (int8) or
of each ``group`` weights of a row (int4). Of the linear layers within the decoder: embeddings and the head stay, as
bitsandbytes leaves them. The weights are put back as floats, so that it runs wherever the model does.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.attacks.attack import Access, Active
from benchmarks.attacks.leaking import leak_of
from benchmarks.attacks.victim import Victim
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.models.hooks import layers

if TYPE_CHECKING:
    import torch


def rounded(weight: torch.Tensor, bits: int, group: int | None = None) -> torch.Tensor:
    """``weight`` (rows, columns) as ``bits`` bits can hold it; ``group``: columns that share a scale, None: all."""
    import torch

    most = 2 ** (bits - 1) - 1
    cut: Any = torch.split
    parts = cut(weight.float(), group or weight.shape[1], dim=1)
    scales = [part.abs().amax(1, keepdim=True).clamp_min(1e-12) / most for part in parts]  # (rows, 1)
    rounded_ = [(part / scale).round() * scale for part, scale in zip(parts, scales, strict=True)]
    return torch.cat(rounded_, 1).to(weight.dtype)


def quantised(model: Any, bits: int, group: int | None = None) -> Any:
    """``model``, in place."""
    import torch

    with torch.no_grad():
        for layer in layers(model):
            for module in layer.modules():
                if isinstance(module, torch.nn.Linear):
                    module.weight.copy_(rounded(module.weight, bits, group))
    return model


def leak(victim: Victim, bits: int, group: int | None) -> Measured | Undefined:
    """What the quantised model says."""
    return leak_of(victim, quantised(victim.load(), bits, group))


_PAPER = "Zhang et al., 2024, arXiv 2410.16454"
INT8 = Active("quantised to 8 bits", _PAPER, Access.WEIGHTS, partial(leak, bits=8, group=None))
INT4 = Active("quantised to 4 bits", _PAPER, Access.WEIGHTS, partial(leak, bits=4, group=64))
