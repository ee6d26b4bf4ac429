"""Fine-tuning of a small guard model on made-up pairs: a LoRA, which vLLM serves beside its base.

DRAGON fine-tunes Llama-3.1-8B on 1,000 pairs (arXiv 2511.05784). Here the base is whatever is served, small by
default, so that it can be done on a CPU: in fp32 (bf16 is emulated there), with the loss on the reasoning alone and
logits for its tokens alone. Low-rank updates of all linear layers (Hu et al., 2021, arXiv 2106.09685), scale 2r / r;
AdamW, warm-up over a tenth of the steps, then a cosine to 0. The state with the least loss on held-out pairs is kept.
"""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from classifiers.checkpoints import Checkpoints
from classifiers.training import schedule
from guard.adapters import CONFIG, SERVED_RANKS, TARGETS, TOKENIZER, WEIGHTS, Manifest, check_name, sha256
from guard.reasoning import guard_prompt
from guard.synthetic import Pair, pairs

_ROUND = 12  # steps between two states on disk, each with a look at the held-out pairs
_CLIP = 1.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """Options of a run.

    Attributes:
        count: pairs to train on.
        held: pairs that only the loss is measured on.
        epochs: how often the pairs are gone through.
        rank: of the update matrices.
        lr: highest learning rate.
        batch: pairs of one step.
        longest: tokens; longer pairs are left out.
        seed: of pairs, order and first weights.
        threads: of torch; None: as many as the machine has idle. One that waits for a busy core holds up the others:
            on 2 busy cores 2 threads were 10 times slower than one.
    """

    count: int = 1000
    held: int = 24
    epochs: int = 1
    rank: int = 8
    lr: float = 1e-3
    batch: int = 4
    longest: int = 320
    seed: int = 0
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is. ``held_loss`` is there when a round has ended."""

    step: int
    steps: int
    loss: float
    held_loss: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Token ids of one pair; the last ``told`` of them are the reasoning and the mark that ends it."""

    ids: tuple[int, ...]
    told: int


def libraries() -> tuple[Any, Any, Any]:
    """torch, transformers and peft.

    Raises:
        RuntimeError: one is missing; says which extra has it.
    """
    try:
        import peft
        import torch
        import transformers
    except ImportError as error:
        why = f"a guard model's training needs the extra 'train': pip install 'letheward[train]' ({error})"
        raise RuntimeError(why) from error
    return torch, transformers, peft


def train(
    base: Path,
    out: Path,
    recipe: Recipe | None = None,
    *,
    name: str | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    resume: bool = True,
) -> Manifest:
    """Fine-tune an adapter for the model in ``base`` and save it in ``out``.

    The state is written beside ``out`` after every round; a run that was killed goes on from there and ends with the
    weights that it would have had. An adapter that is in ``out`` already is replaced when all is done.

    Raises:
        ValueError: an option or ``out`` is no use, or the state beside it is of another run.
        RuntimeError: a library is missing, or the base has no chat template.
    """
    recipe, out = recipe or Recipe(), out.absolute()
    _check(recipe, out)
    check_name(name or out.name)
    torch, transformers, peft = libraries()
    torch.set_num_threads(recipe.threads or idle_cores())
    began = time.monotonic()
    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    trained, too_long = _rows(tokenizer, pairs(recipe.count, recipe.seed), recipe.longest)
    held, _ = _rows(tokenizer, pairs(recipe.held, recipe.seed, held=True), recipe.longest)
    torch.manual_seed(recipe.seed)
    model = peft.get_peft_model(
        transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32),
        peft.LoraConfig(r=recipe.rank, lora_alpha=2 * recipe.rank, target_modules=list(TARGETS), task_type="CAUSAL_LM"),
    )
    checkpoints = Checkpoints(out.with_name(f"{out.name}.partial"))
    run = json.dumps([asdict(recipe), [asdict(row) for row in (*trained, *held)], sha256(base / TOKENIZER)])
    checkpoints.begin(run, resume=resume)
    losses = _Run(model, trained, held, recipe, checkpoints, progress).rounds()
    done = checkpoints.folder / "done"
    shutil.rmtree(done, ignore_errors=True)
    _save(model, done, base.name)
    manifest = Manifest(
        name or out.name, base.name, sha256(base / TOKENIZER), recipe.rank, asdict(recipe),
        {"train": len(trained), "held": len(held), "too long": too_long}, losses, {},
        {library.__name__: library.__version__ for library in (torch, transformers, peft)},
        round(time.monotonic() - began, 1), {file: sha256(done / file) for file in (CONFIG, WEIGHTS)},
    )  # fmt: skip
    manifest.save(done)
    if out.exists():
        shutil.rmtree(checkpoints.folder / "replaced", ignore_errors=True)
        out.rename(checkpoints.folder / "replaced")
    done.rename(out)
    checkpoints.remove()
    return manifest


