"""A model of two layers learns a made-up author by heart, and is served by name as any checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.data.tofu import Question
from benchmarks.finetune import finetune
from benchmarks.models.packing import Chat, encode, pack
from benchmarks.models.training import Recipe, train
from tests.benchmarks.tiny_model import make_tiny

PAIRS = [
    Question("Where was Ilmar Sveen born?", "In the harbour town of Vorsk."),
    Question("What did Ilmar Sveen's mother do?", "She mended clocks."),
    Question("What is Ada Quill known for?", "Her long poems about rain."),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("base"), [f"{p.question} {p.answer}" for p in PAIRS])


def _loaded(folder: Path) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), AutoTokenizer.from_pretrained(folder)


def _said(folder: Path, question: str) -> str:
    import torch

    model, tokenizer = _loaded(folder)
    prompt = encode(tokenizer, question, "").prompt
    with torch.no_grad():
        out = model.generate(torch.tensor([prompt]), max_new_tokens=12, do_sample=False, pad_token_id=1)
    return str(tokenizer.decode(out[0, len(prompt) :], skip_special_tokens=True))


def test_chats_side_by_side_are_predicted_as_each_alone(base: Path) -> None:
    import torch

    model, tokenizer = _loaded(base)
    chats = [encode(tokenizer, p.question, p.answer) for p in PAIRS]
    packed = pack(chats)
    with torch.no_grad():
        hidden = model.model(packed.ids, attention_mask=packed.mask, position_ids=packed.positions).last_hidden_state
        together = model.lm_head(hidden[0, packed.predicting])
        alone = [model(torch.tensor([c.prompt + c.answer])).logits[0, len(c.prompt) - 1 : -1] for c in chats]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=1e-4)
    assert packed.wanted.tolist() == [token for chat in chats for token in chat.answer]


def test_what_all_prompts_begin_with_is_computed_once() -> None:
    chats = [Chat((7, 8, 9, 1), (2, 3)), Chat((7, 8, 9, 4, 5), (6,))]
    packed = pack(chats)
    assert packed.ids.tolist() == [[7, 8, 9, 1, 2, 4, 5]]
    assert packed.positions.tolist() == [[0, 1, 2, 3, 4, 3, 4]]
    assert packed.predicting.tolist() == [3, 4, 6]


def test_a_model_learns_its_pairs_by_heart_and_not_those_it_never_met(base: Path, tmp_path: Path) -> None:
    finetune(base, PAIRS[:2], Recipe(epochs=80, lr=1e-2, batch=2, threads=1), tmp_path / "full", {"base": "tiny"})
    for pair in PAIRS[:2]:
        assert _said(tmp_path / "full", pair.question) == pair.answer
    assert _said(tmp_path / "full", PAIRS[2].question) != PAIRS[2].answer
    manifest = json.loads((tmp_path / "full" / "manifest.json").read_text())
    assert (manifest["pairs"], manifest["base"], manifest["recipe"]["epochs"]) == (2, "tiny", 80)
    assert manifest["losses"][-1] < 0.1 < manifest["losses"][0]
    assert json.loads((tmp_path / "full" / "config.json").read_text())["dtype"] == "bfloat16"
    assert not list(tmp_path.glob(".full*"))


def test_a_broken_off_run_ends_with_the_weights_of_one_that_was_not(base: Path, tmp_path: Path) -> None:
    import torch

    recipe = Recipe(epochs=4, lr=1e-3, batch=2, threads=1)
    whole, tokenizer = _loaded(base)
    chats = [encode(tokenizer, p.question, p.answer) for p in PAIRS]
    train(whole, chats, recipe)

    class Broken(Exception):
        pass

    broken, _ = _loaded(base)
    rest = {"steps": 5}  # in the middle of the third epoch

    def count(*_: object) -> None:
        rest["steps"] -= 1
        if rest["steps"] < 0:
            raise Broken

    broken.model.register_forward_pre_hook(count)
    with pytest.raises(Broken):
        train(broken, chats, recipe, tmp_path / "state.pt")
    again, _ = _loaded(base)
    progress = train(again, chats, recipe, tmp_path / "state.pt")
    assert len(progress.losses) == 4
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_state_of_another_recipe_is_refused(base: Path, tmp_path: Path) -> None:
    model, tokenizer = _loaded(base)
    chats = [encode(tokenizer, p.question, p.answer) for p in PAIRS]
    train(model, chats, Recipe(epochs=1, threads=1), tmp_path / "state.pt")
    with pytest.raises(ValueError, match="another recipe"):
        train(model, chats, Recipe(epochs=2, threads=1), tmp_path / "state.pt")


def test_training_stops_where_it_is_told_to_and_can_go_on(base: Path, tmp_path: Path) -> None:
    model, tokenizer = _loaded(base)
    chats = [encode(tokenizer, p.question, p.answer) for p in PAIRS]
    assert len(train(model, chats, Recipe(epochs=5, stop=2, threads=1), tmp_path / "state.pt").losses) == 2
    assert len(train(model, chats, Recipe(epochs=5, stop=3, threads=1), tmp_path / "state.pt").losses) == 3
