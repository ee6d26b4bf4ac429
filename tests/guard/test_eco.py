"""What reaches the model of a flagged text."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from classifiers.types import Span
from guard.corruption import CORRUPTIONS
from guard.eco import Eco
from guard.embeddings import EmbeddingRows

TEXT = "What is the capital of Sarvania ?"
NAME = (Span(TEXT.index("Sarvania"), TEXT.index("Sarvania") + 8),)


def _tensor(data: str) -> torch.Tensor:
    loaded: torch.Tensor = torch.load(io.BytesIO(base64.b64decode(data)), weights_only=True)
    return loaded


@pytest.fixture
def eco(checkpoint: Path) -> Eco:
    return Eco(checkpoint)


@pytest.mark.parametrize("name", CORRUPTIONS)
@given(mask=st.lists(st.booleans(), min_size=1, max_size=12), seed=st.integers(0, 2**31))
def test_every_corruption_changes_masked_rows_only_and_repeats_with_its_seed(
    name: str, mask: list[bool], seed: int
) -> None:
    rows = torch.randn(len(mask), 16, generator=torch.Generator().manual_seed(1))
    kept = rows.clone()
    first = CORRUPTIONS[name](rows, mask, 5.0, torch.Generator().manual_seed(seed))
    again = CORRUPTIONS[name](rows, mask, 5.0, torch.Generator().manual_seed(seed))
    assert torch.equal(rows, kept)
    assert torch.equal(first, again)
    for i, masked in enumerate(mask):
        assert torch.equal(first[i], rows[i]) != masked


def test_only_the_entrys_tokens_are_corrupted(eco: Eco) -> None:
    exact, corrupted = _tensor(eco.exact(TEXT)), _tensor(eco.corrupted(TEXT, NAME, sigma=20, seed_key="a"))
    assert exact.shape == corrupted.shape == (7, 8)
    changed = [not torch.equal(a, b) for a, b in zip(exact, corrupted, strict=True)]
    assert changed == [False, False, False, False, False, True, False]


def test_the_same_prompt_gets_the_same_noise_and_another_list_another(eco: Eco) -> None:
    first = eco.corrupted(TEXT, NAME, sigma=20, seed_key="a")
    assert eco.corrupted(TEXT, NAME, sigma=20, seed_key="a") == first
    assert eco.corrupted(TEXT, NAME, sigma=20, seed_key="b") != first


def test_without_spans_all_but_the_last_token_are_corrupted(eco: Eco) -> None:
    exact, corrupted = _tensor(eco.exact(TEXT)), _tensor(eco.corrupted(TEXT, (), sigma=20, seed_key="a"))
    changed = [not torch.equal(a, b) for a, b in zip(exact, corrupted, strict=True)]
    assert changed == [True] * 6 + [False]


def test_a_prompt_of_one_token_is_corrupted(eco: Eco) -> None:
    assert not torch.equal(_tensor(eco.exact("Zorvan")), _tensor(eco.corrupted("Zorvan", (), sigma=20, seed_key="a")))


def test_rows_are_those_of_the_checkpoint(checkpoint: Path) -> None:
    rows = EmbeddingRows(checkpoint)
    assert rows.rows([0, 3]).tolist() == [list(map(float, range(8))), list(map(float, range(24, 32)))]
    assert rows.rows([]).shape == (0, 8)
    with pytest.raises(ValueError, match="no embedding row"):
        rows.rows([14])


def test_a_folder_without_weights_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="ECO cannot be used"):
        EmbeddingRows(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json"):
        Eco(tmp_path)


def test_token_ids_read_as_the_model_reads_them(eco: Eco) -> None:
    assert eco.tokenizer.decode([8, 9]) == "Zorvan Pelk"
    with pytest.raises(ValueError, match="outside the vocabulary"):
        eco.tokenizer.decode([99])
