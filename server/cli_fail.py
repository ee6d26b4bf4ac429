"""How every command says that it cannot go on."""

from __future__ import annotations

import typer


def fail(message: str) -> typer.Exit:
    """Say what is wrong on stderr; the caller raises what comes back, which ends with 2."""
    typer.secho(message, fg=typer.colors.RED, err=True)
    return typer.Exit(2)
