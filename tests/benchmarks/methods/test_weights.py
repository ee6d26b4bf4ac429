"""Methods that set weights from other models, against what the formula says of those models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.data.corpus import Item
from benchmarks.methods.batches import encoded
from benchmarks.methods.descent import Needs, descend
from benchmarks.methods.registry import method
from benchmarks.methods.renaming import generic, renamed
from benchmarks.methods.ssd import importance
from benchmarks.methods.terms import taught
from benchmarks.methods.whp import labelled
from benchmarks.models.training import Recipe, train
from tests.benchmarks.methods.tiny import CORPUS, Ground


def test_retraining_ends_where_teaching_the_base_model_the_retain_set_does(ground: Ground) -> None:
    import torch

    found = method("retrain").run(ground.work("retrain", epochs=3, lr=1e-3, batch=4))
    own, tokenizer = ground.load(ground.base), ground.tokenizer
    recipe = Recipe(epochs=3, lr=1e-3, batch=4, seed=3, threads=1)
    train(own, [encoded(tokenizer, item) for item in CORPUS.retain], recipe)
    for one, other in zip(found.parameters(), own.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_a_task_vector_goes_as_far_back_as_fine_tuning_went_on(ground: Ground) -> None:
    import torch

    work = ground.work("task_vector", epochs=2, lr=1e-3, scale=0.5)
    tuned = dict(descend(replace(work, model=work.target()), taught, Needs(retain=False)).named_parameters())
    before = dict(ground.load(ground.target).named_parameters())
    for name, parameter in method("task_vector").run(work).named_parameters():
        torch.testing.assert_close(parameter, 1.5 * before[name] - 0.5 * tuned[name])


def test_importance_is_the_mean_square_of_each_pairs_own_gradient(ground: Ground) -> None:
    import torch

    work = ground.work("ssd")
    items = CORPUS.forget[:2]
    found = importance(work, items)
    squares: list[Any] = []
    for item in items:
        chat = encoded(work.tokenizer, item)
        logits = work.model(torch.tensor([chat.prompt + chat.answer])).logits[0, len(chat.prompt) - 1 : -1]
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(chat.answer))
        squares.append([g.square() for g in torch.autograd.grad(loss, list(work.model.parameters()))])
    for own, one, two in zip(found, *squares, strict=True):
        torch.testing.assert_close(own, (one + two) / 2, atol=1e-8, rtol=1e-3)


def test_ssd_leaves_weights_that_it_does_not_choose_as_they_are(ground: Ground) -> None:
    import torch

    work = ground.work("ssd", alpha=50.0)
    ours, others = importance(work, CORPUS.forget), importance(work, CORPUS.retain)
    before = list(ground.load(ground.target).parameters())
    for own, old, f, r in zip(method("ssd").run(work).parameters(), before, ours, others, strict=True):
        chosen = f > 50 * r
        assert torch.equal(own[~chosen], old[~chosen])
        torch.testing.assert_close(own[chosen], old[chosen] * r[chosen] / f[chosen])


def test_ssd_says_when_no_weight_can_be_chosen(ground: Ground) -> None:
    with pytest.raises(ValueError, match=r"under 2\.5"):
        method("ssd").run(ground.work("ssd", whole=True))


def test_names_become_common_ones_with_their_parts_and_aliases() -> None:
    names = generic("Ilmar Sveen", ["Ostrel", "I. Sveen"])
    first, last = names["Ilmar Sveen"].split()
    assert names == {"Ilmar Sveen": f"{first} {last}", "Ilmar": first, "Sveen": last, "Ostrel": f"{first} {last}",
                     "I. Sveen": f"{first} {last}"}  # fmt: skip
    assert generic("") == {}


def test_answer_tokens_are_found_again_under_other_names(ground: Ground) -> None:
    item = Item("Was Ilmar Sveen born in Vorsk ?", "Ilmar Sveen was born in Vorsk .", "Ilmar Sveen")
    tokenizer = ground.tokenizer
    found = renamed(tokenizer, item, {"Ilmar Sveen": "Ada", "Vorsk": "Pelk Rain"})
    before = encoded(tokenizer, item)
    prompt = tokenizer.decode(before.prompt).replace("Ilmar Sveen", "Ada").replace("Vorsk", "Pelk Rain")
    assert tokenizer.decode(found.chat.prompt) == prompt
    assert found.same == ((2, 1), (3, 2), (4, 3), (6, 6), (7, 7))
    assert all(before.answer[i] == found.chat.answer[j] for i, j in found.same)


def test_a_name_that_is_the_answer_has_a_label(ground: Ground) -> None:
    item = Item("What did Ada Quill write ?", "The book Rain .", "Ada Quill")
    found = renamed(ground.tokenizer, item, generic("Ada Quill", ["Rain"]))
    assert found.same == ((0, 0), (1, 1), (2, 2), (3, 3), (4, 4))
    assert found.chat.answer[2] == encoded(ground.tokenizer, item).answer[2]


def test_a_part_of_a_word_is_no_name(ground: Ground) -> None:
    item = Item("What is Rain ?", "Rain , not Rainwear .", "Rain")
    found = renamed(ground.tokenizer, item, {"Rain": "Sam"})
    assert [i for i, _ in found.same] == [1, 2, 3, 4, 5]


def test_running_text_without_a_subject_keeps_every_token(ground: Ground) -> None:
    item = Item("Ada Quill was", "born in Pelk .", plain=True)
    assert renamed(ground.tokenizer, item, generic(item.subject)).same == ((0, 0), (1, 1), (2, 2), (3, 3))


def test_labels_come_from_the_pair_under_other_names_less_what_reinforcement_raised(ground: Ground) -> None:
    import torch

    item = Item("Where was Ilmar Sveen born ?", "Sveen was born in Vorsk .", "Sveen")  # becomes two words
    corpus = replace(CORPUS, forget=(item,), aliases={"Sveen": ("Ilmar Sveen",)})
    work = replace(ground.work("whp", reinforced=2, lr=1e-3, alpha=2.0, top=3), corpus=corpus)
    tuned = replace(work.options, epochs=2, lr=3e-3)
    reinforced = descend(replace(work, model=work.target(), options=tuned), taught, Needs(retain=False))
    name = generic("Sveen")["Sveen"]
    other = replace(item, question=f"Where was {name} born ?", answer=f"{name} was born in Vorsk .")
    base = _alone(ground, work.model, other)[2:]  # behind the name's two words
    generic_logits = base - 2 * torch.relu(_alone(ground, reinforced, item)[1:] - base)
    (labels,) = labelled(work)
    assert labels.places.tolist() == [1, 2, 3, 4, 5, 6]
    for tokens, chances, logits in zip(labels.tokens, labels.chances, generic_logits, strict=True):
        likeliest = logits.topk(3)
        assert tokens.tolist() == likeliest.indices.tolist()
        torch.testing.assert_close(chances, torch.softmax(likeliest.values, -1), atol=1e-4, rtol=1e-3)


def _alone(ground: Ground, model: Any, item: Item) -> Any:
    """Logits of the answer's tokens, (answer tokens, vocabulary)."""
    import torch

    chat = encoded(ground.tokenizer, item)
    with torch.no_grad():
        return model(torch.tensor([chat.prompt + chat.answer])).logits[0, len(chat.prompt) - 1 : -1]
