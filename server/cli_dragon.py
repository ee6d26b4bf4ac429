"""`letheward dragon`: guard models for DRAGON, fine-tuned on made-up questions, and what they are worth."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli_fail import fail
from server.cli_trained import settings, show_trained

if TYPE_CHECKING:
    from classifiers.calibrate import Rate
    from guard.adapters import Manifest
    from guard.lora import Progress
    from guard.synthetic import Pair
    from guard.usable import Written

app = typer.Typer(no_args_is_help=True, help="Fine-tune guard models for DRAGON, measure and show them.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="The adapter's name.")]
Base = Annotated[
    str | None, typer.Option(help="The served model: smollm2, a folder, or a hub name; default the set one.")
]


@app.command()
def train(
    name: Name = "guard",
    pairs: Annotated[int, typer.Option(help="Made-up (prompt, reasoning) pairs to train on.")] = 1000,
    base: Base = None,
    out: Annotated[Path | None, typer.Option(help="Folder to make; default <cache>/dragon/NAME.")] = None,
    epochs: Annotated[int, typer.Option(help="How often the pairs are gone through.")] = 1,
    rank: Annotated[int, typer.Option(help="Of the update matrices.")] = 8,
    lr: Annotated[float, typer.Option(help="Highest learning rate.")] = 1e-3,
    batch: Annotated[int, typer.Option(help="Pairs of one step.")] = 4,
    seed: Annotated[int, typer.Option(help="The same seed gives the same pairs and the same adapter.")] = 0,
    threads: Annotated[int | None, typer.Option(help="CPU threads; default as many as are idle.")] = None,
    measure: Annotated[int, typer.Option(help="Made-up questions to measure base and adapter on; 0: none.")] = 40,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget an unfinished training of this name.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train a guard model on made-up pairs. After a kill the same command goes on from the last round."""
    from guard.lora import Recipe
    from guard.lora import train as run

    recipe = Recipe(pairs, epochs=epochs, rank=rank, lr=lr, batch=batch, seed=seed, threads=threads)
    try:
        folder, model = out or _root() / _checked(name), _model(base)
        with _bar(name) as progress:
            manifest = run(model, folder, recipe, name=name, progress=progress, resume=not fresh)
        if measure:
            found = _measured(model, folder, {"made-up": _held(measure, seed)})
            usable = {kind: {who: _share(w) for who, w in own.items()} for kind, own in found.items()}
            manifest = replace(manifest, usable=usable)
            manifest.save(folder)
    except (ValueError, RuntimeError, OSError) as error:
        raise fail(str(error)) from error
    except KeyboardInterrupt:
        typer.secho("Stopped. The same command goes on from the last whole round.", err=True)
        raise typer.Exit(130) from None
    if as_json:
        typer.echo(json.dumps(asdict(manifest) | {"folder": str(folder)}, indent=2, ensure_ascii=False))
    else:
        typer.echo(f"{_told(manifest)}\n  saved in {folder}; serve it with LETHEWARD_GUARD_LORA={name}")


