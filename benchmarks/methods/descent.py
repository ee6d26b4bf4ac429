"""The loop that methods with a loss share: AdamW on batches of forget and retain pairs, resumable at every epoch.

Several processes (`accelerate launch`) each take a part of every batch. A process's gradient counts by its share of
the step's forget pairs; the sum is what one process computes where losses are means over pairs. Where they are means
over tokens (``Predicted.nll``), it is so for parts with as many tokens, and near it otherwise. Gradients are added up
before the step, so that any forward pass may be used, not the wrapped one alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.methods.batches import RETAIN, Batches, Needs
from benchmarks.methods.batches import encoded as encoded
from benchmarks.methods.method import Card, Method, Options, Training, Unlearning
from benchmarks.methods.state import Precise, State
from benchmarks.methods.step import Frozen, Loss, Step
from benchmarks.models.training import rate
from benchmarks.models.workers import Workers

Chosen = Callable[[Any, Any], Sequence[Any]]  # a model and the method's options -> the parameters to change
# A step, the method's options and the parameters that change; it alters their gradients, those of all processes.
Edit = Callable[[Step, Any, Sequence[Any]], None]


def by_loss(
    card: Card, loss: Loss, options: type[Training] = Options, needs: Needs = RETAIN, *,
    prepare: Callable[[Unlearning], Any] | None = None, trained: Chosen | None = None, edit: Edit | None = None,
    more: float = 0.0, beforehand: float = 0.0,
) -> Method:  # fmt: skip
    """A method that minimises ``loss``.

    ``prepare`` makes what steps then find as ``kept``; it may read the model, which is the target's still.
    ``trained(model, options)`` chooses the parameters to change. ``edit(step, options, parameters)`` alters their
    gradients, before they are clipped. ``more``: whole models' worth of memory beside a descent's own, and
    ``beforehand`` what ``prepare`` takes beside the weights.
    """

    def run(work: Unlearning) -> Any:
        return descend(work, loss, needs, kept=prepare(work) if prepare else None, trained=trained, edit=edit)

    alone = prepare is None and trained is None and edit is None
    copies = 4 + needs.reference + more
    return Method(card, options, run, loss if alone else None, needs if alone else None, copies, beforehand)


def descend(
    work: Unlearning, loss: Loss, needs: Needs, *, kept: Any = None, trained: Chosen | None = None,
    edit: Edit | None = None,
) -> Any:  # fmt: skip
    """Minimise ``loss`` over the forget set and return the model, a LoRA merged into it.

    Raises:
        ValueError: the checkpoint is another run's, or a set that is needed is empty.
    """
    import torch

    options: Training = work.options
    rank: int | None = getattr(options, "lora", None)
    batches = Batches(work, needs)
    model, reference = _adapted(work.model, rank, work.seed), _reference(work, needs)
    model.train()
    parameters = _only(model, trained, options)
    precise = Precise(parameters)
    steps = len(batches) * options.epochs
    optimiser = torch.optim.AdamW(precise.own, lr=options.lr, weight_decay=options.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda at: rate(at, steps, options.warmup))
    state = State(work, {"optimiser": optimiser, "schedule": schedule}, precise.own)
    begun = state.resume()
    precise.give_back()
    workers = Workers()
    for at in work.meter.over(range(begun, steps), steps, begun):
        torch.manual_seed(work.seed * 1_000_003 + at)  # of dropout, where a model has some
        chance = torch.Generator().manual_seed(work.seed * 1_000_003 + at)
        batch = batches.at(at, workers.rank, workers.count)
        seen = Frozen(reference, batch.sets, needs.hidden, work.meter.read) if reference is not None else None
        step = Step(
            model, batch.sets, needs.hidden, work.meter.read, seen, at, steps, chance, kept, batch.places,
            batch.retain_places,
        )  # fmt: skip
        torch.autograd.backward(loss(step, options) * batch.share)
        workers.add_up(parameters)
        if edit is not None:
            edit(step, options, parameters)
        torch.nn.utils.clip_grad_norm_(parameters, options.clip)
        precise.take_gradients()
        optimiser.step()
        schedule.step()
        precise.give_back()
        model.zero_grad(set_to_none=True)
        if (at + 1) % len(batches) == 0 and workers.rank == 0:
            state.keep(at + 1)
    model.eval()
    merged: Any = model.merge_and_unload() if rank else model
    return merged.requires_grad_(True)


def beside(file: Path | None, name: str) -> Path | None:
    """The checkpoint of a descent within a method, beside the method's own."""
    return file and file.with_name(f"{file.stem}-{name}{file.suffix}")


def _only(model: Any, trained: Chosen | None, options: Training) -> list[Any]:
    """The parameters to change; the others are told to stay."""
    parameters = list(trained(model, options)) if trained else [p for p in model.parameters() if p.requires_grad]
    chosen = {id(parameter) for parameter in parameters}
    for parameter in model.parameters():
        parameter.requires_grad_(id(parameter) in chosen)
    return parameters


def _adapted(model: Any, rank: int | None, seed: int) -> Any:
    if rank is None:
        return model
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    return get_peft_model(
        model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
    )


def _reference(work: Unlearning, needs: Needs) -> Any:
    if not needs.reference:
        return None
    frozen = work.target().eval()
    return frozen.requires_grad_(False)
