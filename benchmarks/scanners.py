"""Red-team suites as their users run them, bare and through the proxy: ``python -m benchmarks.scanners``.

garak's leak-replay probes under its buffs, and PyRIT's prompt-sending attack under its converters, ask for facts of
made-up people. Behind the proxy stands a model server that knows all of them and understands what it is asked
(``benchmarks.suites.oracles``), so that a hit is what the guard let through. The list has its default settings. Each
suite runs in an environment of its own: ``make bench-scanners``.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.data.corpus import Corpus, Item
from benchmarks.estimate import machine
from benchmarks.guarded.serving import Place, make_list, proxy
from benchmarks.methods.guard_list import lines
from benchmarks.redteam import facts_of
from benchmarks.redteaming.knower import Answering, serving
from benchmarks.suites import garak, pyrit
from benchmarks.suites.oracles import Reader, Told
from benchmarks.suites.scanned import Attempt, Rate, rates
from server.model_files import prepare_model
from server.settings import default_cache

Scan = Callable[[Place, Path], Awaitable[list[Attempt]]]


async def compared(oracle: Answering, facts: Sequence[Item], folder: Path, cache_dir: Path, scan: Scan) -> list[Rate]:
    """``scan`` before ``oracle``, bare and through the proxy; ``folder``: the model whose embeddings ECO uses."""
    with tempfile.TemporaryDirectory(prefix="letheward-scanners-") as scratch:
        place = Path(scratch)
        async with serving(oracle) as upstream, proxy(upstream, folder, place, cache_dir) as guarded:
            await make_list(guarded, "scanners", {}, lines(Corpus("scanners", tuple(facts), ())))
            bare = await scan(upstream, place / "bare")
            return list(rates(bare, await scan(guarded, place / "proxied")))


def main(
    garak_command: Annotated[Path | None, typer.Option("--garak", help="Its command; left out if not given.")] = None,
    pyrit_python: Annotated[Path | None, typer.Option("--pyrit", help="PyRIT's Python; left out if not given.")] = None,
    facts: Annotated[int, typer.Option(min=1, help="How many facts, each of another person.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the facts.")] = 0,
    cache_dir: Annotated[Path | None, typer.Option(help="Where the embedded model is kept.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Scan, and print a table for each suite; ends with 1 where something leaked."""
    if garak_command is None and pyrit_python is None:
        raise typer.BadParameter("give --garak, --pyrit or both: `make bench-scanners` installs them")
    cache = cache_dir or default_cache()
    folder = prepare_model("smollm2", cache, lambda text: typer.echo(text, err=True))
    assert folder is not None  # noqa: S101 - the embedded model is a folder
    wanted = facts_of(None, facts, seed)
    suites: dict[str, tuple[Answering, Scan]] = {}
    if garak_command:
        suites["garak"] = Reader(wanted), lambda place, out: garak.scanned(garak_command, place, wanted, out)
    if pyrit_python:
        suites["PyRIT"] = Told(wanted), lambda place, out: pyrit.scanned(pyrit_python, place, wanted, out)
    found = {}
    for name, (oracle, scan) in suites.items():
        typer.echo(f"{name} ...", err=True)
        found[name] = asyncio.run(compared(oracle, wanted, folder, cache, scan))
        typer.echo(f"| {name} | asked | hits bare | hits through the proxy | at most (95 %) |\n|---|---|---|---|---|")
        for row in found[name]:
            typer.echo(f"| {row.kind} | {row.n} | {row.bare} | {row.proxied} | {row.upper:.3f} |")
    typer.echo(f"{len(wanted)} facts of made-up people; seed {seed}; {machine()}")
    if json_file:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        body = {"spec": {"facts": len(wanted), "seed": seed, "machine": machine()}}
        body |= {name: [asdict(row) for row in rows] for name, rows in found.items()}  # type: ignore[misc]
        json_file.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    if any(row.proxied for rows in found.values() for row in rows):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
