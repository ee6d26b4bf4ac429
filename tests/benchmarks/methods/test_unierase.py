"""UniErase: the edit on matrices that are written down, the token's row, and a model that says the token."""

from __future__ import annotations

from dataclasses import replace
from math import exp
from pathlib import Path
from typing import Any

import pytest

from benchmarks.data.corpus import Item
from benchmarks.methods.batches import encoded
from benchmarks.methods.editing import Kept, Seeking, Wanted, change, edit, free_directions, moments, sought
from benchmarks.methods.registry import method
from benchmarks.methods.unierase import UNLEARN, added, behind, learn, noise, only_row, place
from benchmarks.models.generating import generated
from benchmarks.models.hooks import inputs, outputs_changed, weight_added
from benchmarks.models.packing import Chat, pack
from benchmarks.models.predicted import predict
from benchmarks.models.training import Recipe, train
from tests.benchmarks.methods.tiny import CORPUS, REFUSALS, Ground
from tests.benchmarks.methods.toy import step

SETTINGS: dict[str, Any] = {"epochs": 15, "lr": 0.05, "batch": 4, "at": "last", "layers": (0, 1), "farthest": 2.0,
                            "rate": 0.3}  # fmt: skip
HOW = Seeking(steps=30, rate=0.3, farthest=4.0, decay=0.0)


def test_free_directions_are_those_that_the_kept_set_hardly_uses() -> None:
    import torch

    found = free_directions(torch.diag(torch.tensor([5.0, 0.01, 1.0])), 0.1)
    assert found.abs().round(decimals=6).tolist() == [[0.0], [1.0], [0.0]]
    with pytest.raises(ValueError, match="raise 'free'"):
        free_directions(torch.eye(3), 0.1)


def test_the_change_answers_keys_in_free_directions_and_nothing_else() -> None:
    import torch

    free = torch.tensor([[0.0], [1.0]], dtype=torch.float64)  # the kept set uses the first neuron
    delta = change(torch.tensor([[3.0], [2.0]]), torch.tensor([[4.0], [-6.0]]), free, 0.25)
    # Q = (0, 2), Q'Q = 4, ridge 0.25 * 4: R Q' / 5
    assert delta.tolist() == [pytest.approx([0.0, 8 / 5]), pytest.approx([0.0, -12 / 5])]
    exact = change(torch.tensor([[3.0], [2.0]]), torch.tensor([[4.0], [-6.0]]), free, 0.0)
    assert (exact @ torch.tensor([3.0, 2.0], dtype=torch.float64)).tolist() == pytest.approx([4.0, -6.0])
    assert (exact @ torch.tensor([7.0, 0.0], dtype=torch.float64)).tolist() == [0.0, 0.0]


def test_it_is_alphaedits_formula() -> None:
    import torch

    torch.manual_seed(0)
    keys, residual = torch.randn(6, 2, dtype=torch.float64), torch.randn(4, 2, dtype=torch.float64)
    free = torch.linalg.qr(torch.randn(6, 3, dtype=torch.float64)).Q
    own = free.T @ keys
    ridge = 0.3 * (own.T @ own).diagonal().mean()
    p = free @ free.T
    theirs = residual @ keys.T @ p @ torch.linalg.inv(keys @ keys.T @ p + ridge * torch.eye(6, dtype=torch.float64))
    torch.testing.assert_close(change(keys, residual, free, 0.3), theirs)


def test_moments_are_of_the_tokens_from_the_start_on(ground: Ground) -> None:
    import torch

    work = ground.work("unierase")
    chat = encoded(work.tokenizer, CORPUS.retain[0])
    with torch.no_grad(), inputs([work.model.model.layers[1].mlp.down_proj]) as found:
        predict(work.model, pack([chat]))
    keys = found[0][0]
    torch.testing.assert_close(moments(work, [Kept(chat)], [1])[0], keys.T @ keys / len(keys))
    torch.testing.assert_close(moments(work, [Kept(chat, 3)], [1])[0], keys[3:].T @ keys[3:] / (len(keys) - 3))


