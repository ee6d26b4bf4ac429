"""The choice of the facts that are hardest to forget."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.comparison.choosing import options
from benchmarks.methods.registry import method
from benchmarks.trials import Trial, copies_of, trial_of
from benchmarks.worst_case import Search, against_random, hardest, largest, projected, shares, updated, weighted
from tests.benchmarks.methods.conftest import ground as ground
from tests.benchmarks.methods.tiny import CORPUS, Ground
from tests.benchmarks.tiny_model import make_tiny


@pytest.fixture
def trial(ground: Ground) -> Trial:
    """Gradient difference from the tiny target."""
    chosen = options(method("grad_diff").options, {"epochs": 8, "lr": 3e-3, "batch": 4})
    return Trial(partial(ground.load, ground.base), partial(ground.load, ground.target), ground.tokenizer, "grad_diff",
                 chosen, seed=3, max_tokens=8, batch=8)  # fmt: skip


def test_weights_are_projected_onto_those_that_sum_to_the_size() -> None:
    assert projected([1.4, 0.5, 0.1], 1) == pytest.approx([0.95, 0.05, 0])
    assert projected([5.0, 5.0, -3.0], 2) == pytest.approx([1, 1, 0])
    assert projected([0.2, 0.2, 0.2, 0.2], 3) == pytest.approx([0.75] * 4)
    with pytest.raises(ValueError, match="cannot sum"):
        projected([1.0], 2)


def test_a_fact_whose_loss_stays_small_gains_weight() -> None:
    found = updated([0.5, 0.5], [0.0, 1.0], Search(1, lr=0.2))
    assert found == pytest.approx([0.6, 0.4])  # 0.5 and 0.3, each 0.1 higher
    assert updated([0.8, 0.2], [0.0, 0.0], Search(1, lr=0.5, gamma=0.5)) == pytest.approx([0.65, 0.35])


def test_weights_are_told_as_how_often_a_fact_is_forgotten_and_kept() -> None:
    rng = random.Random(0)
    assert shares([1.0, 0.5, 0.5, 0.0], 4, rng) == [4, 2, 2, 0]
    found = shares([0.1] * 10, 4, rng)
    assert sum(found) == 4
    assert set(found) == {0, 1}
    part = weighted(replace(CORPUS, forget=CORPUS.forget[:2]), [3, 0], 4)
    assert part.forget == (CORPUS.forget[0],) * 3
    assert [part.retain.count(item) for item in CORPUS.forget[:2]] == [1, 4]
    assert part.retain.count(CORPUS.retain[0]) == 4


def test_the_largest_weights_are_the_set() -> None:
    assert largest([0.2, 0.9, 0.1, 0.8], 2) == (1, 3)


def test_the_search_gives_weights_of_the_size_and_the_same_again(trial: Trial) -> None:
    search = Search(2, rounds=2, grain=2)
    weights = hardest(trial, CORPUS, search)
    assert sum(weights) == pytest.approx(2)
    assert all(0 <= weight <= 1 for weight in weights)
    assert max(weights) > min(weights)
    assert hardest(trial, CORPUS, search) == weights
    with pytest.raises(ValueError, match="from 1 to 5 of 6"):
        hardest(trial, CORPUS, Search(6))


def test_a_fact_that_is_taught_elsewhere_too_is_found_to_be_hard(trial: Trial) -> None:
    taught = replace(CORPUS, retain=(*CORPUS.retain, *[CORPUS.forget[4]] * 6))
    weights = hardest(trial, taught, Search(2, rounds=3, grain=2, lr=0.02))
    assert largest(weights, 1) == (4,)


def test_the_set_is_compared_with_random_ones_of_its_size(trial: Trial) -> None:
    found = against_random(trial, CORPUS, Search(2, rounds=1, grain=2), sets=2)
    assert len(found["worst"]["places"]) == 2
    assert [len(one["places"]) for one in found["random"]] == [2, 2]
    for one in (found["worst"], *found["random"]):
        assert 0 <= one["leak"] <= 1
        assert one["loss"] > 0
    mean = (found["random"][0]["loss"] + found["random"][1]["loss"]) / 2
    assert found["random_mean"]["loss"]["mean"] == pytest.approx(mean)


def test_a_guard_is_no_method_to_choose_for(ground: Ground) -> None:
    load = copies_of(None)
    with pytest.raises(ValueError, match="changes no weights"):
        trial_of("eco", [], (load, load, None), 0)
    found = trial_of("npo", ["beta=0.5", "epochs=2"], (load, load, None), 0)
    assert (found.options.beta, found.options.epochs, found.options.lr) == (0.5, 2, 2e-4)


def test_the_command_writes_what_it_found(tmp_path: Path) -> None:
    import typer

    from benchmarks.worst_case import main

    folder, out = make_tiny(tmp_path / "tiny"), tmp_path / "out" / "found.json"
    app = typer.Typer()
    app.command()(main)
    given = ["--model", str(folder), "--method", "ga", "--set", "epochs=1", "--forget", "1", "--retain", "1", "--size",
             "3", "--rounds", "1", "--sets", "1", "--epochs", "1", "--threads", "1",
             "--json", str(out)]  # fmt: skip
    refused = CliRunner().invoke(app, [*given, "--size", "9"])
    assert refused.exit_code == 2
    ended = CliRunner().invoke(app, given)
    assert ended.exit_code == 0, ended.output
    assert "| hardest |" in ended.stdout
    found = json.loads(out.read_text())
    assert (found["method"], found["search"]["size"], len(found["weights"])) == ("ga", 3, 9)
