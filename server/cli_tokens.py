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

from server.cli_fail import fail
from server.cli_trained import checked_name, read_text, settings, show_trained, targets_of
from server.client import AdminClient, Key, Proxy

if TYPE_CHECKING:
    from classifiers.token_manifest import TokenManifest
    from classifiers.types import Target

CacheDir = Annotated[Path | None, typer.Option(help="Where the server keeps things; default its setting.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


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
    name = checked_name(name or Path(source).stem)
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
        raise fail(str(error)) from error
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
    show_trained(
        installed(root),
        kind="token_classifiers",
        plain=lambda name, item: _plain(item) | {"folder": str(root / name)},
        told=lambda _, item: _told(item),
        none=f"no token classifiers in {root}: make one with `letheward eco train-tokens`",
        as_json=as_json,
    )


def _targets(source: str, url: str, key: str | None) -> list[Target]:
    if Path(source).is_file():
        lines = read_text(Path(source))
    elif Path(source).suffix in (".json", ".jsonl") or "/" in source:
        raise fail(f"{source} is no file: give one, or the name of a list of the running proxy")
    else:
        lines = AdminClient(url, key).text(f"/lists/{quote(source, safe='')}/export")
    return targets_of(lines, source, Path(source).stem)


def _root(cache_dir: Path | None) -> Path:
    from guard.selection import FOLDER

    return (cache_dir or settings().cache_dir) / FOLDER


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