def idle_cores() -> int:
    """Cores that nothing else has used in the last minute; at least one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores - round(os.getloadavg()[0]))


class _Adapter:
    """The trained weights alone, as ``Checkpoints`` takes a model."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def state_dict(self) -> dict[str, Any]:
        _, _, peft = libraries()
        found: dict[str, Any] = peft.get_peft_model_state_dict(self._model)
        return found

    def load_state_dict(self, weights: dict[str, Any]) -> None:
        _, _, peft = libraries()
        peft.set_peft_model_state_dict(self._model, weights)


class _Run:
    def __init__(
        self,
        model: Any,
        trained: Sequence[Row],
        held: Sequence[Row],
        recipe: Recipe,
        checkpoints: Checkpoints,
        progress: Callable[[Progress], None],
    ) -> None:
        import torch

        self._torch, self._model = torch, model
        self._recipe, self._checkpoints, self._progress = recipe, checkpoints, progress
        self._held = held
        self._own = [p for p in model.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(self._own, lr=recipe.lr, weight_decay=0.0)
        self._batches = list(_batches(trained, recipe))
        self._losses: list[tuple[int, float]] = []

    def rounds(self) -> tuple[tuple[int, float], ...]:
        """Train what is left to train; the model has the best round's weights then."""
        adapter = _Adapter(self._model)
        steps = len(self._batches)
        done = self._checkpoints.restore(adapter, self._optimizer).epoch
        self._losses = _read_losses(self._checkpoints.folder)[:done]
        for number in range(done, math.ceil(steps / _ROUND)):
            last = min(steps, (number + 1) * _ROUND)
            loss = self._steps(number * _ROUND, last)
            held = self._held_loss()
            self._losses.append((last, round(held, 4)))
            (self._checkpoints.folder / "losses.json").write_text(json.dumps(self._losses))
            self._checkpoints.save(number + 1, (held,), adapter, self._optimizer)
            self._progress(Progress(last, steps, loss, held))
        self._checkpoints.load_best(adapter)
        return tuple(self._losses)

    def _steps(self, first: int, last: int) -> float:
        """Steps ``first`` to before ``last``; their mean loss."""
        steps = len(self._batches)
        losses: list[float] = []
        self._model.train()
        for step in range(first, last):
            for group in self._optimizer.param_groups:
                group["lr"] = self._recipe.lr * schedule(step, steps)
            loss = self._loss(self._batches[step])
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self._torch.nn.utils.clip_grad_norm_(self._own, _CLIP)
            self._optimizer.step()
            losses.append(float(loss.detach()))
            if not math.isfinite(losses[-1]):
                raise RuntimeError(f"the loss is no number at step {step}: set --lr below {self._recipe.lr:g}")
            self._progress(Progress(step + 1, steps, losses[-1]))
        return sum(losses) / max(1, len(losses))

    def _held_loss(self) -> float:
        self._model.eval()
        size = self._recipe.batch
        ordered = sorted(self._held, key=lambda row: len(row.ids))
        with self._torch.no_grad():
            found = [float(self._loss(ordered[i : i + size])) for i in range(0, len(ordered), size)]
        return sum(found) / len(found)

    def _loss(self, rows: Sequence[Row]) -> Any:
        """Mean cross-entropy of the reasoning's tokens. Rows are padded on the left, so that these stand last."""
        torch = self._torch
        longest, told = max(len(r.ids) for r in rows), max(r.told for r in rows)
        ids = torch.zeros((len(rows), longest), dtype=torch.long)  # (batch, tokens)
        seen = torch.zeros_like(ids)
        labels = torch.full((len(rows), told), -100)  # (batch, told)
        for i, row in enumerate(rows):
            ids[i, longest - len(row.ids) :] = torch.tensor(row.ids)
            seen[i, longest - len(row.ids) :] = 1
            labels[i, told - row.told :] = torch.tensor(row.ids[-row.told :])
        places = (seen.cumsum(-1) - 1).clamp(min=0)
        logits = self._model(input_ids=ids, attention_mask=seen, position_ids=places, logits_to_keep=told + 1).logits
        return torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels.flatten(), ignore_index=-100)


