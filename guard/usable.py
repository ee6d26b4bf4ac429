"""How much of a guard model's reasoning can be used: of the model as it is, and with an adapter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifiers.calibrate import Rate
from guard.lora import idle_cores, libraries
from guard.model import DEFAULT_GUIDELINE, Entry
from guard.reasoning import guard_prompt
from guard.reasoning_check import shortened, why_unusable
from guard.synthetic import Pair

_BATCH = 8


@dataclass(frozen=True, slots=True)
class Written:
    """What a guard model wrote about one question. ``fault`` is why it may not be used."""

    prompt: str
    text: str
    fault: str | None


def questions(entries: Sequence[Entry]) -> list[Pair]:
    """The questions of a list's entries; there is no reasoning to hold the model's against."""
    return [Pair(e.question, "", DEFAULT_GUIDELINE, e) for e in entries if e.question and e.kind == "forget"]


def share(written: Sequence[Written]) -> Rate:
    """The share that can be used."""
    return Rate.of([w.fault is None for w in written])


def faults(written: Sequence[Written]) -> dict[str, int]:
    """How often each fault was found, the most frequent first."""
    return dict(Counter(w.fault for w in written if w.fault).most_common())


def write(
    base: Path,
    adapter: Path | None,
    asked: Sequence[Pair],
    *,
    max_tokens: int = 64,
    progress: Callable[[int], object] = lambda _: None,
) -> list[Written]:
    """Reasoning by the model in ``base``, with ``adapter`` if one is given, as the guard would ask for it.

    Greedy, in fp32: what vLLM gives at temperature 0, but for rounding. ``progress`` gets the number just done.

    Raises:
        RuntimeError: a library is missing.
    """
    torch, transformers, peft = libraries()
    torch.set_num_threads(idle_cores())
    tokenizer = transformers.AutoTokenizer.from_pretrained(base, padding_side="left")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    if adapter is not None:
        model = peft.PeftModel.from_pretrained(model, adapter).merge_and_unload()
    model.eval()
    found: list[Written] = []
    for at in range(0, len(asked), _BATCH):
        own = asked[at : at + _BATCH]
        with torch.inference_mode():
            texts = _answers(model, tokenizer, [guard_prompt(p.guideline, p.prompt) for p in own], max_tokens)
        for pair, text in zip(own, map(shortened, texts), strict=True):
            fault = why_unusable(text, pair.entry, pair.prompt, guideline=pair.guideline)
            found.append(Written(pair.prompt, text, fault))
        progress(len(own))
    return found


def _answers(model: Any, tokenizer: Any, prompts: Sequence[str], max_tokens: int) -> list[str]:
    inputs = tokenizer.apply_chat_template(
        [[{"role": "user", "content": prompt}] for prompt in prompts],
        add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True,
    )  # fmt: skip
    pad = tokenizer.pad_token_id
    out = model.generate(**inputs, max_new_tokens=max_tokens, do_sample=False, pad_token_id=pad)
    return list(tokenizer.batch_decode(out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True))
