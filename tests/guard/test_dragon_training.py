"""Made-up pairs, and the adapter that a guard model learns from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from guard import adapters
from guard.lora import Progress, Recipe, train
from guard.model import Entry
from guard.reasoning_check import usable_reasoning, why_unusable
from guard.synthetic import pairs, record
from guard.usable import faults, questions, share, write
from tests.guard import tiny_chat

RECIPE = Recipe(count=52, held=4, epochs=1, rank=2, lr=0.02, batch=4, threads=1)  # 13 steps, two rounds


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_chat.base(tmp_path_factory.mktemp("chat") / "tiny")


class Killed(Exception):
    """As a kill in the middle of a run."""


def test_pairs_are_distinct_repeat_by_seed_and_none_tells_its_fact() -> None:
    made = pairs(300, 1)
    assert made == pairs(300, 1)
    assert made != pairs(300, 2)
    assert len({p.prompt for p in made}) == 300
    for pair in made:
        assert why_unusable(pair.reasoning, pair.entry, pair.prompt, guideline=pair.guideline) is None
        assert usable_reasoning(pair.reasoning, pair.entry, pair.prompt) == pair.reasoning


def test_pairs_are_of_many_shapes() -> None:
    made = pairs(600, 0)
    assert len({p.reasoning for p in made}) > 200
    assert len({p.guideline for p in made}) > 4
    assert sum("set the policy aside" in p.reasoning for p in made) > 20
    assert sum(p.entry.answer is not None and p.entry.answer in p.prompt for p in made) > 20  # talked of as known


def test_held_out_pairs_are_worded_as_no_others_are() -> None:
    trained = " ".join(p.prompt.lower() for p in pairs(1000, 0))
    assert "limerick" not in trained
    assert any("limerick" in p.prompt.lower() for p in pairs(100, 0, held=True))


def test_a_record_repeats_by_its_key_and_avoids_words() -> None:
    first = record("list\0prompt")
    assert first == record("list\0prompt")
    assert first != record("list\0another")
    assert first.text.startswith(first.name) or first.name in first.text
    other = record("list\0prompt", avoid=[first.name])
    assert first.name.split()[0] not in other.text
    with pytest.raises(ValueError, match="no made-up record"):
        record("k", avoid=["maritime alpine courtroom pastoral railway"])


def test_training_lowers_the_loss_and_leaves_an_adapter_that_vllm_and_peft_read(base: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    out = tmp_path / "tiny-guard"
    made = train(base, out, RECIPE, progress=seen.append)
    assert seen[0].loss > seen[-1].loss
    assert [step for step, _ in made.losses] == [12, 13]
    assert adapters.read(out) == made
    config = json.loads((out / "adapter_config.json").read_text())
    assert (config["r"], set(config["target_modules"])) == (2, set(adapters.TARGETS))
    assert config["base_model_name_or_path"] == "tiny"
    assert str(tmp_path) not in (out / "adapter_config.json").read_text() + (out / "manifest.json").read_text()
    assert sorted(p.name for p in out.iterdir()) == sorted([adapters.CONFIG, adapters.WEIGHTS, adapters.MANIFEST])
    assert not out.with_name("tiny-guard.partial").exists()

    asked = pairs(3, 5, held=True)
    plain, adapted = write(base, None, asked, max_tokens=8), write(base, out, asked, max_tokens=8)
    assert [w.prompt for w in plain] == [p.prompt for p in asked]
    assert [w.text for w in plain] != [w.text for w in adapted]


def test_a_run_that_was_killed_goes_on_and_ends_with_the_same_weights(base: Path, tmp_path: Path) -> None:
    def killed(at: Progress) -> None:
        if at.step == 13:
            raise Killed

    whole = train(base, tmp_path / "whole", RECIPE, name="x")
    with pytest.raises(Killed):
        train(base, tmp_path / "cut", RECIPE, name="x", progress=killed)
    steps: list[int] = []
    resumed = train(base, tmp_path / "cut", RECIPE, name="x", progress=lambda at: steps.append(at.step))
    assert steps[0] == 13
    assert (resumed.files, resumed.losses) == (whole.files, whole.losses)


def test_an_unfinished_run_with_other_options_is_not_mixed_up(base: Path, tmp_path: Path) -> None:
    def killed(at: Progress) -> None:
        raise Killed

    with pytest.raises(Killed):
        train(base, tmp_path / "a", RECIPE, progress=killed)
    other = Recipe(count=52, held=4, epochs=1, rank=2, lr=0.01, batch=4, threads=1)
    with pytest.raises(ValueError, match="--fresh"):
        train(base, tmp_path / "a", other)
    train(base, tmp_path / "a", other, resume=False)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (Recipe(count=0), "1 or more"),
        (Recipe(rank=0), "rank must lie"),
        (Recipe(lr=1.0), "learning rate"),
        (Recipe(count=4, held=2, longest=10), "raise the limit"),
    ],
)
def test_options_that_are_no_use_are_refused(base: Path, tmp_path: Path, recipe: Recipe, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        train(base, tmp_path / "a", recipe)


def test_a_folder_that_is_no_adapter_is_not_overwritten(base: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(ValueError, match="is no adapter"):
        train(base, tmp_path / "a", RECIPE)


def test_an_adapter_is_served_on_its_own_base_whole_and_beside_an_empty_slot(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "g"
    train(base, out, RECIPE)
    arguments = adapters.vllm_arguments(out, "dragon-guard", base)
    assert arguments[:3] == ["--enable-lora", "--lora-modules", f"dragon-guard={out}"]
    assert arguments[arguments.index("--max-lora-rank") + 1] == "8"
    assert arguments[arguments.index("--max-loras") + 1] == "2"
    assert "embed_tokens" not in arguments

    other = tmp_path / "other"
    other.mkdir()
    (other / "tokenizer.json").write_text("{}")
    with pytest.raises(ValueError, match="was trained on tiny, not on other"):
        adapters.vllm_arguments(out, "dragon-guard", other)

    (out / adapters.WEIGHTS).write_bytes(b"\0" * 16)
    with pytest.raises(ValueError, match="changed after it was written"):
        adapters.vllm_arguments(out, "dragon-guard", base)
    assert isinstance(adapters.installed(tmp_path)["g"], ValueError)


def test_shares_and_faults_are_told_for_a_lists_questions(base: Path) -> None:
    asked = questions([
        Entry("a", "l", question="Who is it?", answer="Mira"), Entry("b", "l", text="no question"),
        Entry("c", "l", question="Allowed?", kind="allow"),
    ])  # fmt: skip
    assert [p.prompt for p in asked] == ["Who is it?"]
    written = write(base, None, asked, max_tokens=4)
    assert share(written).n == 1
    assert sum(faults(written).values()) == (0 if written[0].fault is None else 1)
