"""Break everything around the proxy, one thing at a time, and write down what came of it.

Usage: python -m benchmarks.faults [--only TEXT ...] [--quick] [--out benchmarks/results]

Ends with 1 where something leaked, was lost, or a client got what it ought not to.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.faults.case import Case, Found, cases, found, house, left_out
from benchmarks.faults.table import write


def main(
    only: Annotated[list[str] | None, typer.Option(help="Cases whose name holds this; several times.")] = None,
    quick: Annotated[bool, typer.Option(help="Without those that take minutes.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for faults.md and faults.json.")] = None,
) -> None:
    """Run the cases."""
    every = cases()
    wanted = [text.casefold() for text in only or [""]]
    chosen = [c for n, c in every.items() if any(w in n.casefold() for w in wanted) and not (quick and c.slow)]
    with tempfile.TemporaryDirectory(prefix="letheward-faults-") as folder:
        results = asyncio.run(run(chosen, Path(folder), lambda each: _noted(each, out, list(every))))
    raise typer.Exit(not all(each.holds for each in results))


async def run(chosen: Sequence[Case], folder: Path, note: Callable[[Found], Found]) -> list[Found]:
    """Every case, those that can on one service, in the order of the register."""
    results: dict[str, Found] = {}
    shared = [case for case in chosen if not case.own and not case.missing()]
    if shared:
        async with house(folder / "shared") as place:
            for case in shared:
                results[case.name] = note(await found(case, place))
    for number, case in enumerate(chosen):
        if case.name in results:
            continue
        if why := case.missing():
            results[case.name] = note(left_out(case, why))
            continue
        async with house(folder / f"own{number}", case.settings) as place:
            results[case.name] = note(await found(case, place))
    return [results[case.name] for case in chosen]


def _noted(each: Found, out: Path | None, order: Sequence[str]) -> Found:
    """Written down at once: a run that is ended leaves what it had found."""
    if out is not None:
        write([each], out, order)
    return _told(each)


def _told(each: Found) -> Found:
    typer.echo(f"{'holds' if each.holds else 'FAILS'}  {each.name}  {each.seconds:.1f} s")
    for label, count in sorted(each.got.items()):
        typer.echo(f"         {label} ×{count}")
    for what in (*each.leaked, *each.wrong, *([f"{each.lost} lost"] if each.lost else [])):
        typer.echo(f"       ! {what}")
    return each


if __name__ == "__main__":
    typer.run(main)
