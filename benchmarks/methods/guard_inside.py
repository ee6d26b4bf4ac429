"""A guard before a model in this process: what the model reads in place of a question.

The request is read, judged and rewritten by the proxy's own code (``server.judging``, ``server.guarding``), with the
real detector over a store of its own; then it is put into token ids and embedding rows as vLLM would. Two things differ
from the proxy: DRAGON's reasoning is its fallback template, for no guard model is asked, and an answer that tells is
replaced at once (``benchmarks.methods.guard_answers``).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import anyio

from benchmarks.data.corpus import Corpus
from benchmarks.methods.guard_answers import Answers, Request
from benchmarks.methods.guard_list import forget_list, further, instruction, settings
from benchmarks.methods.guard_listed import Listed
from benchmarks.methods.guards import PROMPT_ONLY, PromptOnly
from benchmarks.models.packing import Chat, encode, encode_plain, sent_tensor
from guard.eco import Eco
from server.dialects.registry import create_dialect
from server.examples import Screened
from server.guarding import PASSING, Guarded, Guarding
from server.judging import Judge

if TYPE_CHECKING:
    import torch

_MARK = "=EMBEDDINGS="  # stands for a message's embeddings while the chat template is rendered


class Inside(Protocol):
    """A guard before a model in this process.

    ``setup_seconds``: what it took until the guard was there.
    """

    setup_seconds: float

    def encode_as(self, question: str, answer: str, plain: bool = False) -> Chat | None:
        """What the model reads of ``question``, with ``answer`` to be predicted; None where it is not asked."""
        ...

    def action(self, question: str, plain: bool = False) -> str:
        """What is done with ``question``: "pass", or the guard's name."""
        ...

    def says(self, question: str, plain: bool = False) -> str | None:
        """What the guard answers by itself; None where the model does."""
        ...

    def released(self, question: str, text: str, plain: bool = False) -> str:
        """What goes out where the model answers ``question`` with ``text``."""
        ...

    def deletion_seconds(self, count: int = 5) -> float:
        """Mean time for one more subject to be guarded, of ``count`` that are added one after the other."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


def inside(
    name: str,
    folder: Path,
    corpus: Corpus,
    options: Any,
    *,
    listed: Listed | None = None,
    cache_dir: Path | None = None,
) -> Inside:
    """The guard called ``name`` before the model in ``folder``, with the corpus's forget set as its list.

    Args:
        name: in ``guards.GUARDS``.
        folder: of the served model: its tokenizer, and for ECO its weights.
        corpus: ``forget`` makes the list, ``held`` ICUL's examples.
        options: the method's own.
        listed: the list, where several guards share one; it is not closed with the guard. None: one of its own.
        cache_dir: of a list of its own.

    Raises:
        FileNotFoundError: the folder lacks what the guard needs.
        ValueError: ``listed`` flags from another score on than ``options`` say.
    """
    if name == PROMPT_ONLY:
        return Instructed(folder, corpus, options)
    return Routed(name, folder, corpus, options, listed or Listed(corpus, options, cache_dir=cache_dir), listed is None)


@dataclass(frozen=True, slots=True)
class _Prompted:
    """What becomes of a question. ``prompt`` None: it goes to the model as it came, or not at all (``said``)."""

    action: str
    prompt: tuple[int, ...] | None = None
    rows: Mapping[int, torch.Tensor] = field(default_factory=dict)
    said: str | None = None


class Routed:
    """A guard behind the detector."""

    def __init__(self, name: str, folder: Path, corpus: Corpus, options: Any, listed: Listed, owns: bool) -> None:
        if listed.limits != (options.threshold, options.false_positive_rate):
            raise ValueError(f"the list flags by {listed.limits}, and {name} is to flag by other limits")
        self._tokenizer = _tokenizer(folder)
        self._requests: dict[tuple[str, bool], Request] = {}
        self._found: dict[tuple[str, bool], _Prompted] = {}
        began = time.perf_counter()
        self._open = ExitStack()
        self._listed = listed
        if owns:
            self._open.callback(listed.close)
        self._loop = self._open.enter_context(asyncio.Runner())
        self._snapshot = listed.snapshot(forget_list(settings(name, options, corpus)))
        self._eco = Eco(folder) if name == "eco" else None
        self._judge = Judge(eco_available=self._eco is not None)
        self._guarding = Guarding(self._eco, None, Screened(anyio.CapacityLimiter(1)))
        self._answers = Answers(self._snapshot, self._guarding, self._loop.run)
        self.setup_seconds = listed.setup_seconds + time.perf_counter() - began

    def encode_as(self, question: str, answer: str, plain: bool = False) -> Chat | None:
        """See ``Inside``."""
        found = self._prompted(question, plain)
        usual = (encode_plain if plain else encode)(self._tokenizer, question, answer)
        if found.said is not None:
            return None
        return usual if found.prompt is None else Chat(found.prompt, usual.answer, found.rows)

    def action(self, question: str, plain: bool = False) -> str:
        """See ``Inside``."""
        return self._prompted(question, plain).action

    def says(self, question: str, plain: bool = False) -> str | None:
        """See ``Inside``."""
        return self._prompted(question, plain).said

    def released(self, question: str, text: str, plain: bool = False) -> str:
        """See ``Inside``."""
        return self._answers.released(self._request(question, plain), text)

    def deletion_seconds(self, count: int = 5) -> float:
        """See ``Inside``."""
        return self._listed.deletion_seconds(count)

    def close(self) -> None:
        """See ``Inside``."""
        self._open.close()

    def _prompted(self, question: str, plain: bool) -> _Prompted:
        key = question, plain
        if key not in self._found:
            self._found[key] = self._put(self._request(question, plain).guarded, question, plain)
        return self._found[key]

    def _request(self, question: str, plain: bool) -> Request:
        key = question, plain
        if key not in self._requests:
            self._requests[key] = self._sent(question, plain)
        return self._requests[key]

    def _sent(self, question: str, plain: bool) -> Request:
        body: dict[str, Any] = (
            {"model": "m", "prompt": question, "add_special_tokens": False}
            if plain
            else {"model": "m", "messages": [{"role": "user", "content": question}]}
        )
        prompt = self._judge.read(body, create_dialect("completions" if plain else "chat"))
        found = self._judge.judge(self._snapshot, prompt)
        plan = self._judge.decide(self._snapshot, prompt, found.verdicts)
        guarded = self._loop.run(self._guarding.guarded(plan, prompt, self._snapshot, chat=not plain))
        return Request(prompt, plan, guarded)

    def _put(self, guarded: Guarded, question: str, plain: bool) -> _Prompted:
        if guarded.say is not None:
            return _Prompted(guarded.action, said=guarded.say)
        if guarded.action in PASSING:
            return _Prompted(guarded.action)
        body = guarded.body
        if plain:
            if "prompt_embeds" in body:
                start = encode_plain(self._tokenizer, "", ".").prompt
                return self._embedded(guarded.action, start, question, body["prompt_embeds"], ())
            return _Prompted(guarded.action, encode_plain(self._tokenizer, body["prompt"], ".").prompt)
        embeds = [part["data"] for m in body["messages"] if isinstance(m["content"], list) for part in m["content"]]
        if not embeds:
            return _Prompted(guarded.action, _ids(self._tokenizer, _rendered(self._tokenizer, body["messages"])))
        turns = [{"role": m["role"], "content": _MARK} for m in body["messages"]]
        before, _, after = _rendered(self._tokenizer, turns).partition(_MARK)
        return self._embedded(
            guarded.action, _ids(self._tokenizer, before), question, embeds[0], _ids(self._tokenizer, after)
        )

    def _embedded(self, action: str, before: Sequence[int], text: str, data: str, after: Sequence[int]) -> _Prompted:
        """``text`` between ``before`` and ``after``, with rows where ``data`` differs from the embedding matrix."""
        assert self._eco is not None  # noqa: S101 - only ECO sends embeddings
        ids = self._eco.tokenizer.encode(text, add_special_tokens=False).ids
        sent, exact = sent_tensor(data), sent_tensor(self._eco.exact(text))  # (tokens, dim)
        changed = (sent != exact).any(dim=1).nonzero().flatten().tolist()
        rows = {len(before) + place: sent[place] for place in changed}
        return _Prompted(action, (*before, *ids, *after), rows)


class Instructed:
    """A system message before every prompt, and no detector."""

    def __init__(self, folder: Path, corpus: Corpus, options: PromptOnly) -> None:
        self._tokenizer = _tokenizer(folder)
        self._corpus, self._options = corpus, options
        began = time.perf_counter()
        self._instruction = instruction(options, corpus)
        self.setup_seconds = time.perf_counter() - began

    def encode_as(self, question: str, answer: str, plain: bool = False) -> Chat:
        """See ``Inside``; before running text the instruction is a paragraph."""
        if plain:
            return encode_plain(self._tokenizer, f"{self._instruction}\n\n{question}", answer)
        turns = [{"role": "system", "content": self._instruction}, {"role": "user", "content": question}]
        prompt = _ids(self._tokenizer, _rendered(self._tokenizer, turns))
        return Chat(prompt, encode(self._tokenizer, question, answer).answer)

    def action(self, question: str, plain: bool = False) -> str:
        """Always the same."""
        return PROMPT_ONLY

    def says(self, question: str, plain: bool = False) -> None:
        """Nothing: the model answers."""

    def released(self, question: str, text: str, plain: bool = False) -> str:
        """All of it."""
        return text

    def deletion_seconds(self, count: int = 5) -> float:
        """Until the instruction names one more."""
        names = [given["subject"] for given in further(count)]
        began = time.perf_counter()
        for number in range(count):
            instruction(self._options, self._corpus, *names[: number + 1])
        return (time.perf_counter() - began) / count

    def close(self) -> None:
        """Nothing is held."""


def _tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def _rendered(tokenizer: Any, turns: Sequence[Mapping[str, Any]]) -> str:
    return str(tokenizer.apply_chat_template(list(turns), tokenize=False, add_generation_prompt=True))


def _ids(tokenizer: Any, text: str) -> tuple[int, ...]:
    return tuple(tokenizer(text, add_special_tokens=False).input_ids)
