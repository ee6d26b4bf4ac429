"""`letheward bench images`, on generators that are taught in seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.cli import app
from benchmarks.images import bench, diffusion, scorer
from benchmarks.images.ground import Recipes, made
from benchmarks.images.method import Kind

QUICK = Recipes(diffusion.Recipe(60), scorer=scorer.Recipe(30))


def _compared(out: Path, *names: str) -> dict[str, Any]:
    given = {"remap": {"steps": 20}, "ga_diffusion": {"steps": 20}}
    return bench.compared(names, 3, 0, 20, out, given, recipes=QUICK, shown=False)


def test_a_comparison_has_a_row_for_the_target_and_for_each_method(tmp_path: Path) -> None:
    found = _compared(tmp_path, "remap", "ga_diffusion")
    assert [row["name"] for row in found["rows"]] == ["target (diffusion)", "remap", "ga_diffusion"]
    assert found["rows"][1]["forget_accuracy"]["n"] == 20
    assert found["rows"][1]["retain_accuracy"]["n"] == found["rows"][1]["frechet"]["n"] == 180
    assert json.loads((tmp_path / "images-3-0.json").read_text()) == found
    text = bench.table(found)
    assert "digit 3 forgotten" in text
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["target", "remap", "ga_diffusion"]
    assert not list((tmp_path / "runs").glob("*"))


def test_a_second_run_finds_the_generators_and_says_the_same(tmp_path: Path) -> None:
    def figures(found: dict[str, Any]) -> list[Any]:
        return [(row["forget_accuracy"], row["retain_accuracy"], row["frechet"]) for row in found["rows"]]

    first = _compared(tmp_path, "remap")
    kept = {file: file.stat().st_mtime_ns for file in (tmp_path / "targets").iterdir()}
    assert len(kept) == 2
    assert figures(_compared(tmp_path, "remap")) == figures(first)
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "targets").iterdir()} == kept


def test_what_is_found_again_is_what_was_taught(tmp_path: Path) -> None:
    import torch

    grounds = [made(0, tmp_path, {Kind.DIFFUSION}, QUICK) for _ in range(2)]
    one, two = grounds
    for first, second in (
        (one.targets[Kind.DIFFUSION].weights(), two.targets[Kind.DIFFUSION].weights()),
        (one.scorer.weights(), two.scorer.weights()),
    ):
        assert all(torch.equal(first[name], second[name]) for name in first)
    assert not any(parameter.requires_grad for parameter in grounds[1].scorer.parameters())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--methods", "npo"], "there is no method 'npo'"),
        (["--methods", ","], "name a method"),
        (["--methods", "sfd", "--set", "sfd.speed=2"], "there is no option 'speed'"),
        (["--methods", "sfd", "--set", "remap.lr=2"], "does not run"),
        (["--set", "sfd"], "write METHOD.OPTION=VALUE"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_taught(tmp_path: Path, given: list[str], message: str) -> None:
    found = CliRunner().invoke(app, ["images", "--out", str(tmp_path), *given])
    assert found.exit_code == 1
    assert message in found.stderr
    assert not list(tmp_path.iterdir())


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, benchmarks.cli; sys.exit(any(name in sys.modules for name in ('torch', 'sklearn', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
