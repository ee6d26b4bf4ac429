"""A report of the detector's benchmark as a short table for a README.

Usage: python -m benchmarks.detection.table benchmarks/results/detector-forget05.json [...]

A section of many figures (every disguise, every frame) becomes one row: how many meet their target, and the worst.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

Row = dict[str, Any]

_WHOLE = ("recall", "false positives", "not in the list", "traffic", "changes", "beyond encoder", "learning", "index",
          "without names")  # fmt: skip


def main(files: Annotated[list[Path], typer.Argument(help="What `--json` wrote.")]) -> None:
    """Print the table."""
    typer.echo("| | | measured | target |\n|---|---|---|---|")
    for file in files:
        sections: dict[str, list[Row]] = {}
        for line in json.loads(file.read_text(encoding="utf-8"))["lines"]:
            if line["value"] == line["value"]:  # a line that had no items has no figure
                sections.setdefault(line["section"], []).append(line)
        for section, own in sections.items():
            for row in _rows(section, own):
                typer.echo(f"| {' | '.join(row)} |")


def _rows(section: str, lines: list[Row]) -> Iterator[tuple[str, str, str, str]]:
    if section in _WHOLE or len(lines) == 1:
        for line in lines:
            yield section, line["name"], _figure(line), _target(line)
        return
    worst = max(lines, key=_short)
    aimed = [line["met"] for line in lines if line["target"] is not None]
    met = f"{sum(aimed)} of {len(aimed)} meet the target; " if aimed else f"{len(lines)} of them; "
    yield section, f"{met}worst: {worst['name']}", _figure(worst), _target(worst)


def _short(line: Row) -> float:
    """How far a share is from its target, from the wrong side."""
    if line["target"] is None:
        return -float(line["value"])
    gap = float(line["target"] - line["value"])
    return -gap if line["target"] < 0.5 else gap  # a small target is one for false positives


def _figure(line: Row) -> str:
    if "interval" in line:
        i = line["interval"]
        return f"{line['value']:.2%} ({i['hits']}/{i['n']}, {i['low']:.2%} to {i['high']:.2%})"
    return f"{line['value']:.0%}" if line["unit"] == "share" else f"{line['value']:.2f} {line['unit']}"


def _target(line: Row) -> str:
    if line["target"] is None:
        return ""
    shown = f"{line['target']:.1%}" if line["unit"] == "share" else f"{line['target']:g} {line['unit']}"
    return f"{shown} {'met' if line['met'] else 'missed'}"


if __name__ == "__main__":
    typer.run(main)
