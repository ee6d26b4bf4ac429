"""`letheward detector`: prompt classifiers that are trained on a list, to be used in the scorer's place."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli_calibrate import calibrate
from server.cli_fail import fail
from server.cli_trained import checked_name, read_text, settings, show_trained, targets_of

if TYPE_CHECKING:
    from classifiers.calibrate import Rate
    from classifiers.prompt_manifest import Manifest
    from classifiers.training import Progress

app = typer.Typer(no_args_is_help=True, help="Train prompt classifiers, show those that there are, choose thresholds.")
app.command()(calibrate)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def train(
    list_file: Annotated[Path, typer.Option("--list", help="The forget list, as `lists export` prints it.")],
    keep: Annotated[Path | None, typer.Option(help="Texts that are to pass: JSON lines or plain lines.")] = None,
    name: Annotated[str | None, typer.Option(help="What to call it; default the list file's name.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to make; default <cache>/classifiers/NAME.")] = None,
    base: Annotated[str | None, typer.Option(help="Checkpoint folder or hub name; default the bundled MiniLM.")] = None,
    epochs: Annotated[int, typer.Option(help="How often the list is gone through.")] = 6,
    lr: Annotated[float, typer.Option(help="Highest learning rate; 2e-5 for a base of roberta's size.")] = 1e-4,
    batch: Annotated[int, typer.Option(help="Texts of one step.")] = 16,
    target: Annotated[float, typer.Option(help="False-positive rate that the threshold is chosen for.")] = 0.005,
    seed: Annotated[int, typer.Option(help="The same seed gives the same classifier.")] = 0,
    threads: Annotated[int | None, typer.Option(help="CPU threads; default torch's.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget an unfinished training of this name.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train a classifier on a list. After a kill the same command goes on from the last epoch."""
    texts = _kept(keep) if keep else []
    targets = targets_of(read_text(list_file), list_file, list_file.stem)
    name = checked_name(name or (out.name if out else list_file.stem))
    folder = out or _root() / name
    from classifiers.pretrained import BUNDLED
    from classifiers.training import Recipe
    from classifiers.training import train as run
    from classifiers.training_data import examples

    recipe = Recipe(base or BUNDLED, epochs, lr, batch, seed, target, threads)
    try:
        found = examples(targets, texts, seed)
        with _bar(name) as progress:
            manifest = run(found, folder, recipe, name=name, progress=progress, resume=not fresh)
    except (ValueError, RuntimeError, OSError) as error:
        raise fail(str(error)) from error
    except KeyboardInterrupt:
        typer.secho("Stopped. The same command goes on from the last whole epoch.", err=True)
        raise typer.Exit(130) from None
    if as_json:
        typer.echo(json.dumps(asdict(manifest) | {"folder": str(folder)}, indent=2, ensure_ascii=False))
    else:
        typer.echo(f"{_told(manifest)}\n  saved in {folder}")


@app.command("list")
def show(
    root: Annotated[Path | None, typer.Option("--in", help="Default <cache>/classifiers.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the trained classifiers with their figures. Ends with 1 where one is damaged."""
    from classifiers.prompt_manifest import installed

    root = root or _root()
    show_trained(
        installed(root),
        kind="classifiers",
        plain=lambda name, item: asdict(item) | {"folder": str(root / name)},
        told=lambda _, item: _told(item),
        none=f"no classifiers in {root}: make one with `letheward detector train`",
        as_json=as_json,
    )


def _kept(file: Path) -> list[str]:
    from server.keep_file import keep_texts

    try:
        found = keep_texts(read_text(file))
    except ValueError as error:
        raise fail(f"{file}: {error}") from error
    if not found:
        raise fail(f"{file} has no texts: leave --keep out, or give texts that are to pass")
    return found


def _root() -> Path:
    return settings().cache_dir / "classifiers"


@contextmanager
def _bar(name: str) -> Iterator[Any]:
    """A progress bar on stderr, and a line for each epoch."""
    with typer.progressbar(length=0, label=name, file=sys.stderr) as bar:

        def progress(at: Progress) -> None:
            bar.length = at.steps
            bar.update(at.step - bar.pos)
            if at.scores:
                typer.echo(
                    f"\nepoch {at.epoch} of {at.epochs}: loss {at.loss:.3f}, recall {_rate(at.scores.recall)}, "
                    f"false positives {_rate(at.scores.false_positives)} at threshold {at.scores.threshold:.3f}",
                    err=True,
                )

        yield progress


def _told(manifest: Manifest) -> str:
    promise = "" if manifest.bounded else " (the texts to keep cannot promise it: give more with --keep)"
    lines = [
        f"{manifest.name}: on {manifest.base}, {manifest.n.get('train list', 0)} texts to forget, seed {manifest.seed}",
        f"  threshold {manifest.threshold:.3f}, for {manifest.target:.2%} false positives{promise}",
        f"  recall {_rate(manifest.recall)}",
        f"  false positives {_rate(manifest.false_positives)}",
    ]
    return "\n".join([*lines, *(f"    flagged of {kind}: {_rate(rate)}" for kind, rate in manifest.by_kind.items())])


def _rate(rate: Rate) -> str:
    return f"{rate.value:.2%} of {rate.n} ({rate.low:.2%} to {rate.high:.2%})" if rate.n else "not measured"
