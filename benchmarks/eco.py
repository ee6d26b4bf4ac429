"""What each guard leaves of facts that the model knows, beside a model that never learnt them.

Usage: python -m benchmarks.eco --tofu FOLDER --full DIR --retained DIR --json FILE

The models come from `python -m benchmarks.finetune`. Every question is a chat of one turn, answered greedily. The
list holds the forget authors' questions and answers; the paraphrased questions are never shown to the detector.
Answers are kept in --answers, so that a broken-off run goes on.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.guarded.answers import Answers, Reply, Sampling
from benchmarks.guarded.conditions import LIST, Fit, Guarding, guardings, material
from benchmarks.guarded.rows import Told, gap, markdown, row
from benchmarks.guarded.serving import Place, change_list, drop_fit, fit_eco
from benchmarks.guarded.setting import FULL, GUARDED_RETAINED, RETAINED, Setting
from guard.registry import GUARDS
from guard.text_metrics import estimate, rouge_l
from server.settings import default_cache

Untouched = Mapping[int, Reply]  # by the place among the questions to keep
SIGMAS = (0.1, 0.3, 1.0, 20.0)


def main(
    tofu: Annotated[str, typer.Option(help="TOFU's folder or hub name.")],
    full: Annotated[Path, typer.Option(help="The model that knows the forget authors.")],
    retained: Annotated[Path, typer.Option(help="The model that never met them.")],
    action: Annotated[list[str] | None, typer.Option(help=f"{', '.join(GUARDS)}; repeat; default all.")] = None,
    sigma: Annotated[list[float] | None, typer.Option(help="ECO's strength; repeat for several.")] = None,
    fit: Annotated[list[Fit] | None, typer.Option(help="Fit ECO's strength to this too; repeat for both.")] = None,
    fit_questions: Annotated[int, typer.Option(min=1, help="Questions for a fit.")] = 32,
    answers: Annotated[Path, typer.Option(help="Where answers are kept; another after changes of the guards.")] = Path(
        "build/answers.jsonl"
    ),
    cache_dir: Annotated[Path, typer.Option(help="The proxy's.")] = default_cache(),  # noqa: B008
    max_tokens: Annotated[int, typer.Option(min=1, help="Of an answer.")] = 100,
    check_answers: Annotated[bool, typer.Option(help="Without: the guards alone.")] = True,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Measure the guards; prints a table."""
    stuff = material(tofu, full, retained)
    ways = list(guardings(action or list(GUARDS), sigma or SIGMAS, stuff, fit or []))
    with tempfile.TemporaryDirectory(prefix="letheward-bench-") as folder:
        setting = Setting(full, retained, stuff, Answers(answers), cache_dir, Path(folder), check_answers)
        told, problems = asyncio.run(measure(setting, ways, Sampling(max_tokens=max_tokens), fit_questions))
    rows = [row(t, told[0], told[1], stuff.forget, stuff.keep).plain() for t in told]
    typer.echo(markdown(rows))
    behind = told[2]
    for own, plain in zip(told[3:], rows[3:], strict=True):
        let_through = gap(own, behind, stuff.forget)
        plain["over_retained_behind_eco"] = asdict(let_through)
        typer.echo(f"{own.name} over {behind.name}: {let_through.mean:+.3f} ± {let_through.stderr:.3f}")
    for problem in problems:
        typer.echo(f"not measured: {problem}", err=True)
    if json_file:
        spec = {**setting.spec, "temperature": 0, "max_tokens": max_tokens, "not_measured": problems}
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps({"spec": spec, "rows": rows}, indent=2) + "\n", encoding="utf-8")


async def measure(
    setting: Setting, ways: Sequence[Guarding], how: Sampling, questions: int
) -> tuple[list[Told], list[str]]:
    """Replies of the bare full and the bare retained model, then of each guard; and what could not be measured."""
    async with setting.serving_retained_guarded() as (place, behind):
        retained = await _told(setting, place, RETAINED, how, at_once=8)
        known = dict(enumerate(retained.keep))
        behind_eco = await _told(setting, behind, GUARDED_RETAINED, how, known)
    pairs = zip(retained.forget, setting.stuff.forget, strict=True)
    target = estimate([rouge_l(reply.text, q.answer).recall for reply, q in pairs]).mean
    problems: list[str] = []
    async with setting.serving_full() as (bare, guarded):
        told = [await _told(setting, bare, FULL, how), retained, behind_eco]
        for way in ways:
            fitting: dict[str, Any] = {"n": questions, "max_tokens": how.max_tokens}
            fitting |= {"target": target} if way.fit is Fit.RETAINED else {}
            try:
                told.append(await _guarded(setting, guarded, way, how, _untouched(told), fitting))
            except RuntimeError as error:
                problems.append(f"{way.name}: {error}")
    return told, problems


async def _guarded(
    setting: Setting, place: Place, way: Guarding, how: Sampling, untouched: Untouched, fitting: Mapping[str, Any]
) -> Told:
    """Replies under one way of guarding.

    Raises:
        RuntimeError: the proxy does not know the way, or no strength was found.
    """
    if problem := await change_list(place, LIST, way.settings):
        raise RuntimeError(problem)
    if way.fit is None:
        return await _told(setting, place, way.name, how, untouched)
    fit = await fit_eco(place, LIST, fitting)
    try:
        told = await _told(setting, place, f"eco sigma={fit['sigma']!r}", how, untouched)
    finally:
        await drop_fit(place, LIST)
    kept = {k: fit[k] for k in ("sigma", "value", "v_hat", "plain", "n", "reason", "measured")}
    return replace(told, name=f"{way.name} (sigma={fit['sigma']:.3g})", fit=kept)


async def _told(
    setting: Setting, place: Place, name: str, how: Sampling, untouched: Untouched | None = None, *, at_once: int = 1
) -> Told:
    """Replies about the forget set, and to what stays: one by one where they are compared byte for byte."""
    forget = await setting.ask(place, name, setting.forget, how)
    paraphrased = await setting.ask(place, name, setting.paraphrased, how)
    known = untouched or {}
    others = [q for i, q in enumerate(setting.keep) if i not in known]
    asked = iter(await setting.ask(place, name, others, how, at_once=at_once))
    return Told(name, forget, paraphrased, [known.get(i) or next(asked) for i in range(len(setting.keep))])


def _untouched(told: Sequence[Told]) -> Untouched:
    """Answers that the guard before let pass as the bare model gives them: what it does otherwise has no part in them.

    Neither the request nor the answer was about the list, so that they are not asked again for every policy.
    """
    pairs = enumerate(zip(told[0].keep, told[-1].keep, strict=True))
    return {i: after for i, (bare, after) in pairs if after.action == "pass" and after.text == bare.text}


if __name__ == "__main__":
    typer.run(main)
