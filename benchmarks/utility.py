"""Utility by lm-evaluation-harness, bare and through the proxy: ``python -m benchmarks.utility --lm-eval COMMAND``.

The same vLLM is asked by the harness's own command twice, directly and through the proxy with a forget list of people
whom no question is about. What the guard costs is the paired difference of the scores, question by question; answers
that are the same word for word cannot differ.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.estimate import machine
from benchmarks.guarded.serving import make_list, proxy, vllm
from benchmarks.import_load import entry
from benchmarks.suites.harness import Answered, evaluated
from benchmarks.suites.tasks import Question, arithmetic, tofu, write_tasks
from guard.text_metrics import estimate
from server.model_files import prepare_model
from server.settings import default_cache


@dataclass(frozen=True, slots=True)
class Compared:
    """A task bare and proxied: mean scores, their paired difference, and how many answers are the same."""

    task: str
    n: int
    bare: float
    bare_stderr: float
    proxied: float
    difference: float
    stderr: float
    same: int


def compared(task: str, bare: Sequence[Answered], proxied: Sequence[Answered]) -> Compared:
    """The two runs of a task.

    Raises:
        ValueError: they were asked other questions.
    """
    if [one.number for one in bare] != [one.number for one in proxied]:
        raise ValueError(f"{task}: the two runs were asked other questions")
    own = estimate([one.score for one in bare])
    differences = estimate([b.score - a.score for a, b in zip(bare, proxied, strict=True)])
    same = sum(a.said == b.said for a, b in zip(bare, proxied, strict=True))
    through = estimate([one.score for one in proxied]).mean
    return Compared(task, own.n, own.mean, own.stderr, through, differences.mean, differences.stderr, same)


def main(
    lm_eval: Annotated[Path, typer.Option("--lm-eval", help="The command, in an environment of its own.")],
    tofu_folder: Annotated[str | None, typer.Option("--tofu", help="Folder or hub name, for its world facts.")] = None,
    entries: Annotated[int, typer.Option(min=1, help="Unrelated people on the list.")] = 10_000,
    limit: Annotated[int, typer.Option(min=2, help="Questions of a task.")] = 100,
    max_tokens: Annotated[int, typer.Option(min=1, help="Of an answer.")] = 32,
    seed: Annotated[int, typer.Option(help="Of the made questions.")] = 0,
    model: Annotated[str, typer.Option(help="smollm2 or a folder.")] = "smollm2",
    cache_dir: Annotated[Path | None, typer.Option(help="Where the embedded model is kept.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Measure, and print a table."""
    cache = cache_dir or default_cache()
    folder = prepare_model(model, cache, lambda text: typer.echo(text, err=True))
    if folder is None:
        raise typer.BadParameter(f"{model} is not on this machine: give --model a folder")
    tasks = {"arithmetic": arithmetic(limit, seed)} | (tofu(tofu_folder, limit) if tofu_folder else {})
    found = asyncio.run(_measured(folder, cache, lm_eval, tasks, entries, max_tokens))
    typer.echo("| task | n | bare | through the proxy | difference | answers word for word the same |")
    typer.echo("|---|---|---|---|---|---|")
    for row in found:
        typer.echo(
            f"| {row.task} | {row.n} | {row.bare:.3f} ± {row.bare_stderr:.3f} | {row.proxied:.3f} |"
            f" {row.difference:+.3f} ± {row.stderr:.3f} | {row.same} of {row.n} |"
        )
    typer.echo(f"{entries} unrelated entries; seed {seed}; {machine()}")
    if json_file:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        spec = {"entries": entries, "limit": limit, "max_tokens": max_tokens, "seed": seed, "machine": machine()}
        body = {"spec": spec, "tasks": [asdict(row) for row in found]}
        json_file.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


async def _measured(
    folder: Path, cache: Path, command: Path, tasks: dict[str, list[Question]], entries: int, max_tokens: int
) -> list[Compared]:
    with tempfile.TemporaryDirectory(prefix="letheward-utility-") as scratch:
        place = Path(scratch)
        names = write_tasks(place / "tasks", tasks, max_tokens)
        async with vllm(folder, place / "vllm.log") as bare, proxy(bare, folder, place, cache) as guarded:
            typer.echo(f"importing {entries} entries ...", err=True)
            await make_list(guarded, "unrelated", {}, [json.dumps(entry(i)) for i in range(entries)])
            typer.echo("lm_eval, bare ...", err=True)
            direct = await evaluated(command, bare, names, place / "tasks", place / "bare")
            typer.echo("lm_eval, through the proxy ...", err=True)
            through = await evaluated(command, guarded, names, place / "tasks", place / "proxied")
    return [compared(name, direct[name], through[name]) for name in names]


if __name__ == "__main__":
    typer.run(main)
