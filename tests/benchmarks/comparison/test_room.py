"""A method that needs more memory than there is says so before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.comparison import room
from benchmarks.comparison.room import TooSmall, check_room, free_bytes, needed
from benchmarks.methods.registry import METHODS, method
from tests.benchmarks.tiny_model import make_tiny

GIB = 2**30


def test_a_descent_takes_gradients_and_moments_and_a_reference_one_more() -> None:
    plain, referred = (method(name) for name in ("grad_diff", "npo"))
    one = needed(10**9, 1000, plain, plain.options())
    other = needed(10**9, 1000, referred, referred.options())
    assert one == pytest.approx(12e9, rel=0.02)
    assert other - one == pytest.approx(4e9, rel=0.02)


def test_a_low_rank_update_needs_little_more_than_its_references() -> None:
    npo = method("npo")
    assert needed(10**9, 1000, npo, npo.options(lora=8)) == pytest.approx(4.2e9, rel=0.05)


def test_a_large_vocabulary_counts_by_the_batch() -> None:
    ga = method("ga")
    small, large = (needed(1, 128_000, ga, ga.options(batch=size, retain_weight=0.0)) for size in (4, 8))
    assert large == pytest.approx(2 * small, rel=1e-3)


@pytest.mark.parametrize("name", [name for name in METHODS if method(name).card.family != "guard"])
def test_every_method_has_an_estimate(name: str) -> None:
    found = method(name)
    assert needed(10**6, 1000, found, found.options()) > 0


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
