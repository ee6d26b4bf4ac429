"""A whole run on a model that is made here: small, real, in seconds."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.comparison.probing import Patient
from benchmarks.comparison.run import Run
from benchmarks.comparison.spec import Asking, Data, RunSpec
from benchmarks.data.registry import corpus
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.models.training import Recipe
from tests.benchmarks.tiny_model import make_tiny

SPEC = RunSpec(
    "tiny", Data(forget=1, retain=2, held=1), model="tiny", teach=Recipe(epochs=3, lr=1e-2, batch=8, threads=1),
    methods=("npo",), options={"npo": {"epochs": 2, "lr": 1e-3}}, asking=Asking(items=4, max_tokens=4, batch=8),
    metrics=("forget_rouge", "retain_rouge", "forget_probability", "over_refusal"), attacks=("role_play",),
)  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("base") / "tiny")


def _run(spec: RunSpec, base: Path, folder: Path, said: list[str]) -> Run:
    own = spec.data
    chosen = corpus(own.name, own.source, own)
    return Run(spec, chosen, base, folder, folder, said.append, shown=False)


def test_a_run_has_a_row_for_each_model_and_is_not_done_twice(base: Path, tmp_path: Path) -> None:
    said: list[str] = []
    found = _run(SPEC, base, tmp_path, said).comparison()
    assert [o.name for o in found.outcomes] == ["target", "retained", "npo"]
    npo = found.outcomes[2]
    assert not npo.failed
    assert npo.cost.seconds > 0
    assert npo.cost.tokens
    assert npo.cost.deletion_seconds == pytest.approx(npo.cost.seconds)
    assert isinstance(npo.figures["forget_probability"], Measured)
    assert npo.figures["forget_probability"].n == 4
    assert "attack: role_play" in npo.figures
    assert {one.of for one in npo.said} >= {"forget", "retain"}
    assert npo.command.startswith("letheward bench run --profile tiny --methods npo")
    files = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("done.json")}
    said.clear()
    again = _run(SPEC, base, tmp_path, said).comparison()
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("done.json")} == files
    assert again.outcomes[2].figures == npo.figures
    assert all("there already" in line or line.startswith("[") for line in said)


def test_attacks_and_probes_are_done_to_every_row_once(base: Path, tmp_path: Path) -> None:
    spec = replace(SPEC, attacks=("int4", "role_play"), probes=("distance",))
    found = _run(spec, base, tmp_path, []).comparison()
    for outcome in found.outcomes:
        assert isinstance(outcome.figures["attack: int4"], Measured)
        assert isinstance(outcome.figures["attack: role_play"], Measured)
        assert isinstance(outcome.figures["distance"], Measured)
    assert found.outcomes[0].figures["distance"].value == 0  # type: ignore[union-attr]
    files = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("done.json")}
    again = _run(spec, base, tmp_path, []).comparison()
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("done.json")} == files
    assert [o.figures for o in again.outcomes] == [o.figures for o in found.outcomes]


def test_a_guard_is_opened_once_for_all_that_is_done_to_its_row(base: Path, tmp_path: Path) -> None:
    opened: list[str] = []

    class Silent:
        def encode_as(self, question: str, answer: str, plain: bool = False) -> None:
            return None

        def says(self, question: str, plain: bool = False) -> str:
            return "Hm ."

        def action(self, question: str, plain: bool = False) -> str:
            return "refuse"

    @contextmanager
    def guard() -> Iterator[Silent]:
        opened.append("in")
        yield Silent()
        opened.append("out")

    run = _run(replace(SPEC, attacks=("int4", "int8", "sampling")), base, tmp_path, [])
    patient = Patient("guard", run.target, run._measures[0], guard, {"guard": "silent"})
    figures = run.probing.figures(patient)
    assert opened == ["in", "out"]
    assert {name: figure.value for name, figure in figures.items() if isinstance(figure, Measured)} == {
        "attack: int4": 0, "attack: int8": 0, "attack: sampling": 0
    }  # fmt: skip
    assert run.probing.figures(patient) == figures
    assert opened == ["in", "out"]  # what is there is not measured again


def test_other_options_make_another_model_of_the_same_target(base: Path, tmp_path: Path) -> None:
    first = _run(SPEC, base, tmp_path, []).comparison().outcomes[2]
    other = replace(SPEC, options={"npo": {"epochs": 2, "lr": 5e-3}})
    second = _run(other, base, tmp_path, []).comparison().outcomes[2]
    assert first.figures["forget_probability"] != second.figures["forget_probability"]
    assert len(list(tmp_path.glob("target-*"))) == 1
    assert len(list(tmp_path.glob("unlearnt-npo-*"))) == 2


def test_a_method_that_fails_is_a_row_that_says_why(base: Path, tmp_path: Path) -> None:
    broken = replace(SPEC, options={"npo": {"epochs": 2, "lr": "much"}})
    found = _run(broken, base, tmp_path, []).comparison().outcomes[2]
    assert found.failed
    assert found.figures == {}


def test_a_method_that_has_no_room_is_a_row_that_says_how_much_it_wants(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.comparison.room.free_bytes", lambda device: 1000)
    found = _run(SPEC, base, tmp_path, []).comparison().outcomes[2]
    assert re.match(r"TooSmall: npo needs about [\d.]+ GiB and 0.0 GiB are free: try ", found.failed)
    assert found.figures == {}


def test_requests_one_by_one_have_figures_after_each(base: Path, tmp_path: Path) -> None:
    spec = replace(SPEC, data=Data(forget=2, retain=2, held=1), requests=2)
    npo = _run(spec, base, tmp_path, []).comparison().outcomes[2]
    assert len(npo.steps) == 2
    assert npo.steps[1]["forget_rouge"] == npo.figures["forget_rouge"]
    assert npo.cost.deletion_seconds == pytest.approx(npo.cost.seconds / 2)
    assert isinstance(npo.steps[0]["over_refusal"], Undefined)


def test_a_sweep_keeps_the_best_of_as_many_as_it_may_try(base: Path, tmp_path: Path) -> None:
    said: list[str] = []
    npo = _run(replace(SPEC, sweep=2), base, tmp_path, said).comparison().outcomes[2]
    tried = [line for line in said if line.startswith("npo: 0.") or line.startswith("npo: 1.")]
    assert len(tried) == 2
    best = max(float(line.split()[1]) for line in tried)
    assert any(f"npo: {best:.3f}" in line and f"lr={npo.options['lr']}" in line for line in tried)


def test_a_model_of_ones_own_is_not_taught(base: Path, tmp_path: Path) -> None:
    found = _run(replace(SPEC, target=str(base), retained=str(base), methods=()), base, tmp_path, []).comparison()
    assert [o.name for o in found.outcomes] == ["target", "retained"]
    assert not list(tmp_path.glob("target-*"))
    assert json.dumps(found.spec)


def _command(base: Path, out: Path) -> list[str]:
    words = f"bench run --profile tiny --model {base} --methods npo,ga --forget 1 --retain 2 --items 4 --threads 1"
    options = "--set npo.epochs=6 --set ga.epochs=6 --quiet --json --out"
    return [sys.executable, "-m", "server.cli", *words.split(), *options.split(), str(out)]


def _figures(text: str) -> list[tuple[str, object]]:
    return [(one["name"], one["figures"]) for one in json.loads(text)["outcomes"]]


def _killed(command: list[str], stages: Path, seen: str, rng: random.Random) -> None:
    """Start it, and kill it some time after a stage that ``seen`` matches has begun."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not list(stages.glob(seen)):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(rng.random() / 5)
    process.kill()
    assert process.wait() == -signal.SIGKILL


def test_a_run_that_is_killed_three_times_ends_with_the_same_numbers(base: Path, tmp_path: Path) -> None:
    whole = subprocess.run(_command(base, tmp_path / "whole"), capture_output=True, text=True, check=True)
    rng = random.Random(0)
    for seen in ("target-*/under-way/*", "retained-*", "unlearnt-npo-*/under-way/*"):
        _killed(_command(base, tmp_path / "killed"), tmp_path / "killed" / "stages", seen, rng)
    again = subprocess.run(_command(base, tmp_path / "killed"), capture_output=True, text=True, check=True)
    assert _figures(again.stdout) == _figures(whole.stdout)
    runs = subprocess.run(
        [sys.executable, "-m", "server.cli", "bench", "show", "--json", "--out", str(tmp_path / "killed")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [run["rows"] for run in json.loads(runs.stdout)] == [4]
