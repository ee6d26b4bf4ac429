"""Two small models for the guards' benchmarks: one that knows the forget authors, one that never met them.

Usage: python -m benchmarks.finetune --tofu FOLDER --out DIR [--authors 5 --keep-authors 5 ...]

DIR/full learns the first authors of TOFU's forget10 (or another split) and of its retain90, DIR/retained the
latter alone, with as many steps for each pair. Both are ordinary checkpoint folders that vLLM serves. A broken-off
run goes on from its last epoch when started again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.data.tofu import Question, authors
from benchmarks.estimate import machine
from benchmarks.models.packing import encode
from benchmarks.models.training import Progress, Recipe, train
from server.model_files import prepare_model
from server.settings import default_cache

DEFAULT = Recipe()


class Which(StrEnum):
    """The two models."""

    FULL = "full"
    RETAINED = "retained"


def main(
    tofu: Annotated[str, typer.Option(help="TOFU's folder or hub name.")],
    out: Annotated[Path, typer.Option(help="Folder for the models.")],
    authors_: Annotated[int, typer.Option("--authors", min=1, help="Authors of SPLIT that only *full* learns.")] = 5,
    split: Annotated[str, typer.Option(help="Of the authors that only *full* learns.")] = "forget10",
    keep_authors: Annotated[int, typer.Option(min=1, help="Authors of retain90 that both learn.")] = 5,
    which: Annotated[list[Which] | None, typer.Option(help="Default: both.")] = None,
    base: Annotated[str, typer.Option(help="smollm2, or a checkpoint folder.")] = "smollm2",
    cache_dir: Annotated[Path, typer.Option(help="For the embedded model.")] = default_cache(),  # noqa: B008
    epochs: Annotated[int, typer.Option(min=1, help="Over which the rate falls.")] = DEFAULT.epochs,
    stop: Annotated[int, typer.Option(min=1, help="Epochs after which to stop: the model recites by then.")] = 5,
    lr: Annotated[float, typer.Option(help="The highest learning rate.")] = DEFAULT.lr,
    batch: Annotated[int, typer.Option(min=1, help="Pairs to a step.")] = DEFAULT.batch,
    seed: Annotated[int, typer.Option(help="For the order of the pairs.")] = DEFAULT.seed,
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Fine-tune the models, each unless its folder is there already."""
    recipe = Recipe(epochs=epochs, lr=lr, batch=batch, seed=seed, threads=threads, stop=stop)
    folder = prepare_model(base, cache_dir, lambda text: typer.echo(text, err=True))
    if folder is None:
        raise typer.BadParameter(f"{base} is not on this machine", param_hint="--base")
    keep = authors(tofu, "retain90", keep_authors)
    forget = authors(tofu, split, authors_)
    for one in which or list(Which):
        data = {"retain90": keep_authors, **({split: authors_} if one is Which.FULL else {})}
        pairs = [*keep, *(forget if one is Which.FULL else [])]
        if (out / one / "manifest.json").is_file():
            typer.echo(f"{one}: there already", err=True)
            continue
        typer.echo(f"{one}: {len(pairs)} pairs, {epochs} epochs", err=True)
        made = finetune(folder, pairs, recipe, out / one, {"base": base, "authors": data})
        typer.echo(f"{one}: loss {made.losses[-1]:.3f} after {made.seconds:.0f} s")


def finetune(
    base: Path, pairs: Sequence[Question], recipe: Recipe, out: Path, about: dict[str, Any] | None = None
) -> Progress:
    """The checkpoint folder ``out``: ``base`` after training on ``pairs``, with a manifest that says how.

    Trained in float32, since a processor without bfloat16 arithmetic is many times slower in it; saved in bfloat16.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    chats = [encode(tokenizer, pair.question, pair.answer) for pair in pairs]
    state = out.with_name(f".{out.name}.training.pt")
    progress = train(model, chats, recipe, state)
    scratch = out.with_name(f".{out.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    model.bfloat16().save_pretrained(scratch)
    tokenizer.save_pretrained(scratch)
    text = json.dumps([[pair.question, pair.answer] for pair in pairs]).encode()
    manifest = {**(about or {}), "pairs": len(pairs), "data_sha256": hashlib.sha256(text).hexdigest(),
                "recipe": asdict(recipe), **asdict(progress), "machine": machine()}  # fmt: skip
    (scratch / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    scratch.rename(out)
    state.unlink(missing_ok=True)
    return progress


if __name__ == "__main__":
    typer.run(main)
