"""Real parts that several tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ["COLUMNS"] = "250"  # error boxes of the commands that tests start, so that no message is broken in two

pytest_plugins = ["tests.databases", "tests.server.doctoring"]

VOCABULARY = [
    "[UNK]",
    "Who",
    "What",
    "is",
    "the",
    "capital",
    "of",
    "Sarvania",
    "Zorvan",
    "Pelk",
    "?",
    ".",
    "not",
    "known",
]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint folder in the usual form: a word-level tokenizer and an embedding matrix (14, 8)."""
    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    folder = tmp_path_factory.mktemp("checkpoint")
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    matrix = torch.arange(len(VOCABULARY) * 8, dtype=torch.bfloat16).reshape(len(VOCABULARY), 8)
    save_file({"model.embed_tokens.weight": matrix, "model.norm.weight": torch.ones(8)}, folder / "model.safetensors")
    return folder
