"""A Llama of two layers is read: token by token and by its own words, alone or in batches, bare or through a guard."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.data.corpus import Item
from benchmarks.metrics import scoring
from benchmarks.metrics.reading import Readings, Scored
from benchmarks.metrics.scoring import load_readings, read, save_readings
from benchmarks.models.meter import Meter
from benchmarks.models.packing import Chat, encode, encode_plain
from tests.benchmarks.metrics.made import everything, figure
from tests.benchmarks.tiny_model import word_tokenizer

ITEMS = (
    Item("Where was Ilmar born ?", "In the harbour town of Vorsk .", paraphrase="In what town was Ilmar born ?",
         reworded="Ilmar was born in Vorsk .", wrong=("In Paris .", "In the town of Rome ."),
         options=("In Paris .", "In the harbour town of Vorsk .")),
    Item("What did she mend ?", "Clocks ."),
    Item("Where ?", "In Rome ."),
    Item("Ilmar was born in the", "harbour town of Vorsk", plain=True),
    Item("She did", "mend clocks in Rome and Paris", plain=True),
)  # fmt: skip
SETS = {"forget": ITEMS[:2], "neighbours": ITEMS[2:3], "verbmem": ITEMS[3:], "again": ITEMS[:1]}


@pytest.fixture(scope="module")
def tiny() -> tuple[Any, Any]:
    """Random weights, large enough that predictions differ, and words as tokens."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    texts = (text for i in ITEMS for text in (i.question, i.answer, i.paraphrase or "", i.reworded or "", *i.wrong))
    tokenizer = word_tokenizer(texts)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=128, eos_token_id=1, bos_token_id=None, initializer_range=0.3,
    )  # fmt: skip
    model = LlamaForCausalLM(config).eval()
    model.generation_config.repetition_penalty = 5.0  # a checkpoint's own settings do not bear on what is read
    model.generation_config.do_sample = True
    return model, tokenizer


def _read(tiny: tuple[Any, Any], **options: Any) -> Readings:
    return read(*tiny, options.pop("sets", SETS), **{"max_tokens": 6, "batch": 4} | options)


@pytest.fixture(scope="module")
def found(tiny: tuple[Any, Any]) -> Readings:
    """All sets, read as usual."""
    return _read(tiny)


def _chat(tokenizer: Any, item: Item, answer: str) -> Chat:
    return (encode_plain if item.plain else encode)(tokenizer, item.question, answer)


def _alone(model: Any, chat: Chat) -> tuple[list[float], list[bool], list[float], list[float]]:
    """One answer by a plain forward pass."""
    import torch

    with torch.no_grad():
        logits = model(torch.tensor([chat.prompt + chat.answer])).logits[0, len(chat.prompt) - 1 : -1].double()
    logs = logits.log_softmax(-1)
    wanted = torch.tensor(chat.answer)
    mean = (logs.exp() * logs).sum(-1)
    spread = ((logs.exp() * logs**2).sum(-1) - mean**2).sqrt()
    own = logs[torch.arange(len(wanted)), wanted]
    return own.tolist(), (logs.argmax(-1) == wanted).tolist(), mean.tolist(), spread.tolist()


def _same(scored: Scored | None, model: Any, chat: Chat) -> None:
    assert scored is not None
    logs, greedy, mean, spread = _alone(model, chat)
    assert scored.log_probs == pytest.approx(logs, abs=1e-4)
    assert list(scored.greedy) == greedy
    assert scored.mean == pytest.approx(mean, abs=1e-4)
    assert scored.spread == pytest.approx(spread, abs=1e-3)


def _each_alone(readings: Readings, tiny: tuple[Any, Any]) -> None:
    model, tokenizer = tiny
    for reading in (r for one in readings.values() for r in one):
        item = reading.item
        _same(reading.answer, model, _chat(tokenizer, item, item.answer))
        if item.reworded:
            _same(reading.reworded, model, _chat(tokenizer, item, item.reworded))
        for kept, given in ((reading.wrong, item.wrong), (reading.options, item.options)):
            assert kept is not None
            for scored, answer in zip(kept, given, strict=True):
                _same(scored, model, _chat(tokenizer, item, answer))


def test_answers_are_predicted_as_in_a_plain_forward_pass_of_each(found: Readings, tiny: tuple[Any, Any]) -> None:
    _each_alone(found, tiny)


