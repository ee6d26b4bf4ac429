"""What the built-in encoder holds in memory stays bounded, and a GPU is looked for without torch."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from classifiers.encoder import MiniLmInt8, packed
from classifiers.registry import create_encoder


@pytest.mark.parametrize(
    "lengths", [[], [5], [900], [10, 500, 10, 256, 256, 1, 1], [*range(1, 200)], [256] * 9, [3] * 1000]
)
def test_a_batch_is_no_larger_than_it_may_be_and_holds_each_once(lengths: list[int]) -> None:
    made = packed(lengths, 512)
    assert sorted(i for chosen in made for i in chosen) == list(range(len(lengths)))
    for chosen in made:
        padded = len(chosen) * max(lengths[i] for i in chosen)
        assert padded <= 512 or len(chosen) == 1


def test_short_ones_come_together() -> None:
    assert len(packed([8] * 64, 512)) == 1


def test_what_else_is_encoded_with_it_changes_a_vector_but_little() -> None:
    encoder = MiniLmInt8()
    texts = ["Where was Ada born?", "rain and wind " * 150, *(f"a walk by river {i}" for i in range(80))]
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert (together * alone).sum(1).min() > 0.98


def test_torch_is_not_imported_where_there_is_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classifiers.registry._DEVICES", ())
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it would fail
    assert create_encoder("auto").name == "minilm-int8"
