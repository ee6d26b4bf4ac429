"""Responses that can be gone on from: what ``previous_response_id`` stands for.

Kept by the proxy, so that the whole conversation is judged, and any model server can answer it. This is one process's
memory; ``server.conversations`` lets several have the same.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from server.errors import ApiError
from server.surfaces import Body

Item = dict[str, Any]
Key = tuple[str, str]  # owner and response id

_SALT = secrets.token_bytes(16)
# Of an answer, what the next turn is told. Reasoning is not: vLLM leaves it out as well.
_TOLD = ("message", "function_call", "custom_tool_call")
_FAILED = ("failed", "cancelled", "queued", "in_progress")


def owner_of(key: str | None) -> str:
    """A name for a client's key that does not tell the key. Clients without one share what they keep."""
    return hashlib.blake2b((key or "").encode(), key=_SALT, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Kept:
    """One response, packed: as objects ten thousand of them take some ten times the memory.

    ``packed``: JSON of ``items``, the conversation up to and with it, and ``response``; ``ids``: those of items.
    """

    packed: bytes
    ids: tuple[str, ...]

    @classmethod
    def of(cls, items: tuple[Any, ...], response: Body) -> Kept:
        """A response after ``items``."""
        named = tuple(i["id"] for i in items if isinstance(i.get("id"), str))
        packed = orjson.dumps({"items": items, "response": response})
        return cls(bytes(memoryview(packed)), named)  # a copy: what orjson returns has room to grow

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.packed)

    @property
    def items(self) -> list[Any]:
        """The conversation up to and with it."""
        items: list[Any] = orjson.loads(self.packed)["items"]
        return items

    @property
    def response(self) -> Body:
        """As it was answered."""
        response: Body = orjson.loads(self.packed)["response"]
        return response


