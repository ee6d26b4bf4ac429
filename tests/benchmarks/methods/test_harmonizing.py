"""Harmonizing: its loss by hand in both directions, and the prompts that it makes of a data set."""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import Any

import pytest

from benchmarks.data.corpus import Item
from benchmarks.methods.batches import Batches
from benchmarks.methods.harmonizing import METHOD, Harmonizing, away, loss, neighbours
from tests.benchmarks.methods.tiny import CORPUS, Ground
from tests.benchmarks.methods.toy import predicted, pulled, step

OWN, TOLD, PLAIN = [0.5, 0.3, 0.2], [0.2, 0.7, 0.1], [0.8, 0.1, 0.1]  # the student, the teacher instructed and not
PULL_TOLD = log(1 / 0.3)  # k is 1: towards the instructed teacher's likeliest token, and so on
PULL_PLAIN = log(1 / 0.5)
PUSH_TOLD, PUSH_PLAIN = -log(1 - 0.3), -log(1 - 0.5)  # from that token


def _step() -> Any:
    def told(row: list[float], wanted: int) -> Any:
        return predicted(([row], [wanted], [0]))

    views = {"refused": 1, "framed": 1, "asked": 0, "framed_asked": 0, "retained": 0, "neighbours": 0}
    sets = {name: told(OWN, wanted) for name, wanted in views.items()}
    sets |= {f"frozen_{name}": told(PLAIN, wanted) for name, wanted in views.items()}
    sets |= {"frozen_instructed": told(TOLD, 1)}
    sets |= {f"frozen_{name}_instructed": told(TOLD, 0) for name in ("retained", "neighbours")}
    return step(**sets)


def test_declining_is_pulled_on_forget_questions_and_pushed_on_others() -> None:
    one = _step()
    found = loss(one, Harmonizing(top=1, retain_weight=3.0, push=0.5))
    forget = 2 * (PULL_TOLD + 0.5 * PUSH_PLAIN) + 2 * 0.5 * PUSH_PLAIN
    retain = 2 * (PULL_PLAIN + 0.5 * PUSH_TOLD)
    assert found.item() == pytest.approx(forget / 2 + 3 * retain / 2, rel=1e-5)
    for name in ("refused", "framed"):
        assert pulled(loss(one, Harmonizing(top=1)), one.of(name).logits)[0][1] > 0
    for name in ("asked", "framed_asked"):
        assert pulled(loss(one, Harmonizing(top=1)), one.of(name).logits)[0][0] < 0
    for name in ("retained", "neighbours"):
        pull = pulled(loss(one, Harmonizing(top=1)), one.of(name).logits)[0]
        assert pull[0] > 0 > pull[1]


def test_without_pushes_it_is_distillation() -> None:
    found = loss(_step(), Harmonizing(top=1, push=0.0))
    assert found.item() == pytest.approx(PULL_TOLD + PULL_PLAIN, rel=1e-5)


def test_what_the_teacher_wants_is_not_pushed() -> None:
    import torch

    before, own = (torch.tensor([row]).log() for row in (PLAIN, OWN))
    assert away(before, own, 1, torch.tensor([[0]])).item() == pytest.approx(-log(1 - 0.3), rel=1e-5)
    assert away(before, own, 2, torch.tensor([[0]])).item() == pytest.approx(-log(0.5), rel=1e-5)
    assert away(before, own, 2, torch.tensor([[0, 1]])).item() == pytest.approx(-log(1 - 0.2), rel=1e-5)
    assert away(before, own, 1, torch.tensor([[0, 1, 2]])).item() == pytest.approx(0, abs=1e-6)


def test_a_neighbour_is_the_retain_pair_that_is_asked_for_in_the_same_words() -> None:
    near = neighbours(CORPUS.forget[:3], CORPUS.retain)
    assert [item.question.split()[0:2] for item in near] == [["Where", "was"], ["What", "was"], ["What", "did"]]
    assert all(item in CORPUS.retain for item in near)


def _texts(ground: Ground, **given: Any) -> dict[str, str]:
    """The prompts of a step by set; words that the tiny tokenizer does not know are [UNK]."""
    work = replace(ground.work("harmonizing"), **given)
    found = Batches(work, METHOD.needs).at(0).sets
    return {name: ground.tokenizer.decode(packed.ids[0]) for name, packed in found.items()}


def test_running_text_is_asked_to_be_continued_as_a_turn_of_a_chat(ground: Ground) -> None:
    plain = Item("Ilmar Sveen was", "born in Vorsk .", "Ilmar Sveen", plain=True)
    corpus = replace(CORPUS, forget=(plain,), retain=(replace(plain, question="Ada Quill was"),))
    for name, text in _texts(ground, corpus=corpus).items():
        if name not in ("forget", "retain"):  # which the loss does not look at
            assert text.startswith("<|user|>"), name
            assert "was <|end|>" in text or name.endswith("instructed") or "framed" in name or "neighbours" in name


def test_the_student_sees_no_instruction(ground: Ground) -> None:
    texts = _texts(ground)
    for own, told in (("refused", "instructed"), ("retained", "retained_instructed")):
        assert texts[told].count("[UNK]") > texts[own].count("[UNK]") == 0


def test_the_held_out_set_is_not_read(ground: Ground) -> None:
    held = replace(CORPUS, held=(Item("Where was Ada Quill born ?", "A clockmaker ."),))
    assert _texts(ground, corpus=held) == _texts(ground)


def test_no_retain_set_is_needed_where_it_does_not_count(ground: Ground) -> None:
    work = ground.work("harmonizing", retain_weight=0.0, epochs=1)
    METHOD.run(replace(work, corpus=replace(CORPUS, retain=())))


def test_frames_are_named_that_there_are(ground: Ground) -> None:
    with pytest.raises(ValueError, match="takes frames from three_words, prefix"):
        METHOD.run(ground.work("harmonizing", frames=("picture",)))
    with pytest.raises(ValueError, match="not none"):
        METHOD.run(ground.work("harmonizing", frames=()))
