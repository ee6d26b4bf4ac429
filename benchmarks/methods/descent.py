"""The loop that methods with a loss share: AdamW on batches of forget and retain pairs, resumable at every epoch.

Several processes (`accelerate launch`) each take a part of every batch; gradients are averaged before the step, so
that any forward pass may be used, not the wrapped one alone.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.data.corpus import Item
from benchmarks.methods.method import Card, Method, Options, Unlearning
from benchmarks.methods.step import Frozen, Loss, Step
from benchmarks.models.packing import Chat, Packed, encode, encode_plain, pack


@dataclass(frozen=True, slots=True)
class Needs:
    """What a loss looks at beside the model's view of the forget set.

    Attributes:
        retain: the retain set.
        refused: the forget questions, declined.
        reference: a frozen copy of the target model.
        hidden: the layers' outputs.
    """

    retain: bool = True
    refused: bool = False
    reference: bool = False
    hidden: bool = False


def by_loss(
    card: Card,
    loss: Loss,
    options: type[Options] = Options,
    needs: Needs = Needs(),
    *,
    prepare: Callable[[Unlearning], Any] | None = None,
    trained: Callable[[Any, Any], Sequence[Any]] | None = None,
) -> Method:
    """A method that minimises ``loss``.

    ``prepare`` makes what steps then find as ``kept``; ``trained(model, options)`` chooses the parameters to change.
    """

    def run(work: Unlearning) -> Any:
        return descend(work, loss, needs, kept=prepare(work) if prepare else None, trained=trained)

    return Method(card, options, run)


def descend(
    work: Unlearning, loss: Loss, needs: Needs, *, kept: Any = None,
    trained: Callable[[Any, Any], Sequence[Any]] | None = None,
) -> Any:  # fmt: skip
    """Minimise ``loss`` over the forget set and return the model, a LoRA merged into it.

    Raises:
        ValueError: the checkpoint is another run's, or the retain set is empty and needed.
    """
    import torch

    options: Options = work.options
    if needs.retain and not work.corpus.retain:
        raise ValueError("this method reads the retain set, which is empty")
    model, reference = _adapted(work.model, options.lora), _reference(work, needs)
    model.train()
    parameters = list(trained(model, options)) if trained else [p for p in model.parameters() if p.requires_grad]
    chosen = {id(parameter) for parameter in parameters}
    for parameter in model.parameters():
        parameter.requires_grad_(id(parameter) in chosen)
    optimiser = torch.optim.AdamW(parameters, lr=options.lr, weight_decay=options.weight_decay)
    batches = Batches(work, needs)
    steps = len(batches) * options.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda at: rate(at, steps, options.warmup))
    state = _State(work, {"optimiser": optimiser, "schedule": schedule}, parameters)
    workers = _Workers()
    for at in work.meter.over(range(begun := state.resume(), steps), steps, begun):
        chance = torch.Generator().manual_seed(work.seed * 1_000_003 + at)
        batch = {name: packed.to(model.device) for name, packed in batches.at(at, workers.rank, workers.count).items()}
        seen = Frozen(reference, batch, needs.hidden, work.meter.read) if reference is not None else None
        step = Step(model, batch, needs.hidden, work.meter.read, seen, at, steps, chance, kept)
        torch.autograd.backward(loss(step, options))
        workers.average(parameters)
        torch.nn.utils.clip_grad_norm_(parameters, options.clip)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad(set_to_none=True)
        if (at + 1) % len(batches) == 0 and workers.rank == 0:
            state.keep(at + 1)
    model.eval()
    merged: Any = model.merge_and_unload() if options.lora else model
    return merged


class Batches:
    """The batches of a run: every epoch goes through the forget set once, in an order that the seed gives.

    The retain set is gone through in its own order beside it, as often as that takes.
    """

    def __init__(self, work: Unlearning, needs: Needs) -> None:
        self._seed, self._size = work.seed, work.options.batch
        self._forget = [encoded(work.tokenizer, item) for item in work.corpus.forget]
        self._retain = [encoded(work.tokenizer, item) for item in work.corpus.retain] if needs.retain else []
        self._refused = _refusing(work) if needs.refused else []
        self._dtype = work.model.dtype

    def __len__(self) -> int:
        """Steps of an epoch."""
        return -(-len(self._forget) // self._size)

    def at(self, step: int, rank: int = 0, count: int = 1) -> dict[str, Packed]:
        """The batch of a step, or of it the part of one of ``count`` processes."""
        epoch, place = divmod(step, len(self))
        order = _shuffled(len(self._forget), self._seed, epoch)[place * self._size : (place + 1) * self._size]
        mine = order[rank::count] or order[:1]
        found = {"forget": self._packed([self._forget[i] for i in mine])}
        if self._refused:
            found["refused"] = self._packed([self._refused[i] for i in mine])
        if self._retain:
            found["retain"] = self._packed([self._retain[i] for i in self._kept(step)[rank::count]])
        return found

    def _kept(self, step: int) -> list[int]:
        """Places of the retain pairs of a step; the retain set is gone through in one order after another."""
        count = len(self._retain)
        numbers = range(step * self._size, (step + 1) * self._size)
        return [_shuffled(count, self._seed + 1, number // count)[number % count] for number in numbers]

    def _packed(self, chats: Sequence[Chat]) -> Packed:
        return pack(chats, self._dtype)


def encoded(tokenizer: Any, item: Item) -> Chat:
    """An item as a model is taught it."""
    return (encode_plain if item.plain else encode)(tokenizer, item.question, item.answer)


def rate(step: int, steps: int, warmup: float) -> float:
    """The learning rate's share of its highest: it rises, then falls to nothing in a straight line."""
    rising = max(1, round(steps * warmup))
    return (step + 1) / rising if step < rising else (steps - step) / max(1, steps - rising)


