"""What the guards cost: time to the first token, the pace of a stream whose answer is checked, beside other gateways.

Usage: python -m benchmarks.overhead --tofu FOLDER [--part first-token] [--part pace] [--json FILE]
       python -m benchmarks.overhead --part gateways [--litellm COMMAND] [--json FILE] [--plot FILE]

The first part asks vLLM bare and through the proxy in turn. The second streams from a scripted model, whose tokens
leave at known times, straight, and through two proxies with the same list, of which one checks answers. The third
loads Letheward and LiteLLM in turn, before one fast scripted model, and is measured alone. Nothing is asserted: run it
on a quiet machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.data.tofu import Question, authors
from benchmarks.data.traffic import unrelated
from benchmarks.estimate import machine
from benchmarks.gateways.grid import ENTRIES, Grid
from benchmarks.gateways.part import command_of, run, tell
from benchmarks.guarded.conditions import LIST, lines
from benchmarks.guarded.first_token import figures, pairs
from benchmarks.guarded.pace import DIRECT, GUARDED, PLAIN, pace_figures, paces, rate_figures, rates, scripted
from benchmarks.guarded.serving import Place, change_list, make_list, proxy, vllm
from benchmarks.guarded.timing import Figure, markdown
from server.model_files import prepare_model
from server.settings import default_cache

FIRST_TOKEN_TARGET = 1.1


class Part(StrEnum):
    """What to measure."""

    FIRST_TOKEN = "first-token"  # noqa: S105 - no secret
    PACE = "pace"
    GATEWAYS = "gateways"


_WITH_TOFU = (Part.FIRST_TOKEN, Part.PACE)


@dataclass(frozen=True)
class Setting:
    """What both parts share."""

    forget: list[Question]
    keep: list[Question]
    cache_dir: Path
    folder: Path
    interval: float  # seconds between tokens of the scripted model
    seed: int


def main(
    tofu: Annotated[str | None, typer.Option(help="TOFU's folder or hub name; not for gateways.")] = None,
    part: Annotated[list[Part] | None, typer.Option(help="Repeat for several; default the first two.")] = None,
    model: Annotated[str, typer.Option(help="For the first part: smollm2 or a checkpoint folder.")] = "smollm2",
    forget_authors: Annotated[int, typer.Option("--authors", min=1, help="Authors of forget10 on the list.")] = 5,
    prompts: Annotated[int, typer.Option(min=2, help="Prompts, and streams of the second part.")] = 60,
    requests: Annotated[int, typer.Option(min=16, help="For requests a second.")] = 320,
    interval: Annotated[float, typer.Option(min=1, help="Milliseconds between the scripted model's tokens.")] = 20.0,
    seed: Annotated[int, typer.Option(help="For ordinary prompts.")] = 0,
    cache_dir: Annotated[Path, typer.Option(help="The proxy's.")] = default_cache(),  # noqa: B008
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
    entries: Annotated[list[int] | None, typer.Option(min=1, help="gateways: a list of so many; repeat.")] = None,
    seconds: Annotated[int, typer.Option(min=1, help="gateways: of each load.")] = 2,
    rounds: Annotated[int, typer.Option(min=1, help="gateways: of the whole grid.")] = 2,
    litellm: Annotated[Path | None, typer.Option(help="gateways: LiteLLM's command.")] = None,
    plot: Annotated[Path | None, typer.Option(help="gateways: draw the loads into this file.")] = None,
) -> None:
    """Measure; prints a table, and says how busy the machine was."""
    if part == [Part.GATEWAYS]:
        grid = Grid(entries or ENTRIES, seconds=seconds, rounds=rounds, litellm=command_of(litellm), seed=seed)
        tell(asyncio.run(run(grid, cache_dir / "gateways")), json_file, plot)
        return
    if tofu is None or Part.GATEWAYS in (part or ()):
        raise typer.BadParameter("the other parts need --tofu, and gateways are measured alone", param_hint="--part")
    forget, keep = authors(tofu, "forget10", forget_authors), authors(tofu, "retain90", -(-prompts // 20))
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="letheward-bench-") as folder:
        setting = Setting(forget, keep[:prompts], cache_dir, Path(folder), interval / 1000, seed)
        found = asyncio.run(_measure(part or list(_WITH_TOFU), setting, model, prompts, requests))
    plain = [figure.plain() for figure in found]
    typer.echo(markdown(plain))
    typer.echo(f"{machine()}; load average {load:.2f} before, {os.getloadavg()[0]:.2f} after")
    if json_file:
        spec = {"entries": len(forget), "model": Path(model).name, "prompts": prompts, "requests": requests,
                "seed": seed, "machine": machine(), "load_before": round(load, 2)}  # fmt: skip
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps({"spec": spec, "figures": plain}, indent=2) + "\n", encoding="utf-8")


async def _measure(parts: list[Part], setting: Setting, model: str, prompts: int, requests: int) -> list[Figure]:
    found: list[Figure] = []
    if Part.FIRST_TOKEN in parts:
        folder = await asyncio.to_thread(
            prepare_model, model, setting.cache_dir, lambda text: typer.echo(text, err=True)
        )
        if folder is None:
            raise typer.BadParameter(f"{model} is not on this machine", param_hint="--model")
        found += await _first_token(setting, folder, prompts)
    if Part.PACE in parts:
        found += await _pace(setting, prompts, requests)
    return found


async def _first_token(setting: Setting, model: Path, prompts: int) -> list[Figure]:
    flagged = [q.question for q in setting.forget][:prompts]
    passing = [q.question for q in setting.keep][:prompts]
    alone_folder = setting.folder / "alone"
    alone_folder.mkdir()
    found: list[Figure] = []
    async with (
        vllm(model, setting.folder / "vllm.log") as bare,
        _listed(replace(setting, folder=alone_folder), bare, model, "eco", check_answers=False) as alone,
        _listed(setting, bare, model, "eco") as guarded,
    ):
        for place, name in ((alone, "eco, answers unchecked"), (guarded, "eco"), (guarded, "eco, content words")):
            tokens = "content" if name.endswith("words") else None
            if problem := await change_list(place, LIST, {"token_classifier": tokens}):
                raise RuntimeError(problem)
            await pairs(bare, place, [*flagged[:3], *passing[:3]], "warming up")
            eco = [pair for pair in await pairs(bare, place, flagged, name) if pair.action == "eco"]
            found += figures(name, eco, FIRST_TOKEN_TARGET)
        for place, name in ((alone, "passing, answers unchecked"), (guarded, "passing")):
            through = [pair for pair in await pairs(bare, place, passing, name) if pair.action == "pass"]
            found += figures(name, through)
    return found


async def _pace(setting: Setting, prompts: int, requests: int) -> list[Figure]:
    """The answers are those of authors who stay: what a list's neighbours are told like."""
    texts = [" ".join(q.answer for q in setting.keep[i : i + 3]) for i in range(prompts)]
    ordinary = unrelated(max(prompts, requests), setting.seed)
    plain_folder = setting.folder / "plain"
    plain_folder.mkdir()
    async with (
        scripted() as model,
        _listed(replace(setting, folder=plain_folder), model, None, "refuse", check_answers=False) as plain,
        _listed(setting, model, None, "refuse") as guarded,
    ):
        ways = {DIRECT: model, PLAIN: plain, GUARDED: guarded}
        await paces(model, ways, texts[:2], ordinary[:2], setting.interval)  # warm
        found = list(
            pace_figures(await paces(model, ways, texts, ordinary[:prompts], setting.interval), setting.interval)
        )
        for at_once in (1, 16):
            count = requests if at_once > 1 else requests // 4
            found += rate_figures(await rates(model, ways, texts[0], ordinary[:count], at_once), at_once, count)
    return found


@asynccontextmanager
async def _listed(
    setting: Setting, upstream: Place, model: Path | None, policy: str, *, check_answers: bool = True
) -> AsyncIterator[Place]:
    """A proxy with the forget list."""
    async with proxy(upstream, model, setting.folder, setting.cache_dir, check_answers=check_answers) as place:
        await make_list(place, LIST, {"policy": policy}, lines(setting.forget))
        yield place


if __name__ == "__main__":
    typer.run(main)
