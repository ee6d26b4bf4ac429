"""`letheward store`: the database of the forget lists, and the keys that seal it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from server.cli_fail import fail

app = typer.Typer(no_args_is_help=True, help="Encrypt the forget-list store.")


@app.command("new-key")
def new_key() -> None:
    """Print a new key for LETHEWARD_STORE_KEYS. Without it the store cannot be read: keep a copy elsewhere."""
    from guard.sealing import new_key as make

    typer.echo(make())


@app.command()
def seal(
    database_url: Annotated[str | None, typer.Option(help="SQLAlchemy URL; default as for `letheward serve`.")] = None,
    config: Annotated[Path | None, typer.Option(help="File with the settings of `letheward serve`.")] = None,
) -> None:
    """Encrypt all texts in the store with the first key of LETHEWARD_STORE_KEYS (a JSON list).

    For a store that was in the clear, and after a new key was put before the old one. Servers may run meanwhile if they
    have been started with the same keys. Afterwards the older keys are needed for backups alone.
    """
    from guard.store import StoreError
    from server.config import BadConfig, load_settings
    from server.opening import open_store, sealing

    try:
        settings = load_settings({"database_url": database_url, "config": config}).settings
        if not sealing(settings).on:
            raise fail("There is no key: make one with `letheward store new-key`, and set LETHEWARD_STORE_KEYS.")
        store = open_store(settings)
    except (BadConfig, StoreError, ValueError) as error:
        raise fail(str(error)) from error
    try:
        with typer.progressbar(length=store.sealable(), label="sealing", file=sys.stderr) as bar:
            done = store.seal(bar.update)
    except StoreError as error:
        raise fail(str(error)) from error
    finally:
        store.close()
    typer.echo(f"sealed {done} values; all are sealed with the first key now")