def test_the_size_of_packs_and_of_pieces_of_the_vocabulary_changes_nothing(
    tiny: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "_ROWS", 3)
    monkeypatch.setattr(scoring, "_PACK", 20)
    _each_alone(_read(tiny, texts=False, batch=100), tiny)


def _written(tiny: tuple[Any, Any], prompt: Sequence[int], count: int) -> str:
    """Greedily, one forward pass a token."""
    import torch

    model, tokenizer = tiny
    ids = list(prompt)
    with torch.no_grad():
        while len(ids) < len(prompt) + count and (len(ids) == len(prompt) or ids[-1] != 1):
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return str(tokenizer.decode(ids[len(prompt) :], skip_special_tokens=True)).strip()


def test_texts_written_in_batches_are_those_written_alone(found: Readings, tiny: tuple[Any, Any]) -> None:
    for reading in (r for one in found.values() for r in one):
        chat = _chat(tiny[1], reading.item, reading.item.answer)
        assert reading.text == _written(tiny, chat.prompt, len(chat.answer) if reading.item.plain else 6)
        assert reading.text
    again = replace(ITEMS[0], question=ITEMS[0].paraphrase or "")
    assert found["forget"][0].paraphrased == _written(tiny, _chat(tiny[1], again, "").prompt, 6)
    assert found["forget"][1].paraphrased is None


def test_running_text_goes_on_for_as_long_as_the_true_one(found: Readings, tiny: tuple[Any, Any]) -> None:
    short = _read(tiny, max_tokens=1)
    assert short["verbmem"] == found["verbmem"]
    assert len((short["verbmem"][1].text or "").split()) == 6
    assert len((short["forget"][0].text or "").split()) == 1


def test_what_several_sets_ask_is_computed_once(tiny: tuple[Any, Any], found: Readings) -> None:
    once, twice = Meter(shown=False), Meter(shown=False)
    _read(tiny, sets={"forget": ITEMS}, meter=once)
    _read(tiny, sets={"forget": ITEMS, "again": ITEMS}, meter=twice)
    assert once.tokens == twice.tokens > 0
    assert found["again"][0] == found["forget"][0]


def test_only_what_is_wanted_is_read(tiny: tuple[Any, Any]) -> None:
    texts, answers = _read(tiny, scored=False)["forget"][0], _read(tiny, texts=False)["forget"][0]
    assert (texts.answer, texts.reworded, texts.wrong, texts.options) == (None,) * 4
    assert (answers.text, answers.paraphrased) == (None, None)
    assert texts.text
    assert answers.answer


def test_extraction_strength_is_what_greedy_prediction_says(found: Readings, tiny: tuple[Any, Any]) -> None:
    model, tokenizer = tiny
    wanted = []
    for item in SETS["forget"]:
        right = _alone(model, _chat(tokenizer, item, item.answer))[1][:-1]
        wanted.append(next(1 - k / len(right) for k in range(len(right) + 1) if all(right[k:])))
    assert figure("extraction_strength", found).values == pytest.approx(wanted)


def test_what_a_model_would_say_is_wholly_extracted(tiny: tuple[Any, Any], found: Readings) -> None:
    item = Item(ITEMS[2].question, found["neighbours"][0].text or "")
    assert figure("extraction_strength", _read(tiny, sets={"forget": (item,)}, texts=False)).value == 1


def test_a_guard_that_answers_by_itself_leaves_nothing_to_predict(tiny: tuple[Any, Any]) -> None:
    def put(question: str, answer: str, plain: bool) -> Chat | None:
        return None if "Ilmar" in question else encode(tiny[1], question, answer)

    declined, passed = _read(tiny, sets={"forget": ITEMS[:2]}, encode_as=put)["forget"]
    assert (declined.answer, declined.wrong, declined.options, declined.text) == (None,) * 4
    assert passed.answer is not None
    assert passed.text is not None


def test_a_guard_may_rewrite_the_prompt(tiny: tuple[Any, Any]) -> None:
    def put(question: str, answer: str, plain: bool) -> Chat | None:
        return encode(tiny[1], f"She did mend clocks . {question}", answer)

    guarded = _read(tiny, sets={"forget": ITEMS[2:3]}, encode_as=put)["forget"][0]
    other = replace(ITEMS[2], question=f"She did mend clocks . {ITEMS[2].question}")
    bare = _read(tiny, sets={"forget": (other,)})["forget"][0]
    assert (guarded.answer, guarded.text) == (bare.answer, bare.text)
    assert guarded.item == ITEMS[2]


