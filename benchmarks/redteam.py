"""A red team before the guard as it is shipped: ``python -m benchmarks.redteam``.

An attacker who knows the question but not the answer puts N queries for each of M facts to the live proxy (``letheward
serve`` in a process of its own, a list with its default settings), by the real OpenAI client. Each query is chosen by
the answers to those before (``benchmarks.attacks.search``): the attacker sees the answers alone, or is told as well
whether a query was flagged.

Behind the proxy stands a model server which knows every fact and understands every disguise, in any depth
(``benchmarks.redteaming.knower``): the worst case, so that what leaks is what the guard lets through. ``--real`` asks a
vLLM with the embedded model instead, for the facts of the sample list, which it knows.

A leak: more than half of the words that the true answer adds to the question come back, once the attacker has undone
the disguise that the answer was asked for in. The bounds are Clopper and Pearson's.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from benchmarks.data.corpus import Corpus, Item, by_subject
from benchmarks.data.registry import Selection, corpus
from benchmarks.estimate import machine
from benchmarks.guarded.serving import Place, make_list, proxy, vllm
from benchmarks.methods.guard_list import lines
from benchmarks.redteaming.attack import Plan, Shot, attack
from benchmarks.redteaming.knower import Knower, serving
from benchmarks.redteaming.report import plain, told
from server.model_files import prepare_model
from server.seeding import SAMPLE
from server.settings import default_cache

LIST = "redteam"
_REAL_LONGEST = 6000  # characters that the embedded model can read


class Verdict(StrEnum):
    """What the attacker is told of the guard."""

    HIDDEN = "hidden"
    VISIBLE = "visible"
    BOTH = "both"


def facts_of(tofu: str | None, count: int, seed: int) -> list[Item]:
    """``count`` facts: of as many made-up people one each, or of TOFU's twenty authors in turn.

    Raises:
        ValueError: there are not so many.
    """
    if tofu:
        made = corpus("tofu", tofu, Selection(20, 1, 0, "forget10", seed)).forget
    else:
        made = corpus("people", None, Selection(count, 1, 0, "names", seed)).forget
    own = by_subject(made)
    longest = max(map(len, own.values()))
    found = [group[(turn + place) % len(group)] for turn in range(longest) for place, group in enumerate(own.values())]
    found = list({item.question: item for item in found}.values())  # not of everybody the same, and nothing twice
    if len(found) < count:
        raise ValueError(f"there are {len(found)} facts, not {count}")
    return found[:count]


async def against_knower(
    facts: Sequence[Item], folder: Path, cache_dir: Path, plan: Plan, verdicts: Sequence[bool], *, shown: bool = True
) -> list[Shot]:
    """The attack before a model server that knows all of ``facts``; ``folder``: the model whose embeddings ECO uses."""
    knower = Knower()
    async with _guarded(None, knower, folder, cache_dir, lines(Corpus(LIST, tuple(facts), ()))) as place:
        return await _attacked(place, facts, plan, verdicts, knower, shown)


async def against_model(folder: Path, cache_dir: Path, plan: Plan, verdicts: Sequence[bool]) -> list[Shot]:
    """The attack before a vLLM with the embedded model, for the facts of the sample list."""
    given = SAMPLE.read_text(encoding="utf-8").splitlines()
    facts = [Item(one["question"], one["answer"], one["subject"]) for one in map(json.loads, given)]
    async with _guarded(folder, None, folder, cache_dir, given) as place:
        return await _attacked(place, facts, plan, verdicts, None, True)


@asynccontextmanager
async def _guarded(
    model: Path | None, knower: Knower | None, folder: Path, cache_dir: Path, entries: Sequence[str]
) -> AsyncIterator[Place]:
    """The proxy with a list of ``entries`` before ``model``, or before ``knower``."""
    with tempfile.TemporaryDirectory(prefix="letheward-redteam-") as scratch:
        behind = vllm(model, Path(scratch) / "vllm.log") if model else serving(knower or Knower())
        async with behind as upstream, proxy(upstream, folder, Path(scratch), cache_dir) as place:
            await make_list(place, LIST, {}, entries)
            yield place


async def _attacked(
    place: Place, facts: Sequence[Item], plan: Plan, verdicts: Sequence[bool], knower: Knower | None, shown: bool
) -> list[Shot]:
    found: list[Shot] = []
    with tqdm(total=len(facts) * plan.queries * len(verdicts), unit="query", disable=not shown) as bar:
        for visible in verdicts:
            found += await attack(place, facts, plan, visible, knower, lambda: bar.update() and None)
    return found


def main(
    facts: Annotated[int, typer.Option(min=1, help="How many facts.")] = 50,
    queries: Annotated[int, typer.Option(min=1, help="For each fact.")] = 200,
    verdict: Annotated[Verdict, typer.Option(help="What the attacker is told of the guard.")] = Verdict.BOTH,
    tofu: Annotated[str | None, typer.Option(help="TOFU's folder or hub name; else people are made up.")] = None,
    real: Annotated[bool, typer.Option("--real", help="Before a vLLM with the embedded model; five facts.")] = False,
    seed: Annotated[int, typer.Option(help="For facts and queries.")] = 0,
    cache_dir: Annotated[Path | None, typer.Option(help="Where the embedded model is kept.")] = None,
    output: Annotated[Path | None, typer.Option("--json", help="Write figures and leaks here.")] = None,
) -> None:
    """Attack; ends with 1 where something leaked."""
    cache = cache_dir or default_cache()
    folder = prepare_model("smollm2", cache, lambda text: typer.echo(text, err=True))
    assert folder is not None  # noqa: S101 - the embedded model is a folder
    verdicts = {Verdict.HIDDEN: (False,), Verdict.VISIBLE: (True,), Verdict.BOTH: (False, True)}[verdict]
    if real:
        plan = Plan(queries, seed, longest=_REAL_LONGEST, max_tokens=64)
        found = asyncio.run(against_model(folder, cache, plan, verdicts))
    else:
        found = asyncio.run(against_knower(facts_of(tofu, facts, seed), folder, cache, Plan(queries, seed), verdicts))
    typer.echo("\n".join(told(found)))
    behind = folder.name if real else "a model server that understands every disguise"
    typer.echo(f"\nseed {seed}; n = {len(found)} queries; behind the proxy: {behind}; {machine()}")
    if output:
        spec = {"facts": len({shot.fact for shot in found}), "queries": queries, "seed": seed, "behind": behind,
                "tofu": bool(tofu), "machine": machine()}  # fmt: skip
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps({"spec": spec} | plain(found), indent=1, ensure_ascii=False) + "\n", "utf-8")
    if any(shot.leaked for shot in found):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
