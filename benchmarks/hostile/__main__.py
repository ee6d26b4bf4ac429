"""Send a proxy whatever a hostile client can think of, and write down what came of it.

Usage: python -m benchmarks.hostile [--only TEXT ...] [--out benchmarks/results]

Ends with 1 where something reached the model unjudged, an answer was the server's own fault, or it was not well after.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.faults.case import house
from benchmarks.faults.table import save, together
from benchmarks.hostile.case import Found, cases, found

_HEAD = """# Hostile input

Made by `make faults`. Every case is sent to a `letheward serve` with a list that refuses to speak of a name, and most
requests hold that name. *unjudged*: requests in which it reached the model server all the same. *healthy after*: the
same process answers, guards and takes changes. "200 refuse": judged and refused by the list.

"""


def main(
    only: Annotated[list[str] | None, typer.Option(help="Cases whose name holds this; several times.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for hostile.md and hostile.json.")] = None,
) -> None:
    """Run the cases."""
    wanted = [text.casefold() for text in only or [""]]
    chosen = [name for name in cases() if any(text in name.casefold() for text in wanted)]
    with tempfile.TemporaryDirectory(prefix="letheward-hostile-") as folder:
        results = asyncio.run(run(chosen, Path(folder), out))
    raise typer.Exit(not all(each.holds for each in results))


async def run(chosen: Sequence[str], folder: Path, out: Path | None = None) -> list[Found]:
    """Every case on one service."""
    results = []
    async with house(folder) as place:
        for name in chosen:
            results.append(each := await found(name, place))
            if out is not None:  # at once: a run that is ended leaves what it had found
                _write([each], out)
            typer.echo(f"{'holds' if each.holds else 'FAILS'}  {name}: {_got(each)}")
            for what in (*each.wrong, *place.wrong, *([f"{each.unjudged} unjudged"] if each.unjudged else [])):
                typer.echo(f"     ! {what}")
    return results


def _got(each: Found) -> str:
    return "; ".join(f"{label} ×{count}" for label, count in sorted(each.got.items()))


def _write(results: Sequence[Found], folder: Path) -> None:
    file = folder / "hostile.json"
    results = together(file, Found, results, cases())
    lines = ["| case | what the client gets | unjudged | healthy after | |", "|---|---|---|---|---|"]
    for each in results:
        state = "holds" if each.holds else "**fails**: " + "; ".join(each.wrong[:20])
        well = "yes" if each.healthy else "**no**"
        lines.append(f"| {each.name} | {_got(each)} | {each.unjudged} | {well} | {state} |".replace("\n", " "))
    save(file, _HEAD, lines, results)


if __name__ == "__main__":
    typer.run(main)
