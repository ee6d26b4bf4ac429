"""The `letheward` command. Nothing heavy is imported until a command needs it."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from server import __version__
from server.cli_audit import app as audit_app
from server.cli_check import check
from server.cli_config import app as config_app
from server.cli_detector import app as detector_app
from server.cli_doctor import doctor
from server.cli_dragon import app as dragon_app
from server.cli_eco import app as eco_app
from server.cli_entries import app as entries_app
from server.cli_fail import fail
from server.cli_import import documents, export, load
from server.cli_keys import app as keys_app
from server.cli_lists import app as lists_app
from server.cli_replay import replay
from server.cli_revisions import revisions, rollback
from server.cli_store import app as store_app
from server.cli_tokens import list_tokens, train_tokens
from server.cli_verify import verify

app = typer.Typer(
    name="letheward",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Makes a deployed LLM behave as if it had never learnt chosen facts.",
)
app.command()(check)
app.command()(doctor)
app.command()(replay)
app.command("import")(load)
app.command()(export)
app.command()(documents)
app.command()(revisions)
app.command()(rollback)
app.command()(verify)
app.add_typer(config_app, name="config")
app.add_typer(lists_app, name="lists")
app.add_typer(entries_app, name="entries")
app.add_typer(keys_app, name="keys")
app.add_typer(audit_app, name="audit")
app.add_typer(store_app, name="store")
app.add_typer(detector_app, name="detector")
app.add_typer(eco_app, name="eco")
app.add_typer(dragon_app, name="dragon")
eco_app.command()(train_tokens)
eco_app.command()(list_tokens)
for _more in entry_points(group="letheward.commands"):  # of packages that import this one, as the benchmarks do
    app.add_typer(_more.load(), name=_more.name)


def _version(shown: bool) -> None:
    if shown:
        typer.echo(f"letheward {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Makes a deployed LLM behave as if it had never learnt chosen facts."""


@app.command()
def serve(
    config: Annotated[Path | None, typer.Option(help="TOML or YAML file with settings.")] = None,
    model: Annotated[str | None, typer.Option(help="'smollm2' (embedded), a folder, or a hub name.")] = None,
    upstream: Annotated[
        str | None, typer.Option(help="A vLLM that is already there, e.g. http://host:8000/v1.")
    ] = None,
    model_path: Annotated[Path | None, typer.Option(help="The upstream model's folder, for ECO.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that serve from one socket.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    cache_dir: Annotated[Path | None, typer.Option(help="For the model, the lists, the admin key and logs.")] = None,
    database_url: Annotated[str | None, typer.Option(help="SQLAlchemy URL of the forget-list store.")] = None,
    sample_list: Annotated[bool | None, typer.Option(help="Create the sample list in an empty store.")] = None,
    enforce: Annotated[
        bool | None, typer.Option(help="--no-enforce: only watch; everything passes, and what would be done is logged.")
    ] = None,
    metrics_public: Annotated[bool | None, typer.Option(help="Serve /metrics without the admin key.")] = None,
    vllm_args: Annotated[str | None, typer.Option(help="More arguments for the managed vLLM.")] = None,
) -> None:
    """Start the model and the proxy before it. Every option is also a variable LETHEWARD_<NAME>."""
    given = dict(locals())
    from server.config import BadConfig, load_settings
    from server.managed import StartupFailed

    try:
        loaded = load_settings(given)
    except BadConfig as error:
        raise fail(f"Bad settings:\n{error}") from error
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning.message}", err=True)
    settings = loaded.settings
    from guard.store import StoreError
    from server.run import serve as run

    try:
        run(settings, given)
    except (StartupFailed, StoreError, RuntimeError, OSError, ValueError) as error:
        raise fail(str(error)) from error
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


if __name__ == "__main__":
    app()