def _shuffled(count: int, seed: int, epoch: int) -> list[int]:
    order = list(range(count))
    random.Random(seed * 10_007 + epoch).shuffle(order)  # noqa: S311 - an order, not a secret
    return order


def _refusing(work: Unlearning) -> list[Chat]:
    if not work.refusals:
        raise ValueError("this method teaches sentences that decline, and none were given")
    rng = random.Random(work.seed)  # noqa: S311 - a choice, not a secret
    return [encode(work.tokenizer, item.question, rng.choice(work.refusals)) for item in work.corpus.forget]


def _adapted(model: Any, rank: int | None) -> Any:
    if rank is None:
        return model
    from peft import LoraConfig, get_peft_model

    return get_peft_model(
        model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
    )


def _reference(work: Unlearning, needs: Needs) -> Any:
    if not needs.reference:
        return None
    frozen = work.target().eval()
    return frozen.requires_grad_(False)


class _Workers:
    """The processes of the run; one where nothing launched several."""

    def __init__(self) -> None:
        import torch

        self._on = torch.distributed.is_available() and torch.distributed.is_initialized()
        self.rank = torch.distributed.get_rank() if self._on else 0
        self.count = torch.distributed.get_world_size() if self._on else 1

    def average(self, parameters: Sequence[Any]) -> None:
        """Make every process's gradients the mean of all."""
        import torch

        if not self._on:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            torch.distributed.all_reduce(parameter.grad)
            parameter.grad /= self.count


class _State:
    """What a run that is broken off goes on from."""

    def __init__(self, work: Unlearning, parts: Mapping[str, Any], parameters: Sequence[Any]) -> None:
        self._file: Path | None = work.checkpoint
        self._parts, self._parameters, self._meter = parts, parameters, work.meter
        self._spec = repr((asdict(work.options), work.corpus.digest, work.seed, len(parameters)))

    def resume(self) -> int:
        """Steps that are done already."""
        import torch

        if self._file is None or not self._file.is_file():
            return 0
        state = torch.load(self._file, weights_only=True)
        if state["spec"] != self._spec:
            raise ValueError(f"{self._file} is another run's: delete it to start anew")
        with torch.no_grad():
            for parameter, value in zip(self._parameters, state["weights"], strict=True):
                parameter.copy_(value)
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        self._meter.tokens = state["tokens"]
        return int(state["step"])

    def keep(self, step: int) -> None:
        """Write the state after ``step`` steps, whole or not at all."""
        import torch

        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        scratch = self._file.with_suffix(".part")
        parts = {name: part.state_dict() for name, part in self._parts.items()}
        weights = [parameter.detach() for parameter in self._parameters]
        torch.save(
            {**parts, "weights": weights, "spec": self._spec, "step": step, "tokens": self._meter.tokens}, scratch
        )
        os.replace(scratch, self._file)
