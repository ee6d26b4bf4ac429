"""What each of two processes does in the test of a descent across both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.methods.registry import method
from tests.benchmarks.methods.tiny import CORPUS, Ground

ALIKE = replace(
    CORPUS, forget=tuple(item for item in CORPUS.forget if "work" in item.question),
    retain=tuple(item for item in CORPUS.retain if "work" in item.question),
)  # fmt: skip
"""Answers of as many tokens each: two to forget, three to retain."""

CASES: dict[str, tuple[str, dict[str, Any], bool]] = {
    "alike": ("grad_diff", {"epochs": 3, "lr": 1e-3, "batch": 2}, True),
    "uneven": ("npo", {"epochs": 2, "lr": 1e-3, "batch": 5, "retain_weight": 0.0}, False),
    "low rank": ("kl_min", {"epochs": 1, "lr": 1e-3, "batch": 4, "lora": 2}, False),
}
"""Method, options, and whether all answers are alike. Of six pairs in fives, one process has none of the last batch."""

EXACT = ("alike", "uneven")  # means over tokens of answers that are alike, and means over answers that are not


def run(ground: Ground, case: str, checkpoint: Path | None = None) -> dict[str, Any]:
    """The weights after a case."""
    name, given, alike = CASES[case]
    work = ground.work(name, checkpoint, **given)
    model = method(name).run(replace(work, corpus=ALIKE if alike else CORPUS))
    return {key: parameter.detach() for key, parameter in model.named_parameters()}


def main(rank: int, ground: Ground, folder: Path) -> None:
    """Every case, its weights saved."""
    import torch

    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder / 'store'}", rank=rank, world_size=2)
    for case in CASES:
        torch.save(run(ground, case, folder / f"{case}.pt"), folder / f"{case}-{rank}")
    torch.distributed.destroy_process_group()
