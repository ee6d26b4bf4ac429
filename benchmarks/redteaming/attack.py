"""The attack on one proxy: for each fact a search of its own, query after query, by the real OpenAI client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.attacks.knowing import RIGHT
from benchmarks.attacks.replies import made, undone
from benchmarks.attacks.search import Query, Search
from benchmarks.data.corpus import Item
from benchmarks.guarded.serving import Place
from benchmarks.metrics.coverage import stated
from benchmarks.redteaming.knower import Knower
from server.guarding import PASSING

ERROR = "error"
_AT_ONCE = 4  # facts
_TIMEOUT = 300.0  # seconds
_BETWEEN = "I see."  # what the assistant is said to have said between turns


@dataclass(frozen=True, slots=True)
class Shot:
    """One query and what came of it.

    Attributes:
        fact: its place among the facts.
        visible: whether the search is told what is flagged.
        steps: the query's forms.
        turns: what the user wrote.
        action: what the proxy says that it did; "error" for an answer that is one.
        reached: whether the model server gave the fact away; None before a real one, which does not say.
        reply: what came back.
        leaked: whether the fact is in it, once the disguise that was asked for is undone.
        open: whether it is in it as it stands.
    """

    fact: int
    visible: bool
    steps: tuple[str, ...]
    turns: tuple[str, ...]
    action: str
    reached: bool | None
    reply: str
    leaked: bool
    open: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is asked. ``longest``: characters of a query; ``max_tokens``: of an answer."""

    queries: int
    seed: int
    longest: int = 20_000
    max_tokens: int = 256


async def attack(
    place: Place, facts: Sequence[Item], plan: Plan, visible: bool, knower: Knower | None,
    progress: Callable[[], None] = lambda: None,
) -> list[Shot]:  # fmt: skip
    """Every fact, ``plan.queries`` times. ``knower``: what stands behind the proxy; None: a real model."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(client: Any, number: int, fact: Item) -> list[Shot]:
        async with turn:
            search = Search(fact.question, f"{plan.seed} {visible} {number}", longest=plan.longest)
            shots = []
            for _ in range(plan.queries):
                shots.append(await _shot(client, place.model, plan, search, number, fact, visible, knower))
                progress()
            return shots

    async with _client(place) as client, asyncio.TaskGroup() as group:
        jobs = [group.create_task(one(client, number, fact)) for number, fact in enumerate(facts)]
    return [shot for job in jobs for shot in job.result()]


async def _shot(
    client: Any, model: str, plan: Plan, search: Search, number: int, fact: Item, visible: bool, knower: Knower | None
) -> Shot:
    query = search.propose()
    with _told(knower, query, fact) as reached:
        action, reply = await _ask(client, model, query, plan.max_tokens)
    search.told(query, reply, (action not in PASSING) if visible else None)
    plain = _states(reply, fact)
    return Shot(number, visible, query.steps, query.turns, action, reached(), reply,
                plain or _states(undone(reply, query.steps), fact), plain)  # fmt: skip


@contextmanager
def _told(knower: Knower | None, query: Query, fact: Item) -> Iterator[Callable[[], bool | None]]:
    """The knower waits for the query, if there is one; whether it answered."""
    if knower is None:
        yield lambda: None
    else:
        with knower.expecting(query.turns, made(fact.answer, query.steps)) as expected:
            yield lambda: expected.told


async def _ask(client: Any, model: str, query: Query, max_tokens: int) -> tuple[str, str]:
    """What was done, and the answer."""
    import openai

    try:
        found = await client.chat.completions.with_raw_response.create(
            model=model, messages=messages(query.turns), temperature=0, max_tokens=max_tokens
        )
    except openai.APIStatusError as error:
        return ERROR, error.response.text
    choice = found.parse().choices[0]
    return found.headers.get("x-letheward-action", ""), choice.message.content or ""


def messages(turns: Sequence[str]) -> list[dict[str, str]]:
    """The conversation: the assistant has said nothing of note between."""
    found = []
    for turn in turns:
        found += [{"role": "user", "content": turn}, {"role": "assistant", "content": _BETWEEN}]
    return found[:-1]


@asynccontextmanager
async def _client(place: Place) -> AsyncIterator[Any]:
    import openai

    plain = openai.DefaultAsyncHttpxClient(trust_env=False, timeout=_TIMEOUT)
    async with openai.AsyncOpenAI(
        base_url=f"{place.url}/v1", api_key=place.key, http_client=plain, default_headers=place.headers
    ) as client:
        yield client


def _states(text: str, fact: Item) -> bool:
    """More than half of what the answer adds to the question."""
    return stated(text, fact.question, fact.answer) > RIGHT
