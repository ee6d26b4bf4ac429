"""Fine-tuning of a small causal language model on question-answer pairs, with the loss on the answers."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.models.pace import Pace
from benchmarks.models.packing import Chat, pack
from benchmarks.models.predicted import predict


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train. The rate rises over the first steps, then falls to nothing in a straight line over ``epochs``.

    ``stop``: the epochs after which to stop, the rate being what it then is. ``threads``: of the processor, meanwhile;
    None: as many as are set.
    """

    epochs: int = 10
    lr: float = 5e-4
    batch: int = 8
    warmup: float = 0.05  # share of the steps
    weight_decay: float = 0.0
    clip: float = 1.0
    seed: int = 0
    threads: int | None = None
    stop: int | None = None


@dataclass
class Progress:
    """What training did so far."""

    losses: list[float] = field(default_factory=list)  # mean loss of an answer token, by epoch
    tokens: int = 0  # computed, prefixes shared
    seconds: float = 0.0


def train(model: Any, chats: Sequence[Chat], recipe: Recipe, checkpoint: Path | None = None) -> Progress:
    """Train ``model`` in place; it goes on from ``checkpoint``, which epochs write, not all of them.

    The loss is the mean cross-entropy over the answer tokens of a batch, end token included.

    Raises:
        ValueError: the checkpoint comes from another recipe or other data.
    """
    with _threads(recipe.threads):
        return _train(model, chats, recipe, checkpoint)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """``count`` threads meanwhile: what comes after must not depend on whether this was computed now or before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _train(model: Any, chats: Sequence[Chat], recipe: Recipe, checkpoint: Path | None) -> Progress:
    import torch

    torch.manual_seed(recipe.seed)
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True)
    per_epoch = -(-len(chats) // recipe.batch)
    steps = per_epoch * recipe.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate(step, steps, recipe.warmup))
    spec = {k: v for k, v in asdict(recipe).items() if k not in ("stop", "threads")}
    spec |= {"chats": len(chats), "tokens": sum(len(c.prompt) + len(c.answer) for c in chats)}
    parts = {"model": model, "optimiser": optimiser, "schedule": schedule}
    progress, pace = _resume(checkpoint, parts, spec), Pace()
    for epoch in range(len(progress.losses), recipe.stop or recipe.epochs):
        _epoch(model, optimiser, schedule, _batches(chats, recipe, epoch), progress, f"epoch {epoch + 1}", recipe.clip)
        if checkpoint and pace.due():
            with pace.writing():
                _keep(checkpoint, parts, spec, progress)
    model.eval()
    return progress


def _epoch(
    model: Any, optimiser: Any, schedule: Any, batches: Sequence[list[Chat]], progress: Progress, name: str, clip: float
) -> None:
    import torch
    from tqdm import tqdm

    began, total, count = time.monotonic(), 0.0, 0
    bar = tqdm(batches, desc=name, file=sys.stderr)
    for batch in bar:
        packed = pack(batch, model.dtype).to(model.device)
        loss = torch.nn.functional.cross_entropy(predict(model, packed).logits, packed.wanted)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad(set_to_none=True)
        total += loss.item() * len(packed.wanted)
        count += len(packed.wanted)
        progress.tokens += packed.ids.numel()
        bar.set_postfix(loss=f"{total / count:.3f}")
    progress.losses.append(total / count)
    progress.seconds += time.monotonic() - began


def rate(step: int, steps: int, warmup: float) -> float:
    """The learning rate's share of its highest: it rises, then falls to nothing in a straight line."""
    rising = max(1, round(steps * warmup))
    return (step + 1) / rising if step < rising else (steps - step) / max(1, steps - rising)


def _batches(chats: Sequence[Chat], recipe: Recipe, epoch: int) -> list[list[Chat]]:
    order = list(chats)
    random.Random(recipe.seed * 10_007 + epoch).shuffle(order)  # noqa: S311 - an order, not a secret
    return list(_cut(order, recipe.batch))


def _cut(items: list[Chat], size: int) -> Iterator[list[Chat]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _resume(checkpoint: Path | None, parts: dict[str, Any], spec: dict[str, Any]) -> Progress:
    import torch

    if checkpoint is None or not checkpoint.is_file():
        return Progress()
    state = torch.load(checkpoint, weights_only=True)
    if {k: v for k, v in state["spec"].items() if k in spec} != spec:
        raise ValueError(f"{checkpoint} comes from another recipe or other data: {state['spec']}; delete it to start")
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return Progress(**state["progress"])


def _keep(checkpoint: Path, parts: dict[str, Any], spec: dict[str, Any], progress: Progress) -> None:
    import torch

    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    scratch = checkpoint.with_suffix(".part")
    torch.save({**{k: p.state_dict() for k, p in parts.items()}, "spec": spec, "progress": asdict(progress)}, scratch)
    os.replace(scratch, checkpoint)  # whole or not at all