@app.command("eval")
def evaluate(
    name: Name = "guard",
    list_file: Annotated[
        Path | None, typer.Option("--list", help="Ask about these entries too: a forget list, or TOFU's lines.")
    ] = None,
    count: Annotated[int, typer.Option(help="Questions of each kind.")] = 40,
    base: Base = None,
    seed: Annotated[int, typer.Option(help="Of the made-up questions.")] = 0,
    texts: Annotated[bool, typer.Option("--texts", help="Print what was written, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """The share of reasoning that may be used: the base's and the adapter's, on questions that it never saw."""
    try:
        from guard.adapters import read

        asked = {"made-up": _held(count, seed)}
        if list_file is not None:
            asked["list"] = _of_list(list_file, count)
        folder = _root() / _checked(name)
        read(folder)
        found = _measured(_model(base), folder, asked)
    except (ValueError, RuntimeError, OSError) as error:
        raise fail(str(error)) from error
    if as_json:
        typer.echo(json.dumps(_plain(found, texts), indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(_lines(found, texts)))


@app.command("list")
def show(
    root: Annotated[Path | None, typer.Option("--in", help="Default <cache>/dragon.")] = None, as_json: AsJson = False
) -> None:
    """Show the trained guard models with their figures. Ends with 1 where one is damaged."""
    from guard.adapters import GUARD_MODEL, installed, vllm_arguments

    root = root or _root()

    def served(name: str) -> str:
        return " ".join(vllm_arguments(root / name, GUARD_MODEL, None))

    show_trained(
        installed(root),
        kind="adapters",
        plain=lambda name, item: asdict(item) | {"folder": str(root / name), "vllm": served(name)},
        told=lambda name, item: f"{_told(item)}\n  another vLLM serves it with {served(name)}",
        none=f"no guard models in {root}: make one with `letheward dragon train`",
        as_json=as_json,
    )


def _measured(base: Path, adapter: Path, asked: dict[str, list[Pair]]) -> dict[str, dict[str, list[Written]]]:
    """For each kind of question what the base and the adapter write."""
    from guard.usable import write

    found: dict[str, dict[str, list[Written]]] = {kind: {} for kind in asked}
    for who, folder in (("base", None), ("adapter", adapter)):
        for kind, pairs in asked.items():
            with _counted(f"{who}, {kind}", len(pairs)) as progress:
                found[kind][who] = write(base, folder, pairs, progress=progress)
    return found


def _held(count: int, seed: int) -> list[Pair]:
    from guard.synthetic import pairs

    return pairs(count, seed + 1, held=True)  # not those that chose the round that was kept


def _of_list(file: Path, count: int) -> list[Pair]:
    from guard.importer import read_entries
    from guard.usable import questions

    entries, problems = read_entries(file.read_text(encoding="utf-8").splitlines(), file.stem)
    if problems:
        raise ValueError(f"{file}, line {problems[0].line}: {problems[0].message}")
    asked = questions(entries)
    if not asked:
        raise ValueError(f"{file} has no questions")
    step = max(1, len(asked) // count)  # neighbours in a file are about one person
    return asked[::step][:count]


def _share(written: Sequence[Written]) -> Rate:
    from guard.usable import share

    return share(written)


def _lines(found: dict[str, dict[str, list[Written]]], texts: bool) -> Iterator[str]:
    from guard.usable import faults

    for kind, own in found.items():
        for who, written in own.items():
            why = ", ".join(f"{fault} {n}" for fault, n in faults(written).items())
            yield f"{kind} questions, {who}: usable {_rate(_share(written))}{f'; {why}' if why else ''}"
            for item in written if texts else []:
                yield f"    {item.prompt!r}\n      {item.text!r}{f' ({item.fault})' if item.fault else ''}"


def _plain(found: dict[str, dict[str, list[Written]]], texts: bool) -> dict[str, Any]:
    from guard.usable import faults

    return {
        kind: {
            who: {"usable": asdict(_share(written)), "faults": faults(written)}
            | ({"texts": [asdict(item) for item in written]} if texts else {})
            for who, written in own.items()
        }
        for kind, own in found.items()
    }


def _told(manifest: Manifest) -> str:
    losses = f"{manifest.losses[0][1]:.2f} to {min(loss for _, loss in manifest.losses):.2f}"
    lines = [
        f"{manifest.name}: on {manifest.base}, rank {manifest.rank}, {manifest.n.get('train', 0)} pairs, "
        f"{manifest.seconds:.0f} s, held-out loss {losses}"
    ]
    for kind, own in manifest.usable.items():
        lines += [f"  {kind} questions, {who}: usable {_rate(rate)}" for who, rate in own.items()]
    return "\n".join(lines)


def _rate(rate: Rate) -> str:
    return f"{rate.value:.1%} of {rate.n} ({rate.low:.1%} to {rate.high:.1%})"


@contextmanager
def _bar(name: str) -> Iterator[Callable[[Progress], None]]:
    """A progress bar on stderr, and a line for each round."""
    from tqdm import tqdm

    with tqdm(desc=name, unit="step", file=sys.stderr) as bar:

        def progress(at: Progress) -> None:
            bar.total = at.steps
            bar.update(at.step - bar.n)
            bar.set_postfix(loss=f"{at.loss:.3f}")
            if at.held_loss is not None:
                bar.write(f"step {at.step} of {at.steps}: held-out loss {at.held_loss:.3f}", file=sys.stderr)

        yield progress


@contextmanager
def _counted(label: str, total: int) -> Iterator[Callable[[int], object]]:
    from tqdm import tqdm

    with tqdm(desc=label, total=total, unit="question", file=sys.stderr) as bar:
        yield bar.update


def _model(base: str | None) -> Path:
    from server.model_files import prepare_model

    own = settings()
    found = prepare_model(base or own.model, own.cache_dir, lambda text: typer.echo(text, err=True))
    if found is None:
        raise ValueError(f"{base or own.model} is neither a folder nor in the hub's cache: give one with --base")
    return found


def _checked(name: str) -> str:
    from guard.adapters import check_name

    return check_name(name)


def _root() -> Path:
    from guard.adapters import ADAPTERS

    return settings().cache_dir / ADAPTERS