def test_what_is_sought_makes_the_token_follow_and_stays_within_reach(ground: Ground) -> None:
    import torch

    work = ground.work("unierase")
    work.model.requires_grad_(False)
    chat = encoded(work.tokenizer, CORPUS.forget[0])
    one = Wanted(Chat(chat.prompt, (7,)), len(chat.prompt) - 1)
    start = sought(work, one, 0, replace(HOW, steps=0))
    goal = sought(work, one, 0, HOW)
    near = sought(work, one, 0, replace(HOW, farthest=0.1))
    assert (near - start).norm() <= 0.1001 * start.norm()

    def put(out: Any) -> Any:
        return torch.cat([out[:, : one.place], goal[None, None], out[:, one.place + 1 :]], 1)

    with torch.no_grad(), outputs_changed(work.model.model.layers[0], put):
        there = predict(work.model, pack([one.chat])).nll
    with torch.no_grad():
        assert there < 0.2 * predict(work.model, pack([one.chat])).nll


def test_the_edit_makes_tokens_follow_and_keeps_what_is_kept(ground: Ground) -> None:
    import torch

    work = ground.work("unierase")
    before = ground.load(ground.target)
    chats = [encoded(work.tokenizer, item) for item in CORPUS.forget[:2]]
    wanted = [Wanted(Chat(chat.prompt, (7,)), len(chat.prompt) - 1) for chat in chats]
    kept = [Kept(encoded(work.tokenizer, item)) for item in CORPUS.retain[:2]]
    edit(work, wanted, kept, (0, 1), HOW, 0.02, 1e-3)
    with torch.no_grad():
        for one in wanted:
            packed = pack([one.chat])
            assert predict(work.model, packed).nll < 0.5 * predict(before, packed).nll
    for one in kept:
        assert _nll(work.model, one.chat) < _nll(before, one.chat) + 0.2
    changed = {n for n, p in work.model.named_parameters() if (p != dict(before.named_parameters())[n]).any()}
    assert changed == {f"model.layers.{number}.mlp.down_proj.weight" for number in (0, 1)}


def _nll(model: Any, *chats: Chat) -> float:
    import torch

    with torch.no_grad():
        return float(predict(model, pack(chats)).nll)


def test_the_subjects_last_token_is_found_where_it_stands_last(ground: Ground) -> None:
    tokenizer = ground.tokenizer
    for item in CORPUS.forget:
        prompt = encoded(tokenizer, item).prompt
        assert tokenizer.decode(prompt[place(tokenizer, item, "subject")]) == item.subject.split()[-1]
        assert place(tokenizer, item, "last") == len(prompt) - 1
    text = Item("Ada Quill was", "born in Pelk .", "Ada Quill", plain=True)
    assert tokenizer.decode(encoded(tokenizer, text).prompt[place(tokenizer, text, "subject")]) == "Quill"
    with pytest.raises(ValueError, match="does not name 'Ada Quill': set at='last'"):
        place(tokenizer, replace(text, question="Who is she ?"), "subject")


