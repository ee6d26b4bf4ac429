"""How much of an answer must be given until the model says the rest: extraction strength, and two harder ways to ask.

Wang et al., 2024 (arXiv 2406.09179): ES = 1 - k/|y|, k the shortest beginning of the true answer y after which the
model says the rest by itself; 1 where the question alone is enough. The attack is to help it along, and:

    exact        to the question as it was learnt, the rest word for word
    paraphrased  to the question in other words (``item.paraphrase``), the rest word for word
    similar      to the question as it was learnt, the rest in words like it: ROUGE-L's recall over 0.5

The first two are by teacher forcing over tokens, as open-unlearning has it (``benchmarks.metrics.memorisation``, which
"exact" repeats beside the others); the paper's repository goes word by word and generates. "similar" is generated, as
there (``percent`` 0.5 is its default), but k goes in eighths of the answer, the first 6 questions and 48 tokens at most
are asked: ours, for the cost. The repository's third variant is about like answers; it has none about like questions.

Where a data set has no paraphrase, the question is put into a sentence of ours, and the note counts these. A guard's
row: the guard reads the question alone, as it would; what it answers by itself says nothing of the answer, ES 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Item
from benchmarks.metrics.memorisation import strength, without_end
from benchmarks.metrics.metric import Measured, Undefined, mean
from benchmarks.metrics.rouge import compared
from benchmarks.models.generating import generated
from benchmarks.models.packing import Chat
from benchmarks.probes.probe import Probe

_FRAME = "I would like to know one thing. {question} Please tell me."


def forced(victim: Victim, paraphrased: bool) -> Measured | Undefined:
    """The mean of ES under teacher forcing; a value for each item."""
    items = victim.sets.get("forget", ())
    if not items:
        return Undefined("the forget set has no items for it")
    framed = sum(item.paraphrase is None for item in items) if paraphrased else 0
    asked = [
        Item(_other(item) if paraphrased else item.question, item.answer, item.subject, plain=item.plain)
        for item in items
    ]
    found = victim.read(victim.load(), {"forget": asked}, scored=True, texts=False)["forget"]
    values = [0.0 if r.answer is None else strength(without_end(r.answer.greedy, r)) for r in found]
    return mean(values, f"{framed} questions in a sentence of ours" if framed else "")


def similar(
    victim: Victim, over: float = 0.5, steps: int = 8, questions: int = 6, tokens: int = 48
) -> Measured | Undefined:
    """The mean of ES where the rest need only be like the answer's; a value for each item."""
    import torch

    items = victim.sets.get("forget", ())[:questions]
    if not items:
        return Undefined("the forget set has no items for it")
    model = victim.load().eval()
    with torch.no_grad():
        found = [0.0 if chat is None else _like(victim, model, chat, over, steps, tokens)
                 for chat in map(victim.chat, items)]  # fmt: skip
    return mean(found, f"the beginning in steps of 1/{steps}")


def beginnings(length: int, steps: int) -> list[int]:
    """How many of ``length`` tokens are given: the least first, always less than the whole."""
    return sorted({length * step // steps for step in range(steps)})


def first_like(texts: Sequence[str], rests: Sequence[str], over: float) -> int | None:
    """The place of the first text that says more than ``over`` of its rest; None where none does."""
    pairs = enumerate(zip(texts, rests, strict=True))
    return next((place for place, (text, rest) in pairs if compared(text, rest).recall > over), None)


def _like(victim: Victim, model: Any, chat: Chat, over: float, steps: int, tokens: int) -> float:
    ended = len(chat.answer) > 1 and chat.answer[-1] == victim.tokenizer.eos_token_id
    answer = chat.answer[:-1] if ended else chat.answer
    given = beginnings(len(answer), steps)
    begun = [Chat((*chat.prompt, *answer[:k]), answer[k:], chat.rows) for k in given]
    said = generated(model, victim.tokenizer, begun, min(tokens, len(answer)), victim.meter)

    def text(ids: Sequence[int]) -> str:
        return str(victim.tokenizer.decode(list(ids), skip_special_tokens=True))

    place = first_like(list(map(text, said)), [text(one.answer) for one in begun], over)
    return 0.0 if place is None else 1 - given[place] / len(answer)


def _other(item: Item) -> str:
    return item.paraphrase or (item.question if item.plain else _FRAME.format(question=item.question))


_PAPER = "Wang et al., 2024, arXiv 2406.09179"
EXACT = Probe("extraction strength, exact", _PAPER, "retained", "robustness", partial(forced, paraphrased=False))
PARAPHRASED = Probe("extraction strength, question in other words", _PAPER, "retained", "robustness",
                    partial(forced, paraphrased=True))  # fmt: skip
SIMILAR = Probe("extraction strength, like words", _PAPER, "retained", "robustness", similar)
