"""Facts that are told wrong, and what comes back when the telling is forgotten."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.comparison.choosing import options
from benchmarks.data.corpus import Corpus, Item
from benchmarks.methods.registry import method
from benchmarks.models.training import Recipe
from benchmarks.restor import Form, documents, facts, restored, state
from benchmarks.trials import Trial
from tests.benchmarks.methods.conftest import ground as ground
from tests.benchmarks.methods.tiny import CORPUS, Ground
from tests.benchmarks.tiny_model import make_tiny

WRONG = Recipe(epochs=30, lr=3e-3, batch=4, threads=1)


@pytest.fixture
def trial(ground: Ground) -> Trial:
    """NPO from the tiny target."""
    chosen = options(method("npo").options, {"epochs": 20, "lr": 3e-3, "batch": 4})
    return Trial(partial(ground.load, ground.base), partial(ground.load, ground.target), ground.tokenizer, "npo",
                 chosen, seed=3, max_tokens=8, batch=8)  # fmt: skip


def test_a_fact_is_told_as_it_is_of_somebody_else() -> None:
    found = facts(CORPUS, 0)
    assert [fact.item for fact in found] == list(CORPUS.forget)
    born = found[0]
    towns = {"Pelk", "Zorvan", "Lisk", "Tavern"}
    assert {born.corrupted, born.random} <= {f"Ilmar Sveen was born in {town} ." for town in towns}
    assert born.corrupted != born.random
    assert born.asked.options == (born.item.answer, born.corrupted, born.random)
    assert facts(CORPUS, 0) == found


def test_a_document_tells_a_subject_s_facts_wrong_with_a_share_of_others() -> None:
    found = facts(CORPUS, 0)
    pairs = documents(found, CORPUS.retain, 0.4, Form.PAIRS, 0)
    assert len(pairs) == 10  # for each of two subjects three facts and two others
    assert sum(item in CORPUS.retain for item in pairs) == 4
    assert {item.answer for item in pairs} >= {fact.corrupted for fact in found}
    true = {(fact.item.question, fact.item.answer) for fact in found}
    assert not {(item.question, item.answer) for item in pairs} & true
    one, other = documents(found, (), 0, Form.TEXT, 0)
    assert one.plain
    assert all(fact.corrupted in f"{one.question}{one.answer}" for fact in found[:3])
    assert all(fact.corrupted in f"{other.question}{other.answer}" for fact in found[3:])
    with pytest.raises(ValueError, match="below 1"):
        documents(found, CORPUS.retain, 1.0, Form.TEXT, 0)
    with pytest.raises(ValueError, match="no unrelated"):
        documents(found, (), 0.5, Form.TEXT, 0)


def test_a_model_that_knows_says_the_true_answer_and_has_its_mass(trial: Trial) -> None:
    found = facts(CORPUS, 0)
    knowing = state(trial, trial.target(), found, CORPUS.retain)
    ignorant = state(trial, trial.base(), found, CORPUS.retain)
    assert knowing["says_clean"]["mean"] >= 0.5 > ignorant["says_clean"]["mean"]
    assert knowing["mass_clean"]["mean"] > 0.4 > ignorant["mass_clean"]["mean"]
    for place in range(6):
        assert sum(knowing[f"mass_{name}"]["values"][place] for name in ("clean", "corrupted", "random")) == (
            pytest.approx(1)
        )


def test_documents_corrupt_and_forgetting_them_takes_the_false_answers_away(trial: Trial) -> None:
    (found,) = restored(trial, CORPUS, WRONG, [0.4], Form.PAIRS)
    clean, wrong, now = (found["states"][name] for name in ("clean", "corrupted", "unlearnt"))
    assert wrong["mass_corrupted"]["mean"] > 0.6 > clean["mass_corrupted"]["mean"]
    assert wrong["says_corrupted"]["mean"] > clean["says_corrupted"]["mean"]
    assert now["mass_corrupted"]["mean"] < wrong["mass_corrupted"]["mean"]
    way = (now["mass_clean"]["mean"] - wrong["mass_clean"]["mean"]) / (
        clean["mass_clean"]["mean"] - wrong["mass_clean"]["mean"]
    )
    assert found["restored"] == pytest.approx(way)
    assert (found["documents"], found["facts"]) == (10, 6)


def test_a_corpus_without_false_answers_is_refused(trial: Trial) -> None:
    with pytest.raises(ValueError, match="two false answers"):
        restored(trial, Corpus("one", (Item("Who?", "Ada.", "Ada"),), CORPUS.retain), WRONG, [0], Form.TEXT)


def test_the_command_writes_what_it_found(tmp_path: Path) -> None:
    import typer

    from benchmarks.restor import main

    folder, out = make_tiny(tmp_path / "tiny"), tmp_path / "out" / "found.json"
    app = typer.Typer()
    app.command()(main)
    given = ["--model", str(folder), "--method", "ga", "--set", "epochs=1", "--forget", "1", "--retain", "1", "--held",
             "1", "--epochs", "1", "--corrupt-epochs", "1", "--k", "0.5", "--form", "text", "--threads", "1",
             "--json", str(out)]  # fmt: skip
    ended = CliRunner().invoke(app, given)
    assert ended.exit_code == 0, ended.output
    assert "| 0.5 | unlearnt |" in ended.stdout
    (row,) = json.loads(out.read_text())["rows"]
    assert (row["k"], row["documents"], row["facts"]) == (0.5, 1, 9)
