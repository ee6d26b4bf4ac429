"""The processes of a run that `accelerate launch` started side by side; one process alone is the usual case."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any


class Workers:
    """The processes of the run. ``rank``: this one's number; ``count``: of all."""

    def __init__(self) -> None:
        import torch

        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            from accelerate import PartialState

            PartialState()  # finds the others, and this one's accelerator
        self._on = torch.distributed.is_available() and torch.distributed.is_initialized()
        self.rank = torch.distributed.get_rank() if self._on else 0
        self.count = torch.distributed.get_world_size() if self._on else 1

    def add_up(self, parameters: Sequence[Any]) -> None:
        """Make every process's gradients the sum of all; a parameter that the loss does not reach stays without."""
        self.summed([parameter.grad for parameter in parameters if parameter.grad is not None])

    def summed(self, tensors: Sequence[Any]) -> None:
        """Make every process's ``tensors`` the sum of all."""
        import torch

        for tensor in tensors if self._on else ():
            torch.distributed.all_reduce(tensor)

    def wait(self) -> None:
        """For the others."""
        import torch

        if self._on:
            torch.distributed.barrier()


def first() -> bool:
    """Whether this process is the one that writes."""
    return Workers().rank == 0


def together() -> None:
    """Wait for the others."""
    Workers().wait()
