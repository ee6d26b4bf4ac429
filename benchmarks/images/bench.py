"""Every method for image generators on one machine, beside the generators that forgot nothing."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.comparison.choosing import options
from benchmarks.estimate import machine
from benchmarks.images.ground import Ground, Recipes, made
from benchmarks.images.method import Generator, Kind
from benchmarks.images.metrics import scored
from benchmarks.images.registry import METHODS, method
from benchmarks.models.meter import Meter

_SAMPLING = 1_000_003  # a seed of its own: no sample's noise is one that a generator learnt with
_HEADS = ("method", "kind", "forget acc.", "retain acc.", "Frechet", "seconds", "basis")


def compared(
    names: Sequence[str], forget: int, seed: int, each: int, out: Path, given: Mapping[str, Mapping[str, Any]],
    *, recipes: Recipes | None = None, shown: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """Run the methods and return the result, which is written to ``out`` too; goes on where it was broken off.

    Raises:
        ValueError: a method or an option is unknown, or there is no such digit.
    """
    chosen = {name: options(method(name).options, given.get(name, {})) for name in dict.fromkeys(names)}
    if not chosen:
        raise ValueError(f"name a method: choose from {', '.join(METHODS)}")
    kinds = {method(name).kind for name in chosen}
    ground = made(seed, out / "targets", kinds, recipes, shown=shown)
    ground.digits.parted(forget)  # says what is wrong before anything runs
    rows = [
        _row(ground, f"target ({kind})", kind, ground.targets[kind], forget, each) for kind in Kind if kind in kinds
    ]
    for name, one in chosen.items():
        rows.append(_ran(ground, name, one, forget, each, out, shown))
    found = {"forget": forget, "seed": seed, "samples_of_a_class": each, "machine": machine(), "rows": rows,
             "judge_accuracy": _judged(ground)}  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    (out / f"images-{forget}-{seed}.json").write_text(json.dumps(found, indent=2))
    return found


def table(found: Mapping[str, Any]) -> str:
    """The result for people: method x figures."""
    rows = [_HEADS, *(_line(row) for row in found["rows"])]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEADS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    n, each = found["rows"][0]["frechet"]["n"], found["samples_of_a_class"]
    return "\n".join([
        f"digit {found['forget']} forgotten, seed {found['seed']}; {each} samples of each class,"
        f" Frechet distance of {n};"
        f" +- is one standard error; the judge is right of {found['judge_accuracy']:.1%} of held pictures",
        *lines,
    ])  # fmt: skip


def _ran(ground: Ground, name: str, chosen: Any, forget: int, each: int, out: Path, shown: bool) -> dict[str, Any]:
    one, meter = method(name), Meter(name, shown)
    key = hashlib.sha256(repr((chosen, forget, ground.seed)).encode()).hexdigest()[:12]
    checkpoint = out / "runs" / f"{name}-{key}.pt"
    begun = time.perf_counter()
    generator = one.run(ground.work(one.kind, forget, chosen, checkpoint, meter))
    seconds = time.perf_counter() - begun
    for file in checkpoint.parent.glob(f"{checkpoint.stem}*.pt"):
        file.unlink()  # done: another run of it is timed whole
    row = _row(ground, name, one.kind, generator, forget, each)
    card = one.card
    return {**row, "seconds": seconds, "pictures_read": meter.tokens, "title": card.title, "paper": card.paper,
            "basis": str(card.basis), "options": repr(chosen)}  # fmt: skip


def _row(ground: Ground, name: str, kind: Kind, generator: Generator, forget: int, each: int) -> dict[str, Any]:
    scores = scored(generator, ground.judge, ground.digits.held, forget, each, ground.seed + _SAMPLING)
    return {"name": name, "kind": str(kind), **scores.plain()}


def _judged(ground: Ground) -> float:
    held = ground.digits.held
    return float((ground.judge.named(held.images) == held.labels).float().mean())


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    shares = [f"{row[of]['value']:.3f} +- {row[of]['stderr']:.3f}" for of in ("forget_accuracy", "retain_accuracy")]
    distance = f"{row['frechet']['value']:.2f} +- {row['frechet']['stderr']:.2f}"
    seconds = f"{row['seconds']:.0f}" if "seconds" in row else ""
    return (row["name"], row["kind"], *shares, distance, seconds, row.get("basis", ""))
