"""`letheward eco`: how ECO corrupts a list, fitted to the served model."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, help="Fit ECO to the served model: corruption strengths, token classifiers.")


@app.callback()
def main() -> None:
    """Fit ECO to the served model: corruption strengths, token classifiers."""
