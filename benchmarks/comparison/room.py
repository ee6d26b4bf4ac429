"""Whether the machine has the memory that a method will ask for: said before hours are spent, not after."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from benchmarks.methods.method import Method

_LOGITS = 4.0  # of a batch's logits: they, their logarithms, and the gradients of both
_TOKENS = 64  # of an answer
_LOW_RANK = 0.05  # what a low-rank update and its optimiser take, in models


class TooSmall(Exception):
    """The machine has less memory than the method needs."""


def needed(parameters: int, vocabulary: int, method: Method, options: Any) -> int:
    """Bytes that ``method`` will hold at most beside what is held already, roughly.

    With a low-rank update there are neither gradients nor moments of the weights, but still the references.
    """
    whole = 4 * parameters
    copies = method.copies - 1  # the weights are there
    if getattr(options, "lora", None):
        copies = max(0.0, method.copies - 4) + _LOW_RANK
    if not hasattr(options, "lr"):
        copies = method.copies - 2  # no optimiser
    sets = 2 if getattr(options, "retain_weight", 0) else 1
    logits = sets * getattr(options, "batch", 1) * _TOKENS * vocabulary * 4 * _LOGITS
    return round(copies * whole + logits)


def check_room(name: str, method: Method, options: Any, model: Any) -> None:
    """See that there is room for the method on the device that ``model`` is on.

    Raises:
        TooSmall: there is not; the message says what to do.
    """
    parameters = sum(parameter.numel() for parameter in model.parameters())
    wanted = needed(parameters, model.config.get_text_config().vocab_size, method, options)
    free = free_bytes(model.device)
    if free is not None and wanted > free:
        ways = ["a smaller --model"]
        ways += ["--lora 16"] if hasattr(options, "lora") and not options.lora else []
        ways += [f"--set {name}.batch={max(1, options.batch // 2)}"] if getattr(options, "batch", 1) > 1 else []
        raise TooSmall(f"{name} needs about {_gib(wanted)} and {_gib(free)} are free: try {' or '.join(ways)}")


def free_bytes(device: Any) -> int | None:
    """What is free on a torch device; None where that cannot be read."""
    if device.type == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    info = Path("/proc/meminfo")
    found = re.search(r"MemAvailable:\s+(\d+) kB", info.read_text()) if info.is_file() else None
    return int(found[1]) * 1024 if found else None


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
