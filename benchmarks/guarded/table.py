"""Reports of the guards' benchmarks as tables for a README.

Usage: python -m benchmarks.guarded.table benchmarks/results/eco.json [benchmarks/results/traces.json ...]
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.guarded.rows import markdown as guards
from benchmarks.guarded.telling import markdown as tellings
from benchmarks.guarded.timing import markdown as times

_BY_KIND = {"rows": guards, "tellings": tellings, "figures": times}


def main(files: Annotated[list[Path], typer.Argument(help="What `--json` of eco, traces or overhead wrote.")]) -> None:
    """Print one table for each file."""
    for file in files:
        report = json.loads(file.read_text(encoding="utf-8"))
        for kind, shown in _BY_KIND.items():
            if kind in report:
                typer.echo(shown(report[kind]))


if __name__ == "__main__":
    typer.run(main)
