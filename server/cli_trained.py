"""What the commands share that train something and show what was trained."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from server.cli_fail import fail

if TYPE_CHECKING:
    from classifiers.types import Target
    from server.settings import Settings

T = TypeVar("T")
_SHOWN = 3  # bad lines of a file


def read_text(file: Path) -> str:
    """A file's text.

    Raises:
        typer.Exit: it cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise fail(f"{file} cannot be read as UTF-8 text: {error}") from error


def targets_of(text: str, source: object, name: str) -> list[Target]:
    """The entries of a list's lines as the detector knows them; ``source`` is where they are from.

    Raises:
        typer.Exit: some lines are no entries.
    """
    from guard.importer import read_entries
    from guard.in_force import target

    entries, problems = read_entries(text.splitlines(), name)
    if problems:
        shown = "; ".join(f"line {p.line}: {p.message}" for p in problems[:_SHOWN])
        raise fail(f"{source} has {len(problems)} lines that are no entries: {shown}")
    return [target(entry) for entry in entries]


def checked_name(name: str) -> str:
    """``name``, where a classifier can be called so.

    Raises:
        typer.Exit: it cannot.
    """
    from classifiers.prompt_manifest import check_name

    try:
        return check_name(name)
    except ValueError as error:
        raise fail(f"{error}; give one with --name") from error


def settings() -> Settings:
    """The server's settings, of which the cache folder is wanted.

    Raises:
        typer.Exit: the environment has bad ones.
    """
    from pydantic import ValidationError

    from server.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        raise fail(f"Bad settings in the environment: {error}") from error


def show_trained(
    found: Mapping[str, T | ValueError],
    *,
    kind: str,
    plain: Callable[[str, T], dict[str, Any]],
    told: Callable[[str, T], str],
    none: str,
    as_json: bool,
) -> None:
    """Print what was found by name; ``none`` where there is nothing. ``kind``: its key in the JSON.

    Raises:
        typer.Exit: with 1, one is damaged.
    """
    broken = {name: str(item) for name, item in found.items() if isinstance(item, ValueError)}
    whole = {name: item for name, item in found.items() if not isinstance(item, ValueError)}
    if as_json:
        shown = {kind: [plain(name, item) for name, item in whole.items()], "damaged": broken}
        typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        lines = [told(name, item) for name, item in whole.items()]
        typer.echo("\n".join([*lines, *(f"{name}: damaged, {why}" for name, why in broken.items())]) or none)
    if broken:
        raise typer.Exit(1)
