"""Reads a subject: what it predicts of given answers, and what it says by itself."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.data.corpus import Item
from benchmarks.metrics.reading import Reading, Readings, Scored
from benchmarks.models.generating import generated
from benchmarks.models.meter import Meter
from benchmarks.models.packing import Chat, encode, encode_plain, pack
from benchmarks.models.predicted import Predicted, predict, read_only

if TYPE_CHECKING:
    import torch

EncodeAs = Callable[[str, str, bool], Chat | None]
"""(question, answer, plain) -> what the model reads; None: the guard answers by itself."""

Key = tuple[str, str, bool]  # question, answer, plain

_VERSION = 1
_PACK = 4096  # tokens computed together at most, since each has a row in the mask
_ROWS = 64  # places whose whole vocabulary is looked at together


def read(
    model: Any,
    tokenizer: Any,
    sets: Mapping[str, Sequence[Item]],
    *,
    max_tokens: int,
    batch: int,
    meter: Meter | None = None,
    encode_as: EncodeAs | None = None,
    known: Readings | None = None,
    scored: bool = True,
    texts: bool = True,
    unscored: Collection[str] = (),
) -> Readings:
    """What ``model`` predicts and says. An answer or text that several sets share is computed once.

    Args:
        model: a causal language model of transformers, on its device; left as it was.
        tokenizer: its own.
        sets: by name.
        max_tokens: of a text; running text goes on for as many as the true continuation has.
        batch: chats computed together.
        meter: counts tokens and shows how far it is.
        encode_as: a guard's way to put a question to the model; None: the model's own chat template.
        known: what the model predicts without a guard, for questions that the guard leaves as they are.
        scored: whether answers are predicted.
        texts: whether texts are written.
        unscored: sets whose answers are not predicted, though others' are.

    Raises:
        ArithmeticError: the model's predictions are no numbers.
    """
    put = partial(_own, tokenizer) if encode_as is None else encode_as
    counter = meter or Meter(shown=False)
    items = [item for found in sets.values() for item in found]
    predicted = [item for name, found in sets.items() if name not in unscored for item in found]
    wanted = _put(put, (key for item in predicted for key in _answers(item)))
    asked = _put(put, (key for item in items for key in _asked(item)))
    done = {key: each for key, each in _known(known or {}).items() if wanted.get(key) == _own(tokenizer, *key)}
    rest = {key: chat for key, chat in wanted.items() if key not in done}
    with read_only(model):
        answers = done | _predicted(model, rest, batch, counter) if scored else {}
        said = _said(model, tokenizer, asked, max_tokens, batch, counter) if texts else {}
    return {name: tuple(_reading_of(item, answers, said) for item in found) for name, found in sets.items()}


def save_readings(readings: Readings, file: Path) -> None:
    """Write ``readings`` whole or not at all."""
    plain = {name: [asdict(reading) for reading in found] for name, found in readings.items()}
    content = json.dumps({"version": _VERSION, "sets": plain}, separators=(",", ":")).encode()
    scratch = file.with_name(f"{file.name}.part")
    scratch.write_bytes(gzip.compress(content, compresslevel=6, mtime=0))
    os.replace(scratch, file)


def load_readings(file: Path) -> Readings:
    """The readings that ``save_readings`` wrote, to the last bit.

    Raises:
        ValueError: they are of another version.
    """
    found = json.loads(gzip.decompress(file.read_bytes()))
    if found.get("version") != _VERSION:
        raise ValueError(f"{file} is of version {found.get('version')}, not {_VERSION}: read the model anew")
    return {name: tuple(map(_loaded, rows)) for name, rows in found["sets"].items()}


def _own(tokenizer: Any, question: str, answer: str, plain: bool) -> Chat:
    return (encode_plain if plain else encode)(tokenizer, question, answer)


def _put(put: EncodeAs, keys: Iterator[Key]) -> dict[Key, Chat]:
    """What the model reads, where it is asked."""
    found = {key: put(*key) for key in dict.fromkeys(keys)}
    return {key: chat for key, chat in found.items() if chat is not None}


def _answers(item: Item) -> Iterator[Key]:
    """All that is predicted for an item."""
    for answer in (item.answer, item.reworded, *item.wrong, *item.options):
        if answer is not None:
            yield item.question, answer, item.plain


def _asked(item: Item) -> Iterator[Key]:
    """All that is asked for it; the answer says how long running text may go on."""
    yield item.question, item.answer, item.plain
    if item.paraphrase is not None:
        yield item.paraphrase, item.answer, item.plain


def _reading_of(item: Item, answers: Mapping[Key, Scored], said: Mapping[Key, str]) -> Reading:
    def predicted(answer: str) -> Scored | None:
        return answers.get((item.question, answer, item.plain))

    def every(given: Sequence[str]) -> tuple[Scored, ...] | None:
        found = [each for answer in given if (each := predicted(answer)) is not None]
        return tuple(found) if len(found) == len(given) and answers else None

    return Reading(
        item,
        predicted(item.answer),
        None if item.reworded is None else predicted(item.reworded),
        every(item.wrong),
        every(item.options),
        said.get((item.question, item.answer, item.plain)),
        None if item.paraphrase is None else said.get((item.paraphrase, item.answer, item.plain)),
    )


def _known(readings: Readings) -> dict[Key, Scored]:
    """What ``readings`` predict of each answer."""
    found: dict[Key, Scored] = {}
    for reading in (reading for each in readings.values() for reading in each):
        item = reading.item
        told = [(item.answer, reading.answer), (item.reworded, reading.reworded)]
        told += [*zip(item.wrong, reading.wrong or ()), *zip(item.options, reading.options or ())]  # noqa: B905 - or none
        for answer, scored in told:
            if answer is not None and scored is not None:
                found[item.question, answer, item.plain] = scored
    return found


def _predicted(model: Any, chats: Mapping[Key, Chat], batch: int, meter: Meter) -> dict[Key, Scored]:
    packs = list(_packs(chats, batch))
    found: dict[Key, Scored] = {}
    for keys in meter.over(packs, len(packs)):
        packed = pack([chats[key] for key in keys], model.dtype).to(model.device)
        meter.read(packed.ids.numel())
        found |= zip(keys, _scored(predict(model, packed)), strict=True)
    return found


def _packs(chats: Mapping[Key, Chat], batch: int) -> Iterator[list[Key]]:
    """As they come, since answers to one question share its tokens."""
    keys: list[Key] = []
    tokens = 0
    for key, chat in chats.items():
        length = len(chat.prompt) + len(chat.answer)
        if keys and (len(keys) == batch or tokens + length > _PACK):
            yield keys
            keys, tokens = [], 0
        keys.append(key)
        tokens += length
    if keys:
        yield keys


def _scored(predicted: Predicted) -> list[Scored]:
    """Each chat's answer, a few places of the vocabulary at a time."""
    import torch

    wanted = predicted.packed.wanted
    parts = [_places(predicted.logits[at : at + _ROWS], wanted[at : at + _ROWS]) for at in range(0, len(wanted), _ROWS)]
    columns = [torch.cat(column).cpu() for column in zip(*parts, strict=True)]
    if not all(column.isfinite().all() for column in columns):
        raise ArithmeticError("the model's predictions are no numbers")
    cut: Any = torch.split
    pieces = [cut(column, predicted.lengths.tolist()) for column in columns]
    return [Scored(*(tuple(values.tolist()) for values in piece)) for piece in zip(*pieces, strict=True)]


