"""What a list loses by keeping vectors and hashes only, and what it costs: the same list with its texts and without.

Usage: python -m benchmarks.vectors_only --tofu FOLDER --split forget05 [--attacks 20] [--json FILE]

Both lists are judged under the same settings, each with what it can learn from its own entries.
"""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.attacks.obfuscation import OBFUSCATIONS
from benchmarks.data.tofu import load
from benchmarks.data.traffic import unrelated
from benchmarks.detection.quality import LIST, imported
from benchmarks.detection.results import Line, judged, share
from benchmarks.estimate import machine
from classifiers.detector import Detector
from classifiers.fitting import Aim, learn
from classifiers.registry import ENCODERS, create_encoder
from classifiers.types import Encoder
from guard.importer import to_line
from guard.in_force import target
from guard.model import Entry
from guard.vectors_only import keep, new_salt

_WORDS = range(16, 26)  # of a prompt on which names are timed
_TIMED = 200


def main(
    tofu: Annotated[str, typer.Option(help="TOFU's folder or hub name.")],
    split: Annotated[str, typer.Option(help="forget01, forget05 or forget10.")] = "forget05",
    encoder: Annotated[str, typer.Option(help=" or ".join(ENCODERS))] = "minilm-int8",
    retain: Annotated[int, typer.Option(min=1, help="Questions of the retain split.")] = 1000,
    attacks: Annotated[int, typer.Option(min=0, help="Questions for each way to disguise them.")] = 0,
    seed: Annotated[int, typer.Option(help="For samples and attacks.")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Measure both lists."""
    try:
        questions = load(tofu, split)
        texts = _texts(tofu, split, retain, attacks, seed)
    except FileNotFoundError as error:
        raise typer.BadParameter(str(error), param_hint="--tofu") from error
    made = create_encoder(encoder)
    entries = imported(questions)
    lists = {"texts": entries, "vectors only": keep(entries, made, new_salt())}
    lines = [line for name, own in lists.items() for line in _measured(name, own, made, texts, seed)]
    for line in lines:
        typer.echo(line.told())
    typer.echo(f"{len(entries)} entries; seed {seed}; {machine()}")
    if json_file:
        spec = {"split": split, "encoder": encoder, "retain": retain, "attacks": attacks, "seed": seed,
                "machine": machine()}  # fmt: skip
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps({"spec": spec, "lines": [line.plain() for line in lines]}, indent=2) + "\n")


def _texts(tofu: str, split: str, retain: int, attacks: int, seed: int) -> dict[str, list[str]]:
    """What is asked, by name; what is to pass has "false positives" in its name."""
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    forget = [q.question for q in load(tofu, split)]
    kept = f"retain{100 - int(split[6:]):02d}"
    others = [q.question for q in load(tofu, kept)]
    found = {
        "questions": forget,
        "paraphrased questions": [q.paraphrase for q in load(tofu, f"{split}_perturbed") if q.paraphrase],
        f"false positives, {kept}": rng.sample(others, min(retain, len(others))),
    }
    asked = rng.sample(forget, min(attacks, len(forget)))
    if asked:
        found["disguised questions"] = [attack(q, rng) for attack in OBFUSCATIONS.values() for q in asked]
    return found


def _measured(
    name: str, entries: Sequence[Entry], encoder: Encoder, texts: dict[str, list[str]], seed: int
) -> Iterator[Line]:
    detector = Detector.build(map(target, entries), {}, encoder)
    found = learn(detector, {LIST: Aim()}, seed=seed)
    detector = detector.learnt(head=found.head, calibrated=found.thresholds)
    for what, asked in texts.items():
        flags, _ = judged(detector, asked, what)
        yield share(name, what, flags, more=not what.startswith("false"))
    prompts = [p for p in unrelated(2000, seed) if len(p.split()) in _WORDS][:_TIMED]
    words = f"{_WORDS[0]} to {_WORDS[-1]} words"
    yield Line(name, f"names, prompt of {words}", _scan_ms(detector, prompts), "ms", more=False)
    stored = statistics.mean(len(json.dumps(asdict(e))) for e in entries)
    yield Line(name, "an entry in the store", stored / 1024, "KiB", more=False)
    yield Line(name, "an entry exported", statistics.mean(len(to_line(e)) for e in entries) / 1024, "KiB", more=False)


def _scan_ms(detector: Detector, prompts: Sequence[str]) -> float:
    """The median over ``prompts`` of the time in which names and descriptions are looked for in all readings."""
    return statistics.median(min(detector.inspect([p]).ms["scan"] for _ in range(3)) for p in prompts)


if __name__ == "__main__":
    typer.run(main)
