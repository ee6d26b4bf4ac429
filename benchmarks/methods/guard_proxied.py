"""What clients are told by guards in service: the real proxy before a real vLLM, and what a guard adds to a request."""

from __future__ import annotations

import asyncio
import hashlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
from tqdm import tqdm

from benchmarks.data.corpus import Corpus
from benchmarks.guarded.answers import Reply, fingerprint
from benchmarks.guarded.serving import Place, make_list, proxy, vllm
from benchmarks.methods.guard_list import LIST, further, instruction, lines, settings
from benchmarks.methods.guards import PROMPT_ONLY

BARE = "bare"
_FLAGGED_WITHIN = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Served:
    """What a guard takes in service.

    Attributes:
        settings: of the list, or the instruction.
        setup_seconds: until a new list was imported and learnt; the same list serves every guard.
        added: for each timed question the seconds to a first token, less those of the bare model asked beside it.
        deletions: for each entry that was added the seconds until it was acknowledged and a question about it,
            sent then, was flagged.
    """

    settings: Mapping[str, Any]
    setup_seconds: float
    added: tuple[float, ...]
    deletions: tuple[float, ...]

    @property
    def request_seconds(self) -> float:
        """The mean that is added; below 0 where a guard answers what the model is then not asked."""
        return statistics.fmean(self.added)

    @property
    def deletion_seconds(self) -> float:
        """The mean of a deletion."""
        return statistics.fmean(self.deletions)


@dataclass(frozen=True, slots=True)
class Proxied:
    """Replies by guard and question, ``BARE`` among the guards, and what each guard takes."""

    replies: Mapping[str, Mapping[str, Reply]]
    served: Mapping[str, Served]


@dataclass(frozen=True, slots=True)
class Asking:
    """How clients ask.

    Attributes:
        max_tokens: of an answer.
        at_once: requests on their way together.
        timed: questions, from the first ones on, that are timed, one at a time.
        deletions: entries added to time a deletion.
        check_answers: whether the proxy also guards answers, as it does by default.
        shown: with progress bars.
    """

    max_tokens: int = 64
    at_once: int = 8
    timed: int = 8
    deletions: int = 3
    check_answers: bool = True
    shown: bool = True