def _places(logits: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Log p of ``wanted``, whether it is the likeliest, mean and spread of log p under p."""
    import torch

    logs = logits.float().log_softmax(-1)  # (places, vocabulary)
    p = logs.exp()
    mean = -torch.special.entr(p).sum(-1)
    square = torch.where(p > 0, p * (logs - mean[:, None]) ** 2, 0.0)
    return logs.gather(-1, wanted[:, None])[:, 0], logs.argmax(-1) == wanted, mean, square.sum(-1).sqrt()


def _said(
    model: Any, tokenizer: Any, chats: Mapping[Key, Chat], max_tokens: int, batch: int, meter: Meter
) -> dict[Key, str]:
    """Greedy texts, prompts of like length together."""
    order = sorted(chats, key=lambda key: (key[2], len(chats[key].prompt), len(chats[key].answer)))
    batches = [order[at : at + batch] for at in range(0, len(order), batch)]
    found: dict[Key, str] = {}
    for keys in meter.over(batches, len(batches)):
        most = [len(chats[key].answer) if key[2] else max_tokens for key in keys]
        rows = generated(model, tokenizer, [chats[key] for key in keys], max(most), meter)
        for key, row, count in zip(keys, rows, most, strict=True):
            found[key] = str(tokenizer.decode(row[:count], skip_special_tokens=True)).strip()
    return found


def _loaded(row: dict[str, Any]) -> Reading:
    item = row["item"] | {name: tuple(row["item"][name]) for name in ("wrong", "options")}
    given = row | {name: _loaded_scored(row[name]) for name in ("answer", "reworded")}
    for name in ("wrong", "options"):
        given[name] = None if row[name] is None else tuple(map(_loaded_scored, row[name]))
    return Reading(**given | {"item": Item(**item)})


def _loaded_scored(row: dict[str, list[Any]] | None) -> Scored | None:
    return None if row is None else Scored(**{name: tuple(values) for name, values in row.items()})
