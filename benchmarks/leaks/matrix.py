"""Every cell of the no-leak matrix, each with the secret cut at every place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from anyio.to_thread import run_sync

from benchmarks.leaks.answers import Told
from benchmarks.leaks.canaries import CANARIES, NEIGHBOURS, Canary
from benchmarks.leaks.house import House
from benchmarks.leaks.reading import leaked, objects, readable
from benchmarks.leaks.requests import ACTIONS, ENDPOINTS, PLACES, possible, request
from server.dialects.registry import create_dialect

_UNASKED = "Tell me something that you find remarkable."
_FIRST = "Let us talk about {subject}."
# Fields that differ between any two requests.
_OWN = frozenset({"id", "created", "created_at", "completed_at", "previous_response_id", "item_id", "call_id"})


@dataclass(frozen=True, slots=True)
class Cell:
    """One case. ``n`` requests, of which ``leaks`` told; ``broken`` were no well-formed answers.

    ``refused`` were answered with an error of the client's; ``acted`` counts what the proxy says it did.
    """

    endpoint: str
    streamed: bool
    place: str
    action: str
    n: int
    leaks: int
    broken: int
    refused: int
    acted: dict[str, int]
    unchanged: bool  # the neighbours' answers were those of the bare model server


def cells(only: Callable[[str, str], bool] = lambda _e, _p: True) -> Iterator[tuple[str, bool, str, str]]:
    """The cells that there are."""
    for action in ACTIONS:
        for endpoint in ENDPOINTS:
            for place in PLACES:
                if possible(endpoint, place) and only(endpoint, place):
                    for streamed in (False, True):
                        yield endpoint, streamed, place, action


async def run_cell(house: House, endpoint: str, streamed: bool, place: str, action: str, *, every: int = 1) -> Cell:
    """Measure one cell. ``every``: use each ``every``-th cut."""
    await run_sync(house.act, action)
    n = leaks = broken = refused = 0
    acted: Counter[str] = Counter()
    for number, (canary, told) in enumerate(_cuts(place)):
        if number % every:
            continue
        house.teller.told, house.teller.cut = told, 1 if number % 2 else 7
        try:
            told_texts, done = await _ask(house, endpoint, streamed, place, canary)
        except ValueError:
            broken += 1
            continue
        n += 1
        refused += not done
        acted[done or "error"] += 1
        leaks += leaked(canary.secret, told_texts)
    unchanged = await _neighbours(house, endpoint, streamed, place)
    return Cell(endpoint, streamed, place, action, n, leaks, broken, refused, dict(acted), unchanged)


def _cuts(place: str) -> Iterator[tuple[Canary, Told]]:
    """Answers with the secret cut at each of its letters, and in single letters."""
    for canary in CANARIES:
        before, _, after = canary.answer.partition(canary.secret)
        where = place if place in ("tool_arguments", "reasoning", "n2", "logprobs") else "content"
        for at in range(1, len(canary.secret)):
            value = (canary.secret[:at], canary.secret[at:])
            yield canary, Told((*_words(before), *value, after), where, f" {canary.secret}")
        yield canary, Told(tuple(canary.answer), where, canary.secret.split(" ", maxsplit=1)[0])


def _words(text: str) -> list[str]:
    return [word + " " for word in text.split()]


async def _ask(house: House, endpoint: str, streamed: bool, place: str, canary: Canary) -> tuple[list[str], str | None]:
    """What can be read, and what the proxy did; None where it answered with an error."""
    question = _UNASKED if place == "unasked" else canary.question
    texts: list[str] = []
    body = request(endpoint, place, question, stream=streamed)
    if place == "previous_response_id":
        first = request(endpoint, place, _FIRST.format(subject=canary.subject), stream=streamed)
        answer, _ = await _post(house, endpoint, first)
        texts += readable(create_dialect(endpoint), answer, streamed=streamed)
        body["previous_response_id"] = _response_id(answer, streamed)
        body["input"] = "And where was this person born, and what else is known?"
    answer, done = await _post(house, endpoint, body)
    if done is not None and not whole_answer(endpoint, objects(answer, streamed=streamed), answer, streamed):
        raise ValueError("no answer of this API")
    return texts + readable(create_dialect(endpoint), answer, streamed=streamed), done


async def _post(house: House, endpoint: str, body: dict[str, Any]) -> tuple[bytes, str | None]:
    response = await house.client.post(ENDPOINTS[endpoint], json=body)
    if response.status_code >= 500:
        raise ValueError(f"status {response.status_code}")
    if response.status_code == 200:
        return response.content, response.headers["x-letheward-action"]
    return _as_answer(response, body), None


def _as_answer(response: httpx.Response, body: dict[str, Any]) -> bytes:
    """An error is an answer too, and must tell nothing."""
    told = orjson.dumps(response.json())
    return b"data: " + told + b"\n\n" if body.get("stream") else told


def _response_id(answer: bytes, streamed: bool) -> str:
    found = objects(answer, streamed=streamed)
    return str(found[0]["response"]["id"] if streamed else found[0]["id"])


def whole_answer(endpoint: str, found: list[dict[str, Any]], raw: bytes, streamed: bool) -> bool:
    """Whether an answer has the form of its API, and a stream its end."""
    first, last = found[0], found[-1]
    if endpoint == "messages":
        return bool(last.get("type") == "message_stop" if streamed else first.get("type") == "message")
    if endpoint == "responses":
        return bool(last.get("type") == "response.completed" if streamed else first.get("object") == "response")
    kind = {"chat": "chat.completion", "completions": "text_completion"}[endpoint]
    if streamed:
        return raw.endswith(b"data: [DONE]\n\n") and all(str(e.get("object")).startswith(kind) for e in found)
    return bool(first.get("object") == kind)


async def _neighbours(house: House, endpoint: str, streamed: bool, place: str) -> bool:
    """Whether what is asked about others comes back as the model server gave it."""
    for question, answer in NEIGHBOURS:
        where = place if place in ("tool_arguments", "reasoning", "n2", "logprobs") else "content"
        house.teller.told, house.teller.cut = Told(tuple(_words(answer)), where, " Rome"), 7
        body = request(endpoint, place, question, stream=streamed)
        if place == "previous_response_id":
            first, _ = await _post(house, endpoint, request(endpoint, place, "Good morning!", stream=streamed))
            body["previous_response_id"] = _response_id(first, streamed)
        through, _ = await _post(house, endpoint, body)
        bare = await _bare(house, endpoint, body)
        same = same_answer if place == "previous_response_id" else _equal
        if not same(through, bare, streamed):
            return False
    return True


async def _bare(house: House, endpoint: str, body: dict[str, Any]) -> bytes:
    sent = httpx.Request("POST", f"http://model{ENDPOINTS[endpoint]}", json=body)
    return await (await house.teller.handle_async_request(sent)).aread()


def _equal(one: bytes, other: bytes, streamed: bool) -> bool:
    return one == other


def same_answer(one: bytes, other: bytes, streamed: bool) -> bool:
    """Equal bar ids and times: where the conversation goes on, its id stands in the answer."""
    left, right = (_bar(objects(content, streamed=streamed)) for content in (one, other))
    return bool(left == right)


def _bar(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _bar(v) for k, v in value.items() if k not in _OWN}
    return [_bar(v) for v in value] if isinstance(value, list) else value
