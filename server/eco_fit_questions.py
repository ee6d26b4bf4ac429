"""The questions of a fit: which are asked, as what, and what a good answer would hold."""

from __future__ import annotations

import base64
import copy
import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from classifiers.types import Verdict
from guard.eco import Eco
from guard.in_force import Snapshot
from guard.model import EcoFit, Entry, ForgetList
from guard.router import plan
from guard.unknown import made_up, name_words
from server.judging import Judge, Prompt
from server.rewrite import apply_eco
from server.surfaces import Body, chat_surfaces

Make = Callable[[], Body]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to a model; ``body`` makes it (blocking), ``reference`` is what the answer is held against."""

    body: Make
    reference: str


@dataclass(frozen=True, slots=True)
class Question:
    """An entry's question as the guard sees it, where it flags it."""

    entry: Entry
    prompt: Prompt
    verdicts: tuple[tuple[Verdict, ...], ...]  # of the list alone, for each surface


def pairs(snapshot: Snapshot, name: str) -> list[Entry]:
    """A list's entries to forget that have a question and an answer, by id."""
    own = (e for (of, _), e in snapshot.entries.items() if of == name)
    return sorted((e for e in own if e.kind == "forget" and e.question and e.answer), key=lambda e: e.entry_id)


def sample(entries: Sequence[Entry], n: int, seed: int) -> list[Entry]:
    """At most ``n`` of them; the same seed gives the same."""
    if len(entries) <= n:
        return list(entries)
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    return [entries[i] for i in sorted(rng.sample(range(len(entries)), n))]


def flagged(snapshot: Snapshot, judge: Judge, name: str, entries: Sequence[Entry]) -> list[Question]:
    """The entries whose questions are found to be about their list. Blocking.

    Raises:
        DetectorError: the detector failed.
    """
    found: list[Question] = []
    for entry in entries:
        body = _chat(entry.question or "")
        prompt = Prompt(body, chat_surfaces(body))
        own = judge.judge(snapshot, prompt).verdicts
        verdicts = tuple(tuple(v for v in some if v.list_name == name) for some in own)
        if any(verdicts):
            found.append(Question(entry, prompt, verdicts))
    return found


def corrupted(question: Question, item: ForgetList, snapshot: Snapshot, fit: EcoFit, eco: Eco) -> Body:
    """The request as the guard sends it on at the strength of ``fit``. Blocking."""
    entries = {key: replace(e, action=None) for key, e in _named(question, snapshot).items()}
    decided = plan(
        question.verdicts, {item.name: replace(item, policy="eco")}, entries,
        rewritable=[s.rewritable for s in question.prompt.surfaces], eco_available=True,
        fits={(fit.list_name, fit.model): fit}, model=fit.model,
    )  # fmt: skip
    return apply_eco(copy.deepcopy(question.prompt.body), question.prompt.surfaces, decided, eco, chat=True)


def bare(questions: Sequence[Question]) -> list[Ask]:
    """The questions as they are."""
    return [Ask(_plain(q.entry.question or ""), q.entry.answer or "") for q in questions]


def unknowable(questions: Sequence[Question], snapshot: Snapshot, name: str, seed: int) -> list[Ask]:
    """The questions about made-up names; those that name nobody are left out."""
    avoid = name_words(e for (of, _), e in snapshot.entries.items() if of == name)
    made = (made_up(q.entry, seed, avoid) for q in questions)
    return [Ask(_plain(m.question), m.answer) for m in made if m is not None]


def loudness(questions: Sequence[Question], eco: Eco) -> float:
    """The root mean square of the questions' embedding rows: the unit of corruption strengths. Blocking."""
    import torch

    total, count = 0.0, 0
    for question in questions:
        data = base64.b64decode(eco.exact(question.entry.question or ""))
        rows = torch.load(io.BytesIO(data), weights_only=True)  # (tokens, dim)
        total += float(rows.double().square().sum())
        count += rows.numel()
    return float((total / count) ** 0.5) if total else 1.0


def _named(question: Question, snapshot: Snapshot) -> dict[tuple[str, str], Entry]:
    keys = {(v.list_name, v.entry_id) for own in question.verdicts for v in own}
    return {key: snapshot.entries[key] for key in keys}


def _chat(text: str) -> Body:
    return {"messages": [{"role": "user", "content": text}]}


def _plain(text: str) -> Make:
    return lambda: _chat(text)