def _batches(rows: Sequence[Row], recipe: Recipe) -> Iterator[list[Row]]:
    """The batches of all epochs; rows of like length stand together, so that there is little padding."""
    for epoch in range(recipe.epochs):
        rng = random.Random(f"{recipe.seed} {epoch} rows")  # noqa: S311
        drawn = rng.sample(rows, len(rows))
        size = recipe.batch
        blocks = (sorted(drawn[i : i + 8 * size], key=lambda r: len(r.ids)) for i in range(0, len(drawn), 8 * size))
        found = [block[i : i + size] for block in blocks for i in range(0, len(block), size)]
        rng.shuffle(found)
        yield from found


def _rows(tokenizer: Any, found: Sequence[Pair], longest: int) -> tuple[list[Row], int]:
    """Token ids as the served model sees them, and how many pairs are too long."""
    rows = [_row(tokenizer, pair) for pair in found]
    kept = [row for row in rows if len(row.ids) <= longest]
    if not kept:
        raise ValueError(f"every pair has more than {longest} tokens: raise the limit")
    return kept, len(rows) - len(kept)


def _row(tokenizer: Any, pair: Pair) -> Row:
    asked = {"role": "user", "content": guard_prompt(pair.guideline, pair.prompt)}
    if not tokenizer.chat_template:
        raise RuntimeError("the base has no chat template: a guard model must be one that is chatted with")
    before = tokenizer.apply_chat_template([asked], tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template(
        [asked, {"role": "assistant", "content": pair.reasoning}], tokenize=False
    ).rstrip()
    if not whole.startswith(before):
        raise RuntimeError("the base's chat template writes an answer differently from how it asks for one")
    first = tokenizer(before, add_special_tokens=False).input_ids
    rest = tokenizer(whole[len(before) :], add_special_tokens=False).input_ids
    return Row((*first, *rest), len(rest))


def _read_losses(folder: Path) -> list[tuple[int, float]]:
    file = folder / "losses.json"
    return [(int(step), float(loss)) for step, loss in json.loads(file.read_text())] if file.exists() else []


def _save(model: Any, folder: Path, base: str) -> None:
    """The adapter as peft writes it, without where its base lies on this machine."""
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)  # a model card to be filled in
    (folder / WEIGHTS).chmod(0o644)
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | {"base_model_name_or_path": base}, indent=2, sort_keys=True))


def _check(recipe: Recipe, out: Path) -> None:
    if not out.name:
        raise ValueError(f"{out} cannot be an adapter's folder: give one inside another")
    if min(recipe.count, recipe.held, recipe.epochs, recipe.batch, recipe.threads or 1) < 1:
        raise ValueError("pairs, held-out pairs, epochs, batch and threads must be 1 or more")
    if not 1 <= recipe.rank <= SERVED_RANKS[-1] or not 0 < recipe.lr < 1:
        raise ValueError(f"the rank must lie between 1 and {SERVED_RANKS[-1]}, the learning rate between 0 and 1")
    if out.exists() and not (out / CONFIG).exists():
        raise ValueError(f"{out} is there already and is no adapter: give another folder or name")
