"""How much of a forget set the detector catches, how often it cries wolf, how it is evaded, and what it costs.

Usage: python -m benchmarks.detector --tofu FOLDER --split forget05 [--part quality ...] [--json FILE]

The split's questions and answers are imported as a list, as `letheward lists import` does; the
benchmark's paraphrases are never shown to the detector beforehand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.data.tofu import load
from benchmarks.detection import forms, learning, people, quality, scale
from benchmarks.detection.results import Line
from benchmarks.estimate import machine
from classifiers.registry import ENCODERS, create_encoder
from classifiers.scorers import SCORERS
from classifiers.static import load_or_distil
from classifiers.types import Encoder
from server.settings import default_cache

CACHE = default_cache()


class Part(StrEnum):
    """What to measure."""

    QUALITY = "quality"
    PEOPLE = "people"
    LEARNING = "learning"
    SCALE = "scale"
    CHANGES = "changes"
    FORMS = "forms"


def main(
    tofu: Annotated[str, typer.Option(help="TOFU's folder or hub name.")],
    split: Annotated[str, typer.Option(help="forget01, forget05 or forget10.")] = "forget05",
    part: Annotated[list[Part] | None, typer.Option(help="Repeat for several; default all.")] = None,
    encoder: Annotated[str, typer.Option(help=" or ".join(ENCODERS))] = "minilm-int8",
    scorer: Annotated[str, typer.Option(help=f"{', '.join(SCORERS)}, trained:NAME or dragon:NAME")] = "head",
    cache_dir: Annotated[Path, typer.Option(help="Static embedding and trained classifiers.")] = CACHE,
    threshold: Annotated[float | None, typer.Option(help="Default: the detector's.")] = None,
    sample: Annotated[int, typer.Option(min=1, help="Questions for each attack.")] = 100,
    entries: Annotated[list[int] | None, typer.Option(help="Sizes for the scale part.")] = None,
    seed: Annotated[int, typer.Option(help="For samples and attacks.")] = 0,
    misses: Annotated[bool, typer.Option("--misses", help="Print the texts that were judged wrongly.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Measure the detector; a line with a target says whether it is met."""
    if not split.startswith("forget") or not split[6:].isdigit():
        raise typer.BadParameter("must be forget01, forget05 or forget10", param_hint="--split")
    try:
        count = len(load(tofu, split))
    except FileNotFoundError as error:
        raise typer.BadParameter(str(error), param_hint="--tofu") from error
    made = create_encoder(encoder)
    kept = cache_dir / f"static-{made.name}.bin"
    if not kept.is_file():
        typer.echo("distilling the static embedding, which is done once ...", err=True)
    static = load_or_distil(kept, made)
    trained = cache_dir / "classifiers"
    setting = quality.Setting(tofu, split, made, threshold, sample, seed, scorer, trained, static, {})
    sizes = entries or [10_000, 100_000, 1_000_000]
    lines: list[Line] = []
    for line in _lines(part or list(Part), setting, made, sizes, seed):
        lines.append(line)
        typer.echo(line.told())
        wrong = setting.misses.pop(f"{line.section}: {line.name}", [])
        if misses:
            typer.echo("".join(f"    {t[:300]!r}\n" for t in wrong), nl=False)
    goals = [line.met for line in lines if line.met is not None]
    typer.echo(f"{sum(goals)} of {len(goals)} targets met; seed {seed}; {machine()}")
    if json_file:
        spec = {"tofu_split": split, "entries": count, "encoder": encoder, "scorer": scorer, "threshold": threshold,
                "sample": sample, "seed": seed, "machine": machine()}  # fmt: skip
        body = {"spec": spec, "lines": [line.plain() for line in lines]}
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")


def _lines(
    parts: list[Part], setting: quality.Setting, encoder: Encoder, sizes: list[int], seed: int
) -> Iterator[Line]:
    if Part.QUALITY in parts:
        yield from quality.measure(setting)
    if Part.PEOPLE in parts:
        yield from people.measure(setting)
    if Part.LEARNING in parts:
        yield from learning.measure(setting)
    if Part.FORMS in parts:
        yield from forms.measure(setting)
    if Part.CHANGES in parts:
        yield from scale.changes(encoder, seed)
    if Part.SCALE in parts:
        yield from scale.latencies(sizes, seed)


if __name__ == "__main__":
    typer.run(main)