def test_what_a_guard_leaves_as_it_is_needs_no_second_look(tiny: tuple[Any, Any]) -> None:
    def put(question: str, answer: str, plain: bool) -> Chat | None:
        asked = f"Hm . {question}" if question == ITEMS[0].question else question
        return (encode_plain if plain else encode)(tiny[1], asked, answer)

    bare, all_again, only_new = _read(tiny, sets={"forget": ITEMS}), Meter(shown=False), Meter(shown=False)
    given = {"sets": {"forget": ITEMS}, "encode_as": put, "texts": False}
    whole = _read(tiny, **given, meter=all_again)["forget"]
    guarded = _read(tiny, **given, known=bare, meter=only_new)["forget"]
    assert [one.answer for one in guarded[1:]] == [one.answer for one in bare["forget"][1:]]
    assert [one.wrong for one in guarded[1:]] == [one.wrong for one in bare["forget"][1:]]
    assert guarded[0].answer is not None
    assert guarded[0].answer != bare["forget"][0].answer
    assert whole[0].answer is not None
    assert guarded[0].answer.log_probs == pytest.approx(whole[0].answer.log_probs, abs=1e-4)
    assert only_new.tokens < all_again.tokens


def test_a_guard_may_put_rows_in_place_of_embeddings(tiny: tuple[Any, Any]) -> None:
    """The row of another word is that word."""
    model, tokenizer = tiny
    rome, paris = (tokenizer.convert_tokens_to_ids(word) for word in ("Rome", "Paris"))
    item = Item("Where was she born ? In Rome ?", "In Vorsk .")

    def put(question: str, answer: str, plain: bool) -> Chat | None:
        chat = encode(tokenizer, question, answer)
        rows = {at: model.get_input_embeddings().weight[paris] for at, t in enumerate(chat.prompt) if t == rome}
        return replace(chat, rows=rows)

    items = (item, ITEMS[1])
    guarded = _read(tiny, sets={"forget": items}, encode_as=put)["forget"]
    bare = _read(tiny, sets={"forget": (replace(item, question=item.question.replace("Rome", "Paris")), ITEMS[1])})
    plain = _read(tiny, sets={"forget": items})["forget"]
    for one, other in zip(guarded, bare["forget"], strict=True):
        assert one.answer is not None
        assert other.answer is not None
        assert one.answer.log_probs == pytest.approx(other.answer.log_probs, abs=1e-4)
        assert one.text == other.text
    assert guarded[0].answer != plain[0].answer


def test_the_model_is_left_as_it_was(tiny: tuple[Any, Any]) -> None:
    model, _ = tiny
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    _read(tiny, sets={"forget": ITEMS[:1]})
    assert model.training
    model.eval()
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())
    assert model.generation_config.repetition_penalty == 5.0


def test_a_model_that_broke_has_no_readings(tiny: tuple[Any, Any]) -> None:
    import copy

    broken = copy.deepcopy(tiny[0])
    broken.lm_head.weight.data[3] = float("nan")
    with pytest.raises(ArithmeticError, match="no numbers"):
        read(broken, tiny[1], SETS, max_tokens=2, batch=2)


def test_readings_come_back_to_the_last_bit(found: Readings, tmp_path: Path) -> None:
    for number, readings in enumerate((found, everything(), {"none": ()}, {})):
        file = tmp_path / f"{number}.json.gz"
        save_readings(readings, file)
        assert load_readings(file) == readings
    assert not list(tmp_path.glob("*.part"))


def test_the_same_readings_are_the_same_file(found: Readings, tmp_path: Path) -> None:
    for name in ("one", "other"):
        save_readings(found, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_readings_of_another_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(gzip.compress(json.dumps({"version": 0, "sets": {}}).encode()))
    with pytest.raises(ValueError, match="version 0"):
        load_readings(tmp_path / "old")


def test_sets_of_which_only_what_is_said_counts_are_not_predicted(tiny: tuple[Any, Any], found: Readings) -> None:
    read_ = _read(tiny, unscored=("neighbours", "again"))
    assert [reading.answer for reading in read_["neighbours"]] == [None]
    assert [r.text for r in read_["neighbours"]] == [r.text for r in found["neighbours"]]
    assert all(reading.answer is not None for reading in read_["forget"])  # one of them is asked "again"
