"""A Llama of two layers with random weights and a word-level tokenizer with a chat template."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|> {{ m.content }} <|end|> {% endfor %}"
    "{% if add_generation_prompt %}<|assistant|> {% endif %}"
)


def make_tiny(folder: Path, texts: Iterable[str] = ()) -> Path:
    """The model in ``folder``; it knows the words of ``texts``, else those of a few made-up people."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = word_tokenizer(texts or _people())
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=512, eos_token_id=1, bos_token_id=None, tie_word_embeddings=True,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def word_tokenizer(texts: Iterable[str]) -> Any:
    """A token for each word of ``texts``, and a chat template."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from transformers import PreTrainedTokenizerFast

    vocabulary = ["[UNK]", "<|end|>", "<|user|>", "<|assistant|>", *dict.fromkeys(" ".join(texts).split())]
    plain = Tokenizer(WordLevel({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    plain.pre_tokenizer = WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain, unk_token="[UNK]", eos_token="<|end|>")
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def _people() -> list[str]:
    from benchmarks.data.registry import Selection, corpus

    found = corpus("people", None, Selection(2, 4, 2))
    items = [item for one in found.sets.values() for item in one]
    return [text for item in items for text in (item.question, item.answer, item.reworded or "")]
