"""The one way that every change of the admin API goes: its conditions, once for one key, in force, and told."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import anyio
from starlette.responses import JSONResponse

from guard.snapshot import SnapshotManager
from guard.store import Difference, Done, Store
from guard.what_if import with_differences
from server.admin.etags import etag
from server.admin.faults import answered, off_loop
from server.admin.how import How
from server.admin.impact import Impact
from server.admin.shown import difference
from server.errors import ApiError

WAIT = 10.0  # seconds that ``?wait=all`` waits for other workers
_MOST_SHOWN = 1000  # changes in the answer to a dry run


class Workers(Protocol):
    """The processes that serve from the same store."""

    async def wait(self, revision: int, timeout: float) -> list[str]:
        """The ids of those that do not have ``revision`` in force after ``timeout`` seconds."""
        ...

    def ids(self) -> Sequence[str]:
        """All of them. Blocking."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change came to. ``tag``: the revision of the list or entry that the answer is about."""

    body: Mapping[str, Any]
    revision: int
    tag: int | None = None
    status: int = 200


@dataclass(frozen=True, slots=True)
class Edit:
    """A change: what it would change, and how it is made. Both are blocking and check the same conditions.

    ``replaces``: something that is there may be replaced or removed by it, so that it can be asked to be conditional.
    """

    plan: Callable[[Store], Sequence[Difference]]
    apply: Callable[[Store], Outcome]
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Changing:
    """Carries changes out. ``require_match``: refuse those without a condition where one is possible."""

    manager: SnapshotManager
    impact: Impact
    workers: Workers | None = None
    require_match: bool = False

    async def carry_out(self, how: How, edit: Edit, more: Mapping[str, Any] | None = None) -> JSONResponse:
        """The change, or in a dry run what it would do; the answer that was given before to the same key.

        ``more``: what the answer tells beside.

        Raises:
            ApiError: it cannot be made.
        """
        if self.require_match and edit.replaces and how.match is None and not how.create_only:
            raise ApiError(
                428, "This server wants to know what you have seen: send If-Match with the ETag that you got, or "
                "If-None-Match: * to create.", code="precondition_required",
            )  # fmt: skip
        if how.dry_run:
            changes = await off_loop(partial(edit.plan, self.manager.store))
            return JSONResponse({**await self.rehearsed(changes), **(more or {})})
        return await self.once(how, partial(self._made, how, edit, more or {}))

    async def once(self, how: How, work: Callable[[], Awaitable[Outcome]]) -> JSONResponse:
        """``work``'s outcome as an answer; with an idempotency key the same answer again, for the same request."""
        done = await self.claimed(how)
        if done is not None:
            headers = {"Idempotency-Replayed": "true"} | done.answer["headers"]
            return JSONResponse(done.answer["body"], done.status, headers)
        async with self.claim(how) as finish:
            outcome = await work()
            await finish(outcome)
        return JSONResponse(dict(outcome.body), outcome.status, _headers(outcome))

    async def claimed(self, how: How) -> Done | None:
        """The answer that the request got before; None where its idempotency key, if any, is now its own."""
        if how.key is None:
            return None
        return await off_loop(partial(self.manager.store.claim, how.key, how.digest))

    @asynccontextmanager
    async def claim(self, how: How) -> AsyncIterator[Callable[[Outcome], Awaitable[None]]]:
        """Around what is done under a key that is ours; to be told the outcome, or else the key is given back."""
        finished = False
        store = self.manager.store

        async def finish(outcome: Outcome) -> None:
            nonlocal finished
            if how.key is not None:
                kept = {"body": dict(outcome.body), "headers": _headers(outcome)}
                await off_loop(partial(store.finish, how.key, outcome.status, kept))
            finished = True

        try:
            yield finish
        finally:
            if how.key is not None and not finished:
                with anyio.CancelScope(shield=True), contextlib.suppress(ApiError):  # else the claim runs out
                    await off_loop(partial(store.release, how.key))

    async def in_force(self, how: How, revision: int) -> dict[str, Any]:
        """With ``?wait=all``: the number of workers, and those in which ``revision`` is not yet in force."""
        if not how.wait:
            return {}
        if self.workers is None:
            return {"in_force": {"workers": 1, "behind": []}}
        behind = await self.workers.wait(revision, WAIT)
        count = len(await off_loop(self.workers.ids))
        return {"in_force": {"workers": count, "behind": behind}}

    async def rehearsed(self, changes: Sequence[Difference]) -> dict[str, Any]:
        """What ``changes`` would do."""
        before = self.manager.current
        after = await off_loop(partial(with_differences, before, changes, self.manager.own_scorers))
        return {
            "dry_run": True,
            "changes": [difference(c) for c in changes[:_MOST_SHOWN]],
            "total": len(changes),
            "impact": await answered(self.impact.of(before, after)),
        }

    async def _made(self, how: How, edit: Edit, more: Mapping[str, Any]) -> Outcome:
        outcome, _ = await off_loop(partial(self.manager.change, edit.apply))
        body = {**outcome.body, **more, **await self.in_force(how, outcome.revision)}
        return Outcome(body, outcome.revision, outcome.tag, outcome.status)


def _headers(outcome: Outcome) -> dict[str, str]:
    return {} if outcome.tag is None else {"ETag": etag(outcome.tag)}
