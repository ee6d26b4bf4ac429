"""`letheward eco train-tokens` and `list-tokens`: classifiers of the words that ECO is to corrupt."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from server.client import AdminClient, Key, Proxy

if TYPE_CHECKING:
    from classifiers.token_manifest import TokenManifest
    from classifiers.types import Target

CacheDir = Annotated[Path | None, typer.Option(help="Where the server keeps things; default its setting.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FOLDER = "token-classifiers"  # in the cache folder
_SHOWN = 3  # bad lines of a file


def train_tokens(
    source: Annotated[str, typer.Option("--list", help="A file as `lists export` prints it, or the name of a list.")],
    name: Annotated[str | None, typer.Option(help="What to call it; default the list's name.")] = None,
    cache_dir: CacheDir = None,
    epochs: Annotated[int, typer.Option(min=1, help="How often the words are gone through.")] = 12,
    lr: Annotated[float, typer.Option(help="Highest learning rate.")] = 2e-3,
    seed: Annotated[int, typer.Option(help="The same seed gives the same classifier.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 2,
    url: Proxy = "http://127.0.0.1:8080",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Train a classifier on a list: which words of a prompt carry what is to be forgotten.

    A list takes it with `letheward lists set LIST --token-classifier NAME`.
    """
    name = _checked(name or Path(source).stem)
    folder = _root(cache_dir) / name
    targets = _targets(source, url, key)
    from classifiers.token_data import token_examples
    from classifiers.token_training import TokenRecipe
    from classifiers.token_training import train_tokens as run

    recipe = TokenRecipe(epochs=epochs, lr=lr, seed=seed, threads=threads)
    try:
        examples = token_examples(targets, seed)
        with _bar(name) as progress:
            manifest = run(examples, folder, recipe, name=name, progress=progress)
    except (ValueError, RuntimeError, OSError) as error:
        raise _fail(str(error)) from error
    except KeyboardInterrupt:
        typer.secho("Stopped; nothing was saved.", err=True)
        raise typer.Exit(130) from None
    if as_json:
        typer.echo(json.dumps(_plain(manifest) | {"folder": str(folder)}, indent=2, ensure_ascii=False))
    else:
        typer.echo(f"{_told(manifest)}\n  saved in {folder}")


def list_tokens(cache_dir: CacheDir = None, as_json: AsJson = False) -> None:
    """Show the trained token classifiers with their figures. Ends with 1 where one is damaged."""
    from classifiers.token_manifest import installed

    root = _root(cache_dir)
    found = installed(root)
    broken = {name: str(item) for name, item in found.items() if isinstance(item, ValueError)}
    whole = {name: item for name, item in found.items() if not isinstance(item, ValueError)}
    if as_json:
        told = [_plain(item) | {"folder": str(root / name)} for name, item in whole.items()]
        typer.echo(json.dumps({"token_classifiers": told, "damaged": broken}, indent=2, ensure_ascii=False))
    else:
        lines = [_told(item) for item in whole.values()] + [f"{name}: damaged, {why}" for name, why in broken.items()]
        typer.echo("\n".join(lines) or f"no token classifiers in {root}: make one with `letheward eco train-tokens`")
    if broken:
        raise typer.Exit(1)


def _targets(source: str, url: str, key: str | None) -> list[Target]:
    from guard.importer import read_entries
    from guard.snapshot import target

    if Path(source).is_file():
        lines = _read(Path(source))
    elif Path(source).suffix in (".json", ".jsonl") or "/" in source:
        raise _fail(f"{source} is no file: give one, or the name of a list of the running proxy")
    else:
        lines = AdminClient(url, key).text(f"/lists/{quote(source, safe='')}/export")
    entries, problems = read_entries(lines.splitlines(), Path(source).stem)
    if problems:
        shown = "; ".join(f"line {p.line}: {p.message}" for p in problems[:_SHOWN])
        raise _fail(f"{source} has {len(problems)} lines that are no entries: {shown}")
    return [target(entry) for entry in entries]


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


def _root(cache_dir: Path | None) -> Path:
    from pydantic import ValidationError

    from server.settings import Settings

    try:
        return (cache_dir or Settings().cache_dir) / FOLDER
    except ValidationError as error:
        raise _fail(f"Bad settings in the environment: {error}") from error


@contextmanager
def _bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr."""
    with typer.progressbar(length=0, label=name, file=sys.stderr) as bar:

        def progress(done: int, steps: int) -> None:
            bar.length = steps
            bar.update(done - bar.pos)

        yield progress


def _told(manifest: TokenManifest) -> str:
    n = {kind.removeprefix("train "): count for kind, count in manifest.n.items() if kind.startswith("train ")}
    lines = [f"{manifest.name}: trained on {', '.join(f'{c} sentences {k}' for k, c in n.items())}"]
    lines += [
        f"  held out, {kind}: precision {s.precision:.1%}, recall {s.recall:.1%}, F1 {s.f1:.1%} of {s.wanted} words"
        for kind, s in manifest.held.items()
    ]
    return "\n".join(lines)


def _plain(manifest: TokenManifest) -> dict[str, Any]:
    return asdict(manifest) | {"held": {kind: scores.plain() for kind, scores in manifest.held.items()}}


def _fail(message: str) -> typer.Exit:
    typer.secho(message, fg=typer.colors.RED, err=True)
    return typer.Exit(2)
