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

if TYPE_CHECKING:
    from classifiers.calibrate import Rate
    from classifiers.prompt_manifest import Manifest
    from classifiers.training import Progress
    from classifiers.types import Target

app = typer.Typer(no_args_is_help=True, help="Train prompt classifiers, show those that there are, choose thresholds.")
app.command()(calibrate)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_SHOWN = 3  # bad lines of a file


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
    targets = _targets(list_file)
    name = _checked(name or (out.name if out else list_file.stem))
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
        raise _fail(str(error)) from error
    except KeyboardInterrupt:
        typer.secho("Stopped. The same command goes on from the last whole epoch.", err=True)
        raise typer.Exit(130) from None
    if as_json:
        typer.echo(json.dumps(_plain(manifest) | {"folder": str(folder)}, indent=2, ensure_ascii=False))
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
    found = installed(root)
    broken = {name: str(item) for name, item in found.items() if isinstance(item, ValueError)}
    whole = {name: item for name, item in found.items() if not isinstance(item, ValueError)}
    if as_json:
        told = [_plain(item) | {"folder": str(root / name)} for name, item in whole.items()]
        typer.echo(json.dumps({"classifiers": told, "damaged": broken}, indent=2, ensure_ascii=False))
    else:
        lines = [_told(item) for item in whole.values()] + [f"{name}: damaged, {why}" for name, why in broken.items()]
        typer.echo("\n".join(lines) or f"no classifiers in {root}: make one with `letheward detector train`")
    if broken:
        raise typer.Exit(1)


def _targets(file: Path) -> list[Target]:
    from guard.importer import read_entries
    from guard.snapshot import target

    entries, problems = read_entries(_read(file).splitlines(), file.stem)
    if problems:
        shown = "; ".join(f"line {p.line}: {p.message}" for p in problems[:_SHOWN])
        raise _fail(f"{file} has {len(problems)} lines that are no entries: {shown}")
    return [target(entry) for entry in entries]


def _kept(file: Path) -> list[str]:
    from server.keep_file import keep_texts

    try:
        found = keep_texts(_read(file))
    except ValueError as error:
        raise _fail(f"{file}: {error}") from error
    if not found:
        raise _fail(f"{file} has no texts: leave --keep out, or give texts that are to pass")
    return found


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _fail(f"{file} cannot be read as UTF-8 text: {error}") from error


def _checked(name: str) -> str:
    from classifiers.prompt_manifest import check_name

    try:
        return check_name(name)
    except ValueError as error:
        raise _fail(f"{error}; give one with --name") from error


def _root() -> Path:
    from pydantic import ValidationError

    from server.settings import Settings

    try:
        return Settings().cache_dir / "classifiers"
    except ValidationError as error:
        raise _fail(f"Bad settings in the environment: {error}") from error


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


def _plain(manifest: Manifest) -> dict[str, Any]:
    return asdict(manifest)


def _fail(message: str) -> typer.Exit:
    typer.secho(message, fg=typer.colors.RED, err=True)
    return typer.Exit(2)