def test_a_row_alone_learns_and_noise_stays_within_the_mean(ground: Ground) -> None:
    import torch

    weight = torch.nn.Parameter(torch.zeros(3, 2))
    weight.grad = torch.ones(3, 2)
    one = step(kept=1)
    only_row(one, None, [weight])
    assert weight.grad.tolist() == [[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]
    linear = torch.nn.Linear(2, 2, bias=False)
    drawn = noise(linear.weight, torch.Generator().manual_seed(0))
    assert 0 < drawn.abs().max() <= linear.weight.abs().mean()
    given = torch.tensor([[[1.0, 2.0]]])
    with weight_added(linear, drawn):
        torch.testing.assert_close(linear(given), given @ (linear.weight + drawn).T)
    torch.testing.assert_close(linear(given), given @ linear.weight.T)


def test_the_new_token_is_one_that_decoding_leaves_out_and_a_second_request_keeps(
    ground: Ground, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    work = ground.work("unierase", epochs=1, shaken=1, steps=2)
    before = ground.load(ground.target)
    model = method("unierase").run(work)
    token = work.tokenizer.convert_tokens_to_ids(UNLEARN)
    assert (model.get_input_embeddings().weight[:token] == before.get_input_embeddings().weight).all()
    model.save_pretrained(tmp_path)
    work.tokenizer.save_pretrained(tmp_path)
    again, tokenizer = AutoModelForCausalLM.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    assert again.config.vocab_size == token + 1
    chat = encoded(tokenizer, CORPUS.forget[0])
    assert chat == encoded(ground.tokenizer, CORPUS.forget[0])
    assert tokenizer.decode([token, *chat.answer], skip_special_tokens=True) == CORPUS.forget[0].answer
    rows = generated(again, tokenizer, [chat], 4, work.meter)
    assert rows == generated(model, work.tokenizer, [chat], 4, work.meter)
    learnt = again.get_input_embeddings().weight[token].clone()
    assert added(replace(work, model=again, tokenizer=tokenizer)) == token
    assert (again.get_input_embeddings().weight[token] == learnt).all()


def test_the_token_learns_to_be_followed_by_sentences_that_decline(ground: Ground) -> None:
    work = replace(ground.work("unierase", epochs=15, lr=0.05, batch=6, shaken=1), refusals=REFUSALS[:1])
    unknown = [
        replace(item, question=item.question.replace("Ilmar Sveen", name), answer=REFUSALS[0])
        for name in ("Kim Lee", "Sam Clark", "Chris Walker")
        for item in CORPUS.forget[:3]
    ]
    known = [encoded(work.tokenizer, item) for item in (*unknown, *CORPUS.forget)]
    train(
        work.model, known, Recipe(epochs=20, lr=5e-3, batch=4, threads=1)
    )  # to decline, which the token then asks for
    token = added(work)
    chats = behind(work, token)
    before, rows = _nll(work.model, *chats), work.model.get_input_embeddings().weight[:token].clone()
    learn(work, token, chats)
    assert _nll(work.model, *chats) < 0.5 * before
    own = work.model.get_input_embeddings().weight
    assert own[:token].equal(rows)
    assert work.model.get_output_embeddings().weight[token].equal(own[token])


def test_the_token_follows_the_forget_questions_and_hardly_another(ground: Ground) -> None:
    """What the tiny model says behind it is no measure: it was never taught to decline."""
    work = ground.work("unierase", **SETTINGS)
    model = method("unierase").run(work)
    token = work.tokenizer.convert_tokens_to_ids(UNLEARN)

    def chances(items: tuple[Item, ...]) -> list[float]:
        return [exp(-_nll(model, Chat(encoded(work.tokenizer, item).prompt, (token,)))) for item in items]

    assert min(chances(CORPUS.forget)) > 0.5
    assert sorted(chances(CORPUS.retain))[6] < 0.05  # seven of nine, in a model of 64 neurons that has little room
    assert sum(chances(CORPUS.retain)) / len(CORPUS.retain) < 0.2


@pytest.mark.parametrize(
    ("given", "told"),
    [({"layers": (1,)}, "from 0 to 0"), ({"layers": (2,), "at": "last"}, "from 0 to 1"), ({"at": "end"}, "'last'"),
     ({"layers": ()}, "choose")],
)  # fmt: skip
def test_layers_that_nothing_reads_are_refused(ground: Ground, given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        method("unierase").run(ground.work("unierase", **given))


def test_an_empty_retain_set_is_refused(ground: Ground) -> None:
    with pytest.raises(ValueError, match="retain set is empty"):
        method("unierase").run(replace(ground.work("unierase"), corpus=replace(CORPUS, retain=())))
