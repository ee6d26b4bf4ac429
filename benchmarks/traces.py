"""Whether answers show that a guard stands before the model (unlearning traces).

Usage: python -m benchmarks.traces --tofu FOLDER --full DIR --retained DIR --json FILE

A classifier learns to name the model by its answers alone. On prompts that have nothing to do with the list, guarded
and bare answers must not be told apart; both are sampled, with other seeds, so that the texts differ, and
greedy answers to the ordinary ones are compared byte for byte beside (`benchmarks.eco` does so for the retain
questions). On the forget questions it is reported for each guard how
well its answers are told from those of the bare model, and from those of a model that never learnt the facts: a guard
whose answers are told from the latter shows that something is being kept back.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.data.tofu import PER_AUTHOR
from benchmarks.data.traffic import unrelated
from benchmarks.estimate import Proportion
from benchmarks.guarded.answers import Answers, Reply, Sampling
from benchmarks.guarded.conditions import LIST, Guarding, guardings, material
from benchmarks.guarded.serving import change_list
from benchmarks.guarded.setting import FULL, RETAINED, Setting
from benchmarks.guarded.telling import Telling, markdown, tell
from classifiers.registry import create_encoder
from classifiers.types import Encoder
from guard.registry import GUARDS
from server.settings import default_cache

UNRELATED = "retain questions and ordinary prompts"
RELEVANT = "forget questions and paraphrases"


def main(
    tofu: Annotated[str, typer.Option(help="TOFU's folder or hub name.")],
    full: Annotated[Path, typer.Option(help="The model that knows the forget authors.")],
    retained: Annotated[Path, typer.Option(help="The model that never met them.")],
    action: Annotated[list[str] | None, typer.Option(help=f"{', '.join(GUARDS)}; repeat; default all.")] = None,
    sigma: Annotated[list[float] | None, typer.Option(help="ECO's strength; repeat for several.")] = None,
    ordinary: Annotated[int, typer.Option(min=0, help="Ordinary prompts beside the retain questions.")] = 100,
    temperature: Annotated[float, typer.Option(min=0.01)] = 0.7,
    max_tokens: Annotated[int, typer.Option(min=1, help="Of an answer.")] = 64,
    seed: Annotated[int, typer.Option(help="For samples and folds.")] = 0,
    answers: Annotated[Path, typer.Option(help="Where answers are kept; another after changes of the guards.")] = Path(
        "build/answers.jsonl"
    ),
    cache_dir: Annotated[Path, typer.Option(help="The proxy's.")] = default_cache(),  # noqa: B008
    check_answers: Annotated[bool, typer.Option(help="Without: the guards alone.")] = True,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Ask, then train the classifiers; prints a table."""
    stuff = material(tofu, full, retained)
    ways = list(guardings(action or list(GUARDS), sigma or [20.0], stuff))
    how = Sampling(temperature, seed, max_tokens)
    with tempfile.TemporaryDirectory(prefix="letheward-bench-") as folder:
        setting = Setting(full, retained, stuff, Answers(answers), cache_dir, Path(folder), check_answers)
        prompts = [*setting.keep, *unrelated(ordinary, seed)]
        told = asyncio.run(_ask(setting, ways, prompts, how))
    found = list(_tellings(told, len(stuff.keep), create_encoder("minilm-int8"), seed))
    same = Proportion.of([a.text == b.text for a, b in zip(told["greedy bare"], told["greedy guarded"], strict=True)])
    flagged = Proportion.of([reply.action != "pass" for reply in told["guarded"]])
    plain = [t.plain() for t in found]
    typer.echo(markdown(plain))
    typer.echo(f"greedy answers to ordinary prompts, the same byte for byte: {same.told()}")
    typer.echo(f"unrelated prompts that the list flagged: {flagged.told()}")
    if json_file:
        body: dict[str, Any] = {
            "spec": {**setting.spec, "temperature": temperature, "max_tokens": max_tokens, "seed": seed},
            "tellings": plain, "same_bytes": same.plain(), "flagged": flagged.plain(),
        }  # fmt: skip
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")


async def _ask(
    setting: Setting, ways: Sequence[Guarding], prompts: Sequence[str], how: Sampling
) -> dict[str, list[Reply]]:
    """Replies by side; every side has a seed of its own. Ways that the proxy does not know are left out."""
    relevant = [*setting.forget, *setting.paraphrased]
    greedy, ordinary = Sampling(max_tokens=how.max_tokens), prompts[len(setting.keep) :]
    told: dict[str, list[Reply]] = {}
    async with setting.serving_retained() as place:
        told[RETAINED] = await setting.ask(place, RETAINED, relevant, _seeded(how, 1))
    async with setting.serving_full() as (bare, guarded):
        told[FULL] = await setting.ask(bare, FULL, relevant, _seeded(how, 2))
        told["bare"] = await setting.ask(bare, FULL, prompts, _seeded(how, 3))
        told["bare again"] = await setting.ask(bare, FULL, prompts, _seeded(how, 4))
        told["greedy bare"] = await setting.ask(bare, FULL, ordinary, greedy, at_once=1)
        told["guarded"] = await setting.ask(guarded, "guarded", prompts, _seeded(how, 5))
        told["greedy guarded"] = await setting.ask(guarded, "guarded", ordinary, greedy, at_once=1)
        for number, way in enumerate(ways):
            if problem := await change_list(guarded, LIST, way.settings):
                typer.echo(f"not measured: {way.name}: {problem}", err=True)
                continue
            told[way.name] = await setting.ask(guarded, way.name, relevant, _seeded(how, 6 + number))
    return told


def _tellings(told: dict[str, list[Reply]], keep: int, encoder: Encoder, seed: int) -> Iterator[Telling]:
    """Prompts about one author are one group, and so is every ordinary prompt."""
    texts = {name: [reply.text for reply in replies] for name, replies in told.items()}

    def pair(asked: str, one: str, other: str, groups: Sequence[int], hidden: bool | None = None) -> Iterator[Telling]:
        return tell(asked, (one, other), (texts[one], texts[other]), groups, encoder, hidden=hidden, seed=seed)

    half = len(told[FULL]) // 2
    by_author = [i % half // PER_AUTHOR for i in range(2 * half)]
    alone = [i // PER_AUTHOR if i < keep else i for i in range(len(told["bare"]))]
    yield from pair(UNRELATED, "guarded", "bare", alone, hidden=True)
    yield from pair(UNRELATED, "bare again", "bare", alone, hidden=True)
    yield from pair(RELEVANT, RETAINED, FULL, by_author)
    fixed = {FULL, RETAINED, "bare", "bare again", "greedy bare", "guarded", "greedy guarded"}
    for name in (n for n in texts if n not in fixed):
        yield from pair(RELEVANT, name, FULL, by_author)
        yield from pair(RELEVANT, name, RETAINED, by_author)


def _seeded(how: Sampling, number: int) -> Sampling:
    return replace(how, seed=how.seed * 1000 + number)


if __name__ == "__main__":
    typer.run(main)
