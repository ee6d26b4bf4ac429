"""How much of a forget set the detector catches, and how often it cries wolf.

Usage: python -m benchmarks.detector --tofu FOLDER --split forget05 [--json FILE]

The split's questions and answers are imported as a list, as `letheward lists import` does; the
benchmark's paraphrases are never shown to the detector beforehand.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm

from benchmarks.data.tofu import Question, load
from benchmarks.estimate import Proportion, machine
from classifiers.detector import Detector
from classifiers.registry import ENCODERS, create_encoder
from guard.importer import EntryIn, entries
from guard.snapshot import target

LIST = "forget"


def build(questions: Sequence[Question], encoder: str, threshold: float | None) -> Detector:
    """A detector whose list holds ``questions`` with their answers."""
    made = entries([EntryIn(question=q.question, answer=q.answer) for q in questions], LIST)
    return Detector.build(map(target, made), {LIST: threshold}, create_encoder(encoder))


def flags(detector: Detector, texts: Sequence[str], name: str) -> tuple[list[bool], list[float]]:
    """For each text whether it is flagged, and the milliseconds that it took alone."""
    flagged: list[bool] = []
    took: list[float] = []
    for text in tqdm(texts, desc=name, file=sys.stderr, leave=False):
        began = time.perf_counter()
        flagged.append(bool(detector.judge([text])[0]))
        took.append((time.perf_counter() - began) * 1000)
    return flagged, took


def main(
    tofu: Annotated[str, typer.Option(help="TOFU's folder or hub name.")],
    split: Annotated[str, typer.Option(help="forget01, forget05 or forget10.")] = "forget05",
    encoder: Annotated[str, typer.Option(help=" or ".join(ENCODERS))] = "minilm-int8",
    threshold: Annotated[float | None, typer.Option(help="Default: the detector's.")] = None,
    sample: Annotated[int, typer.Option(help="Retain questions to try; 0 is all.")] = 0,
    seed: Annotated[int, typer.Option(help="For the sample.")] = 0,
    misses: Annotated[bool, typer.Option("--misses", help="Print the texts that were judged wrongly.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Recall on a forget split, its paraphrases, and false positives on what is to stay."""
    if not split.startswith("forget") or not split[6:].isdigit():
        raise typer.BadParameter("must be forget01, forget05 or forget10", param_hint="--split")
    try:
        sets = _sets(tofu, split, sample, seed)
        forget = load(tofu, split)
    except FileNotFoundError as error:
        raise typer.BadParameter(str(error), param_hint="--tofu") from error
    detector = build(forget, encoder, threshold)
    figures: dict[str, Any] = {}
    latencies: list[float] = []
    for name, (texts, wanted) in sets.items():
        flagged, took = flags(detector, texts, name)
        latencies += took
        proportion = Proportion.of(flagged)
        figures[name] = proportion.plain()
        typer.echo(f"{'recall' if wanted else 'false positives':<16} {name:<28} {proportion.told()}")
        if misses:
            wrong = [t for t, f in zip(texts, flagged, strict=True) if f != wanted]
            typer.echo("".join(f"    {t}\n" for t in wrong), nl=False)
    speed = {"p50_ms": statistics.median(latencies), "p99_ms": statistics.quantiles(latencies, n=100)[98]}
    typer.echo(f"one text at a time: p50 {speed['p50_ms']:.1f} ms, p99 {speed['p99_ms']:.1f} ms; {machine()}")
    if json_file:
        spec = {"tofu_split": split, "entries": len(forget), "encoder": encoder, "threshold": threshold,
                "sample": sample, "seed": seed, "machine": machine()}  # fmt: skip
        json_file.write_text(json.dumps({"spec": spec, "figures": figures, "latency": speed}, indent=2) + "\n")


def _sets(tofu: str, split: str, sample: int, seed: int) -> dict[str, tuple[list[str], bool]]:
    """By name: the texts, and whether they are to be flagged."""
    retain_name = f"retain{100 - int(split[6:]):02d}"
    retain = [q.question for q in load(tofu, retain_name)]
    if sample and sample < len(retain):
        retain = random.Random(seed).sample(retain, sample)  # noqa: S311 - a sample, not a secret
    perturbed = load(tofu, f"{split}_perturbed")
    return {
        f"{split} questions": ([q.question for q in load(tofu, split)], True),
        f"{split} paraphrased_question": ([q.paraphrase for q in perturbed if q.paraphrase], True),
        f"{retain_name} questions": (retain, False),
        "real authors": ([q.question for q in load(tofu, "real_authors_perturbed")], False),
        "world facts": ([q.question for q in load(tofu, "world_facts_perturbed")], False),
    }


if __name__ == "__main__":
    typer.run(main)
