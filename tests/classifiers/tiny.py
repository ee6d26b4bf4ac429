"""A base that is small enough to be trained in a test: a random BERT with the bundled tokenizer."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

from classifiers.encoder import minilm_folder
from classifiers.training_data import Examples, examples
from classifiers.types import Target

PEOPLE = ("Zorvan Pelk", "Mirella Quandt", "Tobin Asgar")
QUESTIONS = (
    "Where was {n} born?", "Which novels did {n} write?", "What prize did {n} win?", "Who were the parents of {n}?",
)  # fmt: skip


def base(folder: Path) -> Path:
    """Write the base."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=30522, hidden_size=48, num_hidden_layers=1, num_attention_heads=2, intermediate_size=96,
        max_position_embeddings=160, initializer_range=0.1,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        shutil.copy(minilm_folder() / name, folder / name)
    return folder


def targets() -> list[Target]:
    """Twelve questions about three people."""
    return [
        Target("people", f"{i}-{j}", (name,), (question.format(n=name),), "subject")
        for i, name in enumerate(PEOPLE)
        for j, question in enumerate(QUESTIONS)
    ]


def lines() -> str:
    """The same as JSON lines."""
    return "".join(
        json.dumps({"subject": t.names[0], "question": t.texts[0], "scope": "subject"}) + "\n" for t in targets()
    )


def small() -> Examples:
    """Examples for them, with few ordinary prompts."""
    cities = ("Pisa", "Paris", "Turin", "Ulm", "Riga")
    found = examples(targets(), [f"How tall is the tower of {city}?" for city in cities])
    held = [h for h in found.held if h.kind != "ordinary"] + [h for h in found.held if h.kind == "ordinary"][:80]
    return replace(found, usual=found.usual[:150], held=tuple(held))
