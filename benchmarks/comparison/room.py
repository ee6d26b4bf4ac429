"""Whether the machine has the memory that a method will ask for: said before hours are spent, not after."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.data.corpus import Corpus
from benchmarks.methods.batches import encoded
from benchmarks.methods.method import Method

_LOGITS = 4.0  # of a batch's logits: they, their logarithms, and the gradients of both
_SLACK = 1.25  # what the allocator holds of freed memory: 1.2 to 1.4 were seen on a CPU with 57M parameters
_LOW_RANK = 0.05  # what a low-rank update and its optimiser take, in models


class TooSmall(Exception):
    """The machine has less memory than the method needs."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a model weighs: ``size`` bytes a parameter; ``accelerator``: whether it is on one."""

    parameters: int
    size: int = 4
    accelerator: bool = False


def needed(model: Held, method: Method, options: Any, logits: int = 0) -> int:
    """Bytes that ``method`` will hold at most beside the model itself, roughly.

    Counted in models of float32: gradients and two moments are 3. Weights of fewer bytes have float32 twins
    (``Precise``), and so have their gradients; what else a method holds is taken as float32. On an accelerator AdamW
    goes through all parameters at once, and its temporary values are another. With a low-rank update there are neither
    gradients nor moments of the weights, but still references and what is held beforehand.

    Args:
        model: as it is loaded.
        method: its ``copies`` and ``beforehand``.
        options: its own.
        logits: of all answer tokens of a step, (tokens x vocabulary) numbers.
    """
    trained = hasattr(options, "lr")
    less = model.size / 4 if model.size < 4 else 0.0  # gradients as they come, beside those in float32
    if getattr(options, "lora", None):
        copies = max(0.0, method.copies - 4) + _LOW_RANK
    else:
        twins = 1.0 if less and trained else 0.0
        copies = method.copies - 1 + less + twins + (1.0 if model.accelerator and trained else 0.0)
    first = method.beforehand + less if method.beforehand else 0.0
    return round(max(copies, first) * 4 * model.parameters * _SLACK + logits * 4 * _LOGITS)


def logits(corpus: Corpus, tokenizer: Any, vocabulary: int, options: Any) -> int:
    """Of the step with the longest answers: of the forget set and, where it is read, of the retain set."""
    sets = [corpus.forget, corpus.retain] if getattr(options, "retain_weight", 1) else [corpus.forget]
    batch = getattr(options, "batch", 1)
    return vocabulary * sum(_longest((len(encoded(tokenizer, i).answer) for i in items), batch) for items in sets)


def _longest(lengths: Iterable[int], count: int) -> int:
    return sum(sorted(lengths)[-count:])


def check_room(name: str, method: Method, options: Any, model: Any, read: int = 0) -> None:
    """See that there is room for the method on the device that ``model`` is on. ``read``: logits of a step.

    Raises:
        TooSmall: there is not; the message says what to do.
    """
    weights = list(model.parameters())
    held = Held(sum(weight.numel() for weight in weights), min(weight.element_size() for weight in weights),
                model.device.type != "cpu")  # fmt: skip
    wanted, free = needed(held, method, options, read), free_bytes(model.device)
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
