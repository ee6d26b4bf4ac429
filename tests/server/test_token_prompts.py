"""Completions of prompts in token ids: what nothing flags goes on in those very ids, the rest as their text."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import VOCABULARY
from tests.server.conftest import House

BOS = len(VOCABULARY)
ORDINARY = [BOS, 2, 3, 4, 5, 10]  # "<s> What is the capital ?"
FLAGGED = [BOS, 1, 3, 8, 9, 10]  # "<s> Who is Zorvan Pelk ?"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the usual one, with a tokenizer that puts its <s> before every text; the rows count up from 0."""
    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing

    folder = tmp_path_factory.mktemp("checkpoint")
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.add_special_tokens(["<s>"])
    tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", BOS)])
    tokenizer.save(str(folder / "tokenizer.json"))
    rows = torch.arange(len(VOCABULARY) + 1, dtype=torch.float32).repeat_interleave(8).reshape(-1, 8)
    save_file({"model.embed_tokens.weight": rows}, folder / "model.safetensors")
    return folder


def _ask(house: House, prompt: Any, **fields: Any) -> httpx.Response:
    return house.client.post("/v1/completions", json={"model": "m", "prompt": prompt, **fields})


def _rows(data: str) -> list[list[float]]:
    import torch

    tensor = torch.load(io.BytesIO(base64.b64decode(data)), weights_only=True)
    return [list(map(float, row)) for row in tensor]


@pytest.mark.parametrize("prompt", [ORDINARY, [ORDINARY], [ORDINARY, [2, 3, 0]]])
def test_ids_that_nothing_flags_go_on_as_they_came(house: House, prompt: Any) -> None:
    response = _ask(house, prompt, max_tokens=3, add_special_tokens=True)
    assert (response.status_code, response.headers["x-letheward-action"]) == (200, "pass")
    assert house.script.last == {"model": "m", "prompt": prompt, "max_tokens": 3, "add_special_tokens": True}


def test_ids_that_a_list_only_watches_go_on_as_they_came(house: House) -> None:
    house.policy("monitor")
    assert _ask(house, FLAGGED).headers["x-letheward-action"] == "monitor"
    assert house.script.last == {"model": "m", "prompt": FLAGGED}


def test_a_batch_of_which_one_prompt_is_flagged_keeps_its_tokens(house: House) -> None:
    assert _ask(house, [ORDINARY, FLAGGED]).headers["x-letheward-action"] == "eco"
    assert "prompt" not in house.script.last
    ordinary, flagged = map(_rows, house.script.last["prompt_embeds"])
    assert ordinary == [[float(i)] * 8 for i in ORDINARY]  # not a second <s> before them
    assert len(flagged) == len(FLAGGED)
    assert [i for i, row in enumerate(flagged) if row != [float(FLAGGED[i])] * 8] == [3, 4]


def test_a_guards_text_goes_round_the_text_of_ids_and_gets_its_own_special_tokens(house: House) -> None:
    house.policy("dragon", guideline="GUIDELINE")
    assert _ask(house, [ORDINARY, FLAGGED]).headers["x-letheward-action"] == "dragon"
    _, flagged = house.script.last["prompt"]
    assert flagged.startswith("GUIDELINE")
    assert "Who is Zorvan Pelk ?" in flagged
    assert "<s>" not in flagged
    assert house.script.last.get("add_special_tokens", True)


def test_an_answer_that_tells_is_asked_for_again_with_the_text_of_the_ids(house: House) -> None:
    house.script.texts = ["Zorvan Pelk comes from Karachi.", "I do not know that.", "Nothing is known to me."]
    assert _ask(house, ORDINARY).json()["choices"][0]["text"] == "Nothing is known to me."
    first, _, again = house.script.bodies
    assert first["prompt"] == ORDINARY
    assert "What is the capital ?" in again["prompt"]


def test_an_own_answer_has_a_choice_for_each_prompt_and_not_for_each_id(house: House) -> None:
    house.policy("refuse", refusal="not known .")
    assert [len(_ask(house, p).json()["choices"]) for p in (FLAGGED, [ORDINARY, FLAGGED])] == [1, 2]
