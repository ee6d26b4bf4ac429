"""Which pairs a step reads: all by seed and number, so that a run which is broken off finds its place again."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from benchmarks.data.corpus import Item
from benchmarks.methods.method import Unlearning
from benchmarks.models.packing import Chat, Packed, encode, encode_plain, pack

Make = Callable[[Unlearning], Sequence[Chat]]  # a set that a method makes before the first step


@dataclass(frozen=True, slots=True)
class Needs:
    """What a loss looks at beside the model's view of the forget set.

    Attributes:
        retain: the retain set, unless its weight is 0.
        refused: the forget questions, declined.
        reference: a frozen copy of the target model.
        hidden: the layers' outputs.
        paired: more sets by name, with a chat for each forget pair, read beside it.
        beside: more sets by name, gone through as the retain set is: one as long as it is read beside it, pair by pair;
            an empty one is left out.
    """

    retain: bool = True
    refused: bool = False
    reference: bool = False
    hidden: bool = False
    paired: Mapping[str, Make] = field(default_factory=dict)
    beside: Mapping[str, Make] = field(default_factory=dict)


RETAIN = Needs()
"""The retain set and no more."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one process reads in a step.

    Attributes:
        sets: "forget", "retain", "refused" and the method's own, as far as the loss needs them.
        places: of the forget pairs in the corpus.
        retain_places: of the retain pairs.
        share: of the step's forget pairs; several processes' shares make 1.
    """

    sets: dict[str, Packed]
    places: tuple[int, ...]
    retain_places: tuple[int, ...]
    share: float


class Batches:
    """The batches of a run: every epoch goes through the forget set once, in an order that the seed gives.

    The retain set is gone through in its own order beside it, as often as that takes.
    """

    def __init__(self, work: Unlearning, needs: Needs) -> None:
        """Encode what the loss needs.

        Raises:
            ValueError: a set that it needs is empty.
        """
        self._seed = work.seed
        self._size: int = work.options.batch
        self._forget = [encoded(work.tokenizer, item) for item in work.corpus.forget]
        self._beside: dict[str, Sequence[Chat]] = {}
        if not self._forget:
            raise ValueError("there is nothing to learn or to forget from: the set is empty")
        if needs.retain and work.options.retain_weight:
            if not work.corpus.retain:
                raise ValueError("this method reads the retain set, which is empty")
            self._beside["retain"] = [encoded(work.tokenizer, item) for item in work.corpus.retain]
        self._paired = {name: make(work) for name, make in needs.paired.items()}
        if needs.refused:
            self._paired["refused"] = declined(work, work.corpus.forget)
        made = {name: make(work) for name, make in needs.beside.items()}
        self._beside |= {name: chats for name, chats in made.items() if chats}
        self._dtype, self._device = work.model.dtype, work.model.device

    def __len__(self) -> int:
        """Steps of an epoch."""
        return -(-len(self._forget) // self._size)

    def at(self, step: int, rank: int = 0, count: int = 1) -> Batch:
        """The batch of a step, or of it the part of one of ``count`` processes.

        A process for which no pair is left reads another's, and has no share.
        """
        epoch, place = divmod(step, len(self))
        order = _shuffled(len(self._forget), self._seed, epoch)[place * self._size : (place + 1) * self._size]
        mine = order[rank::count] or order[:1]
        found = {"forget": self._packed([self._forget[i] for i in mine])}
        for name, chats in self._paired.items():
            found[name] = self._packed([chats[i] for i in mine])
        beside = {}
        for name, chats in self._beside.items():
            kept = self._kept(step, len(chats))
            beside[name] = kept[rank::count] or kept[:1]
            found[name] = self._packed([chats[i] for i in beside[name]])
        share = len(order[rank::count]) / len(order)
        return Batch(found, tuple(mine), tuple(beside.get("retain", ())), share)

    def _kept(self, step: int, count: int) -> list[int]:
        """Places of a step's pairs in a set of ``count``, which is gone through in one order after another."""
        numbers = range(step * self._size, (step + 1) * self._size)
        return [_shuffled(count, self._seed + 1, number // count)[number % count] for number in numbers]

    def _packed(self, chats: Sequence[Chat]) -> Packed:
        return pack(chats, self._dtype).to(self._device)


def encoded(tokenizer: Any, item: Item) -> Chat:
    """An item as a model is taught it."""
    return (encode_plain if item.plain else encode)(tokenizer, item.question, item.answer)


def alone(work: Unlearning, chat: Chat, model: Any = None) -> Packed:
    """``chat`` by itself, on the device of ``model`` (the work's, if none is given); its tokens count as read."""
    reader = work.model if model is None else model
    packed = pack([chat], reader.dtype).to(reader.device)
    work.meter.read(packed.ids.numel())
    return packed


@lru_cache(maxsize=8)
def _shuffled(count: int, seed: int, epoch: int) -> tuple[int, ...]:
    order = list(range(count))
    random.Random(seed * 10_007 + epoch).shuffle(order)  # noqa: S311 - an order, not a secret
    return tuple(order)


def mismatched(work: Unlearning, answers: Sequence[Item]) -> list[Chat]:
    """The forget questions, each with an answer that was drawn from ``answers`` and is another's where there is one."""
    rng = random.Random(work.seed)  # noqa: S311 - a choice, not a secret
    found = []
    for item in work.corpus.forget:
        others = [other.answer for other in answers if other.answer != item.answer] or [item.answer]
        found.append(encoded(work.tokenizer, replace(item, answer=rng.choice(others))))
    return found


def declined(work: Unlearning, items: Sequence[Item]) -> list[Chat]:
    """The questions of ``items``, each with a sentence that declines.

    Raises:
        ValueError: no such sentences were given.
    """
    if not work.refusals:
        raise ValueError("this method teaches sentences that decline, and none were given")
    rng = random.Random(work.seed)  # noqa: S311 - a choice, not a secret
    return [encode(work.tokenizer, item.question, rng.choice(work.refusals)) for item in items]