async def proxied(
    folder: Path, corpus: Corpus, guards: Mapping[str, Any], questions: Sequence[str], *, cache_dir: Path,
    passages: Sequence[str] = (), kept: Path | None = None, asking: Asking | None = None,
) -> Proxied:  # fmt: skip
    """Ask the model in ``folder`` bare, and through each guard; vLLM is started once.

    Args:
        folder: of the model.
        corpus: its forget set makes the list.
        guards: the guards' names with their options.
        questions: asked as a chat's only turn.
        cache_dir: the proxy's.
        passages: asked as running text to be continued.
        kept: a file that keeps replies, so that a run that is broken off goes on.
        asking: how clients ask.

    Raises:
        RuntimeError: vLLM or the proxy does not come up, or answers with an error.
    """
    asking = asking or Asking()
    asked = [*((q, False) for q in dict.fromkeys(questions)), *((p, True) for p in dict.fromkeys(passages))]
    told = _Replies(kept, f"{fingerprint(folder)} {corpus.digest} {asking}", asking)
    served: dict[str, Served] = {}
    async with AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bare = await stack.enter_async_context(vllm(folder, scratch / "vllm.log"))
        replies = {BARE: await told.ask(_Way(BARE, bare), asked)}
        place, setup = bare, 0.0
        if any(name != PROMPT_ONLY for name in guards):
            guarded = proxy(bare, folder, scratch, cache_dir, check_answers=asking.check_answers)
            place = await stack.enter_async_context(guarded)
            began = time.perf_counter()
            await make_list(place, LIST, {"policy": "refuse"}, lines(corpus))
            setup = time.perf_counter() - began
        for name, options in guards.items():
            way = await _way(name, options, corpus, bare, place)
            replies[name] = await told.ask(way, asked)
            added = await _added(bare, way, asked[: asking.timed])
            deletions = await _deletions(way, options, corpus, asking.deletions)
            own = 0.0 if name == PROMPT_ONLY else setup
            served[name] = Served(way.settings, own, added, deletions)
    return Proxied(replies, served)


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to the model. ``system``: what stands before every prompt."""

    name: str
    place: Place
    system: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def request(self, text: str, plain: bool, max_tokens: int) -> tuple[str, dict[str, Any]]:
        """Path and body."""
        body: dict[str, Any] = {"model": self.place.model, "max_tokens": max_tokens, "temperature": 0.0}
        if plain:
            return "/v1/completions", body | {"prompt": f"{self.system}\n\n{text}" if self.system else text}
        before = [{"role": "system", "content": self.system}] if self.system else []
        return "/v1/chat/completions", body | {"messages": [*before, {"role": "user", "content": text}]}

    async def ask(self, client: httpx.AsyncClient, text: str, plain: bool, max_tokens: int) -> Reply:
        """One reply.

        Raises:
            RuntimeError: it is an error.
        """
        path, body = self.request(text, plain, max_tokens)
        response = await client.post(f"{self.place.url}{path}", json=body, headers=self.place.headers)
        if response.is_error:
            raise RuntimeError(f"{self.name}: {response.status_code}: {response.text[:500]}")
        choice = response.json()["choices"][0]
        said = choice["text"] if plain else choice["message"]["content"]
        done = PROMPT_ONLY if self.system else response.headers.get("x-letheward-action", "")
        return Reply(said or "", done)


async def _way(name: str, options: Any, corpus: Corpus, bare: Place, place: Place) -> _Way:
    if name == PROMPT_ONLY:
        return _Way(name, bare, instruction(options, corpus), asdict(options))
    given = settings(name, options, corpus)
    _checked(await place.admin("PUT", f"/lists/{LIST}", json=given))
    return _Way(name, place, None, given)


async def _added(bare: Place, way: _Way, asked: Sequence[tuple[str, bool]]) -> tuple[float, ...]:
    """Pairs of requests for one token, the bare model first and last by turns; the first pair only warms up."""
    ways = (_Way(BARE, bare), way)
    found = []
    async with _client() as client:
        for number, (text, plain) in enumerate([*asked[:1], *asked]):
            seconds = {}
            for each in ways if number % 2 else reversed(ways):
                began = time.perf_counter()
                await each.ask(client, text, plain, 1)
                seconds[each.name] = time.perf_counter() - began
            found.append(seconds[way.name] - seconds[BARE])
    return tuple(found[1:])


async def _deletions(way: _Way, options: Any, corpus: Corpus, count: int) -> tuple[float, ...]:
    if way.system is not None:
        return tuple(_renewed(options, corpus, count))
    found = []
    async with _client() as client:
        for given in further(count):
            began = time.perf_counter()
            entry = f"/lists/{LIST}/entries/{given['id']}"
            _checked(await way.place.admin("PUT", entry, json=given))
            found.append(await _flagged(client, way, given["question"]) - began)
            _checked(await way.place.admin("DELETE", entry))
    return tuple(found)


def _renewed(options: Any, corpus: Corpus, count: int) -> Iterator[float]:
    """Without a list the instruction is written anew."""
    for given in further(count):
        began = time.perf_counter()
        instruction(options, corpus, given["subject"])
        yield time.perf_counter() - began


async def _flagged(client: httpx.AsyncClient, way: _Way, question: str) -> float:
    """When the first request that was flagged was sent."""
    deadline = time.perf_counter() + _FLAGGED_WITHIN
    while (sent := time.perf_counter()) < deadline:
        if (await way.ask(client, question, False, 1)).action not in ("", "pass"):
            return sent
    raise RuntimeError(f"{question!r} was added to the list and is not flagged within {_FLAGGED_WITHIN:.0f} s")


class _Replies:
    """Replies, kept in a file. ``told``: all that they depend on beside the way and the question."""

    def __init__(self, file: Path | None, told: str, asking: Asking) -> None:
        self._file, self._told, self._asking = file, told, asking
        self._kept: dict[str, Reply] = {}
        if file is not None and file.is_file():
            for line in file.read_text(encoding="utf-8").split("\n"):
                if line.endswith("}"):  # else it was being written when the run was broken off
                    row = json.loads(line)
                    self._kept[row["key"]] = Reply(row["text"], row["action"])

    async def ask(self, way: _Way, asked: Sequence[tuple[str, bool]]) -> dict[str, Reply]:
        """The replies by question."""
        turn = asyncio.Semaphore(self._asking.at_once)
        keys = {one: self._key(way, *one) for one in asked}
        missing = [one for one in asked if keys[one] not in self._kept]

        async def fetch(client: httpx.AsyncClient, text: str, plain: bool) -> None:
            async with turn:
                reply = await way.ask(client, text, plain, self._asking.max_tokens)
            self._keep(keys[text, plain], reply)

        try:
            async with _client() as client, asyncio.TaskGroup() as group:
                jobs = [group.create_task(fetch(client, *one)) for one in missing]
                shown = tqdm(asyncio.as_completed(jobs), total=len(jobs), desc=f"asking: {way.name}", file=sys.stderr,
                             disable=not self._asking.shown or not jobs)  # fmt: skip
                for job in shown:
                    await job
        except ExceptionGroup as failed:  # of several the first says what is the matter
            raise failed.exceptions[0] from failed
        return {text: self._kept[keys[text, plain]] for text, plain in asked}

    def _key(self, way: _Way, text: str, plain: bool) -> str:
        depends = (self._told, way.name, way.system, json.dumps(way.settings, sort_keys=True), text, plain)
        return hashlib.sha256(repr(depends).encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _keep(self, key: str, reply: Reply) -> None:
        self._kept[key] = reply
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, **asdict(reply)}) + "\n")


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=900, trust_env=False)


def _checked(response: httpx.Response) -> None:
    if response.is_error:
        raise RuntimeError(f"{response.request.url.path}: {response.status_code}: {response.text[:500]}")
