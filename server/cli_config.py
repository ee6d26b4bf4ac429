"""`letheward config`: look at a configuration before a server runs with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli_fail import fail

if TYPE_CHECKING:
    from server.config import Loaded

app = typer.Typer(no_args_is_help=True, help="Check, show and describe the settings of `letheward serve`.")

File = Annotated[Path | None, typer.Argument(help="TOML or YAML file; default the one that LETHEWARD_CONFIG names.")]


@app.command()
def check(file: File = None) -> None:
    """See that the file and the environment make settings that a server can start with."""
    loaded = _load(file)
    count = sum(source != "default" for name, source in loaded.sources.items() if name != "config")
    typer.echo(f"{loaded.file.path if loaded.file else 'environment'}: {count} settings, all can be used")


@app.command()
def show(
    file: File = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, without where each comes from.")] = False,
) -> None:
    """Show the settings in force, secrets masked, and where each comes from."""
    from server.config_show import masked, to_toml

    loaded = _load(file)
    if as_json:
        typer.echo(json.dumps(masked(loaded.settings), indent=2))
        return
    for name, value in masked(loaded.settings).items():
        text = f"# {name} is not set" if value is None else f"{name} = {to_toml(value)}"
        typer.echo(f"{text}  # {_where(loaded, name)}" if loaded.sources[name] != "default" else text)


@app.command()
def schema() -> None:
    """Print the JSON schema of the file, for editors."""
    from server.config_show import file_schema

    typer.echo(json.dumps(file_schema(), indent=2))


def _where(loaded: Loaded, name: str) -> str:
    source = loaded.sources[name]
    position = loaded.file.position((name,)) if loaded.file and source == "file" else None
    return f"{source}, line {position.line}" if position else source


def _load(file: Path | None) -> Any:
    from server.config import BadConfig, load_settings

    try:
        loaded = load_settings({"config": file})
    except BadConfig as error:
        raise fail(str(error)) from error
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning.message}", err=True)
    return loaded
