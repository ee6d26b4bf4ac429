"""`letheward doctor`: what is wrong with a set-up, and what to do about it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from server.doctor.finding import Finding, Status

_COLOURS: dict[Status, str] = {"ok": typer.colors.GREEN, "warn": typer.colors.YELLOW, "fail": typer.colors.RED}


def doctor(
    config: Annotated[Path | None, typer.Option(help="TOML or YAML file with settings.")] = None,
    model: Annotated[str | None, typer.Option(help="As for `letheward serve`, as all that follow.")] = None,
    upstream: Annotated[str | None, typer.Option()] = None,
    model_path: Annotated[Path | None, typer.Option()] = None,
    host: Annotated[str | None, typer.Option()] = None,
    port: Annotated[int | None, typer.Option()] = None,
    cache_dir: Annotated[Path | None, typer.Option()] = None,
    database_url: Annotated[str | None, typer.Option()] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find what is wrong with a set-up: ends with 1 where something does not work. Changes nothing."""
    given = {k: v for k, v in locals().items() if k != "as_json"}
    from server.doctor.examine import examine

    found: list[Finding] = []
    for finding in examine(given):
        found.append(finding)
        if not as_json:
            _say(finding)
    count = Counter(f.status for f in found)
    if as_json:
        counts = {status: count[status] for status in _COLOURS}
        typer.echo(json.dumps({"checks": list(map(asdict, found)), **counts}, indent=2, ensure_ascii=False))
    else:
        typer.echo(f"{len(found)} checks: {count['ok']} ok, {count['warn']} to look at, {count['fail']} failed")
    raise typer.Exit(1 if count["fail"] else 0)


def _say(finding: Finding) -> None:
    mark = typer.style(f"{finding.status:<5}", fg=_COLOURS[finding.status])
    typer.echo(f"{mark}{finding.check:<14} {finding.told}")
    if finding.todo:
        typer.echo(f"     {'':<14} -> {finding.todo}")
