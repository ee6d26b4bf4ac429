"""What clients are told by guards in service: the real proxy before a real vLLM, and what a guard adds to a request."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.data.corpus import Corpus
from benchmarks.guarded.answers import Reply, fingerprint
from benchmarks.guarded.serving import Place, make_list, proxy, vllm
from benchmarks.methods.guard_asked import Asking, Replies, Way, checked, connected
from benchmarks.methods.guard_list import LIST, further, instruction, lines, settings
from benchmarks.methods.guards import PROMPT_ONLY

BARE = "bare"
_FLAGGED_WITHIN = 60.0  # seconds
_CROWD = 8  # requests together: as many as vLLM is started for


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


async def proxied(
    folder: Path, corpus: Corpus, guards: Mapping[str, Any], questions: Sequence[str], *, cache_dir: Path,
    passages: Sequence[str] = (), crowd: Sequence[tuple[str, bool]] = (), kept: Path | None = None,
    asking: Asking | None = None,
) -> Proxied:  # fmt: skip
    """Ask the model in ``folder`` bare, and through each guard; vLLM is started once.

    Args:
        folder: of the model.
        corpus: its forget set makes the list.
        guards: the guards' names with their options.
        questions: asked as a chat's only turn.
        cache_dir: the proxy's.
        passages: asked as running text to be continued.
        crowd: what is asked beside, many at once, each with whether it is running text: vLLM's last digits depend on
            what else it answers, so no answer here is to be compared word for word.
        kept: a file that keeps replies, so that a run that is broken off goes on.
        asking: how clients ask.

    Raises:
        RuntimeError: vLLM or the proxy does not come up, or answers with an error.
    """
    asking = asking or Asking()
    asked = [*((q, False) for q in dict.fromkeys(questions)), *((p, True) for p in dict.fromkeys(passages))]
    beside = [one for one in dict.fromkeys(crowd) if one not in set(asked)]
    told = Replies(kept, f"{fingerprint(folder)} {corpus.digest} {asking}", asking)
    served: dict[str, Served] = {}
    async with AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bare = await stack.enter_async_context(vllm(folder, scratch / "vllm.log"))

        async def all_of(way: Way) -> dict[str, Reply]:
            return await told.ask(way, asked) | await told.ask(way, beside, _CROWD)

        replies = {BARE: await all_of(Way(BARE, bare))}
        place, setup = bare, 0.0
        if any(name != PROMPT_ONLY for name in guards):
            guarded = proxy(bare, folder, scratch, cache_dir, check_answers=asking.check_answers)
            place = await stack.enter_async_context(guarded)
            began = time.perf_counter()
            await make_list(place, LIST, {"policy": "refuse"}, lines(corpus))
            setup = time.perf_counter() - began
        for name, options in guards.items():
            way = await _way(name, options, corpus, bare, place)
            replies[name] = await all_of(way)
            added = await _added(bare, way, asked[: asking.timed])
            deletions = await _deletions(way, options, corpus, asking.deletions)
            own = 0.0 if name == PROMPT_ONLY else setup
            served[name] = Served(way.settings, own, added, deletions)
    return Proxied(replies, served)


async def _way(name: str, options: Any, corpus: Corpus, bare: Place, place: Place) -> Way:
    if name == PROMPT_ONLY:
        return Way(name, bare, instruction(options, corpus), asdict(options))
    given = settings(name, options, corpus)
    checked(await place.admin("PUT", f"/lists/{LIST}", json=given))
    return Way(name, place, None, given)


async def _added(bare: Place, way: Way, asked: Sequence[tuple[str, bool]]) -> tuple[float, ...]:
    """Pairs of requests for one token, the bare model first and last by turns; the first pair only warms up."""
    ways = (Way(BARE, bare), way)
    found = []
    async with connected() as client:
        for number, (text, plain) in enumerate([*asked[:1], *asked]):
            seconds = {}
            for each in ways if number % 2 else reversed(ways):
                began = time.perf_counter()
                await each.ask(client, text, plain, 1)
                seconds[each.name] = time.perf_counter() - began
            found.append(seconds[way.name] - seconds[BARE])
    return tuple(found[1:])


async def _deletions(way: Way, options: Any, corpus: Corpus, count: int) -> tuple[float, ...]:
    if way.system is not None:
        return tuple(_renewed(options, corpus, count))
    found = []
    async with connected() as client:
        for given in further(count):
            began = time.perf_counter()
            entry = f"/lists/{LIST}/entries/{given['id']}"
            checked(await way.place.admin("PUT", entry, json=given))
            found.append(await _flagged(client, way, given["question"]) - began)
            checked(await way.place.admin("DELETE", entry))
    return tuple(found)


def _renewed(options: Any, corpus: Corpus, count: int) -> Iterator[float]:
    """Without a list the instruction is written anew."""
    for given in further(count):
        began = time.perf_counter()
        instruction(options, corpus, given["subject"])
        yield time.perf_counter() - began


async def _flagged(client: httpx.AsyncClient, way: Way, question: str) -> float:
    """When the first request that was flagged was sent."""
    deadline = time.perf_counter() + _FLAGGED_WITHIN
    while (sent := time.perf_counter()) < deadline:
        if (await way.ask(client, question, False, 1)).action not in ("", "pass"):
            return sent
    raise RuntimeError(f"{question!r} was added to the list and is not flagged within {_FLAGGED_WITHIN:.0f} s")