class ResponseStore:
    """The latest responses, up to a number, a size and an age. Safe to use from threads.

    Somebody else's response is as unknown as one that never was.
    """

    def __init__(
        self,
        max_responses: int = 10_000,
        max_bytes: int = 256 * 1024 * 1024,
        ttl: float = 24 * 3600,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_responses, self._max_bytes, self._ttl, self._clock = max_responses, max_bytes, ttl, clock
        self._kept: OrderedDict[Key, Kept] = OrderedDict()  # the longest unused first
        self._until: OrderedDict[Key, float] = OrderedDict()  # when each is forgotten, the oldest first
        self._item_of: dict[Key, Key] = {}  # (owner, an item's id) -> the latest response that has it
        self._bytes = 0
        self._lock = threading.Lock()

    def expand(self, body: Body, owner: str) -> Body:
        """``body`` with the whole conversation in ``input`` in place of what it refers to.

        Instructions of earlier turns are not carried over. References to items that are not kept stay as they are.

        Raises:
            ApiError: 404 for an unknown ``previous_response_id``.
        """
        previous, given = body.get("previous_response_id"), body.get("input")
        if isinstance(given, list):
            given = [self._referred(item, owner) for item in given]
        if previous is None:
            return body if given == body.get("input") else {**body, "input": given}
        kept = self._find(previous, owner)
        new = [{"role": "user", "content": given}] if isinstance(given, str) else given
        if not isinstance(new, list):
            raise ApiError(400, "'input' must be a string or a list of items.", param="input")
        rest = {k: v for k, v in body.items() if k != "previous_response_id"}
        return {**rest, "input": [*kept.items, *new]}

    def remember(self, body: Body, response: Body, owner: str) -> bool:
        """Keep an answer that was given in full. ``body``: its request, expanded.

        Returns whether it is kept: not where the client said ``store: false``, where it failed, or is too large.
        """
        response_id = response.get("id")
        unfit = response.get("status") in _FAILED or response.get("error") is not None
        if body.get("store") is False or unfit or not isinstance(response_id, str) or not response_id:
            return False
        items = (*_input_items(body.get("input")), *_output_items(response))
        return self.put(owner, response_id, Kept.of(items, response))

    def put(self, owner: str, response_id: str, kept: Kept) -> bool:
        """Keep a response that is known from elsewhere; whether there is room for it."""
        if kept.size > self._max_bytes:
            return False
        key = owner, response_id
        with self._lock:
            self._drop(key)  # clients can choose ids, and choose the same again
            self._kept[key] = kept
            self._until[key] = self._clock() + self._ttl
            self._item_of |= {(owner, item_id): key for item_id in kept.ids}
            self._bytes += kept.size
            self._shrink()
        return True

    def kept(self, owner: str, response_id: str) -> Kept | None:
        """What is kept of a response."""
        with self._lock:
            return self._kept.get((owner, response_id))

    def drop(self, owner: str, response_id: str) -> None:
        """Forget a response, if it is there."""
        with self._lock:
            self._drop((owner, response_id))

    def get(self, response_id: str, owner: str) -> Body:
        """The response as it was answered.

        Raises:
            ApiError: 404.
        """
        return self._find(response_id, owner).response

    def delete(self, response_id: str, owner: str) -> Body:
        """Forget it; says so in OpenAI's words.

        Raises:
            ApiError: 404.
        """
        self._find(response_id, owner)
        with self._lock:
            self._drop((owner, response_id))
        return {"id": response_id, "object": "response", "deleted": True}

    def __len__(self) -> int:
        return len(self._kept)

    def _find(self, response_id: Any, owner: str) -> Kept:
        known = response_id if isinstance(response_id, str) else ""
        with self._lock:
            self._shrink()
            kept = self._kept.get((owner, known))
            if kept is not None:
                self._kept.move_to_end((owner, known))
                return kept
        message = f"Response with id '{known[:200]}' not found."
        raise ApiError(404, message, code="previous_response_not_found", param="response_id")

    def _referred(self, item: Any, owner: str) -> Any:
        """The item that a reference means, if it is kept."""
        if not _refers(item):
            return item
        with self._lock:
            self._shrink()
            kept = self._kept.get(self._item_of.get((owner, item["id"]), ("", "")))
        found = [i for i in kept.items if i.get("id") == item["id"]] if kept is not None else []
        return found[0] if found else item

    def _shrink(self) -> None:
        """Forget what is too old, then the longest unused until the rest fits."""
        while self._until and self._until[oldest := next(iter(self._until))] <= self._clock():
            self._drop(oldest)
        while len(self._kept) > self._max_responses or self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is None:
            return
        del self._until[key]
        self._bytes -= kept.size
        for item_id in kept.ids:
            if self._item_of.get((key[0], item_id)) == key:
                del self._item_of[key[0], item_id]


def _input_items(given: Any) -> list[Any]:
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    return [i for i in given if isinstance(i, dict)] if isinstance(given, list) else []


def _output_items(response: Body) -> Iterator[Item]:
    """An answer's items as input items: without log probabilities, and ended even where the answer was cut."""
    output = response.get("output")
    for item in output if isinstance(output, list) else []:
        if not isinstance(item, dict) or item.get("type") not in _TOLD:
            continue
        told = {k: v for k, v in item.items() if v is not None}
        if item["type"] != "message":
            yield told
        elif isinstance(item.get("content"), list) and item["content"]:
            parts = [{k: v for k, v in p.items() if k != "logprobs"} for p in item["content"] if isinstance(p, dict)]
            yield {**told, "content": parts, "status": "completed"}


def references(body: Body) -> tuple[str | None, list[str]]:
    """The response that a request goes on from, and the items that it names by their ids alone."""
    previous, given = body.get("previous_response_id"), body.get("input")
    named = [item["id"] for item in given if _refers(item)] if isinstance(given, list) else []
    return previous if isinstance(previous, str) else None, list(dict.fromkeys(named))


def _refers(item: Any) -> bool:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        return False
    return item.get("type") == "item_reference" or not set(item) - {"id", "type"}


def put_back(told: Body, previous_response_id: str | None) -> Body:
    """An answer, or an event of one, with the id that its request went on from."""
    if previous_response_id is None:
        return told
    if isinstance(told.get("response"), dict):
        return {**told, "response": {**told["response"], "previous_response_id": previous_response_id}}
    if told.get("object") == "response":
        return {**told, "previous_response_id": previous_response_id}
    return told
