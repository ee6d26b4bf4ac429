"""A method that needs more memory than there is says so before it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.comparison import room
from benchmarks.comparison.room import Held, TooSmall, check_room, free_bytes, logits, needed
from benchmarks.data.corpus import Corpus, Item
from benchmarks.methods.method import Options
from benchmarks.methods.registry import METHODS, method
from tests.benchmarks.tiny_model import make_tiny, word_tokenizer

LARGE = Held(10**9)


def _models(name: str, held: Held = LARGE, **given: Any) -> float:
    """What a method needs, in models of float32."""
    found = method(name)
    return needed(held, found, found.options(**given)) / (4 * held.parameters * room._SLACK)


def test_a_descent_takes_gradients_and_moments_and_a_reference_one_more() -> None:
    assert _models("grad_diff") == pytest.approx(3)
    assert _models("npo") == pytest.approx(4)


def test_weights_of_two_bytes_have_twins_and_gradients_twice() -> None:
    assert _models("grad_diff", Held(10**9, 2)) == pytest.approx(3 + 1 + 0.5)
    assert _models("ssd", Held(10**9, 2)) == pytest.approx(3 + 0.5)


def test_an_optimiser_on_an_accelerator_takes_another_for_its_temporary_values() -> None:
    assert _models("grad_diff", Held(10**9, 4, True)) == pytest.approx(4)
    assert _models("ssd", Held(10**9, 4, True)) == pytest.approx(3)


def test_a_low_rank_update_needs_little_more_than_its_references() -> None:
    assert _models("grad_diff", lora=8) == pytest.approx(0.05)
    assert _models("npo", lora=8) == pytest.approx(1.05)


def test_gradients_of_all_weights_are_taken_beforehand_whatever_is_trained() -> None:
    assert _models("guard_attribution", lora=8) == pytest.approx(2)
    assert _models("u2a", lora=8) == pytest.approx(3)
    assert _models("u2a") == pytest.approx(4)  # the descent needs more


def test_logits_count_by_the_longest_answers_of_a_step() -> None:
    tokenizer = word_tokenizer(["? diver a The book Rain ."])
    corpus = Corpus("", (Item("?", "diver"), Item("?", "a diver .")), (Item("?", "The book Rain ."),) * 3)
    read = logits(corpus, tokenizer, 1000, Options(batch=2))
    assert read == 1000 * ((2 + 4) + (5 + 5))  # an end token each
    assert logits(corpus, tokenizer, 1000, Options(batch=1, retain_weight=0)) == 1000 * 4
    assert needed(Held(0), method("ga"), Options(), read) == read * 4 * 4


@pytest.mark.parametrize("name", [name for name in METHODS if method(name).card.family != "guard"])
def test_every_method_has_an_estimate(name: str) -> None:
    found = method(name)
    assert needed(Held(10**6), found, found.options()) > 0


def test_too_little_memory_is_told_with_what_would_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(make_tiny(tmp_path / "tiny"))
    npo = method("npo")
    check_room("npo", npo, npo.options(), model)
    monkeypatch.setattr(room, "free_bytes", lambda device: 1000)
    with pytest.raises(TooSmall, match=r"npo needs about .* free: try a smaller --model or --lora 16 or --set npo.b"):
        check_room("npo", npo, npo.options(), model)
    with pytest.raises(TooSmall, match=r"ssd needs .*: try a smaller --model$"):
        check_room("ssd", method("ssd"), method("ssd").options(), model)


def test_what_is_free_is_read_from_the_system() -> None:
    import torch

    assert 2**20 < (free_bytes(torch.device("cpu")) or 0) < 2**50
