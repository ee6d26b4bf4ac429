"""What `/v1/responses` can go on from: kept by this process, and with a shelf by all workers of a store."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio
import structlog
from anyio.to_thread import run_sync

from guard.store import StoreError
from server.dialects.state import ResponseStore, owner_of, references
from server.shelf import Shelf
from server.surfaces import Body

T = TypeVar("T")
log = structlog.get_logger("letheward.conversations")

_PATIENCE = 2.0  # seconds that an answer waits for the store


class Conversations:
    """The shelf says what is there; where the store is away, what this process knows is better than nothing."""

    def __init__(
        self, memory: ResponseStore | None = None, shelf: Shelf | None = None, away: Callable[[], bool] = lambda: False
    ) -> None:
        self.memory = memory or ResponseStore()
        self._shelf = shelf
        self._away = away
        self._unshared: set[tuple[str, str]] = set()  # what the store could not be told

    def owner(self, key: str | None) -> str:
        """A name for a client's key that does not tell the key."""
        return self._shelf.owner(key) if self._shelf else owner_of(key)

    async def expand(self, body: Body, owner: str) -> Body:
        """``ResponseStore.expand``.

        Raises:
            ApiError: 404 for an unknown ``previous_response_id``.
        """
        if self._shelf is not None:
            wanted, items = references(body)
            for item_id in items:
                holder = await self._asked(partial(self._shelf.holder, owner, item_id))
                if holder is not None:
                    await self._fetch(owner, holder)
            if wanted is not None:
                await self._fetch(owner, wanted)
        return self.memory.expand(body, owner)

    async def remember(self, body: Body, response: Body, owner: str) -> None:
        """Keep an answer that was given in full; other workers have it when this returns."""
        if not self.memory.remember(body, response, owner) or self._shelf is None:
            return
        key = owner, str(response["id"])
        kept = self.memory.kept(*key)
        if kept is None or not await self._asked(partial(self._shelf.put, *key, kept)):
            self._unshared = {k for k in self._unshared if self.memory.kept(*k)} | {key}

    async def get(self, response_id: str, owner: str) -> Body:
        """The response as it was answered.

        Raises:
            ApiError: 404.
        """
        await self._fetch(owner, response_id)
        return self.memory.get(response_id, owner)

    async def delete(self, response_id: str, owner: str) -> Body:
        """Forget it.

        Raises:
            ApiError: 404.
            StoreError: it cannot be forgotten everywhere now.
        """
        await self._fetch(owner, response_id)
        self.memory.get(response_id, owner)
        if self._shelf is not None:
            await run_sync(self._shelf.delete, owner, response_id)
        self._unshared.discard((owner, response_id))
        return self.memory.delete(response_id, owner)

    async def _fetch(self, owner: str, response_id: str) -> None:
        """Have in memory what the shelf has: nothing, where another worker was told to forget it."""
        if self._shelf is None:
            return
        found = await self._asked(lambda: (self._shelf.get(owner, response_id),))  # type: ignore[union-attr]
        if found is None:  # nobody knows
            return
        if found[0] is not None:
            self.memory.put(owner, response_id, found[0])
        elif (owner, response_id) not in self._unshared:
            self.memory.drop(owner, response_id)

    async def _asked(self, work: Callable[[], T]) -> T | None:
        """What the shelf answers; None where the store is away, or takes too long."""
        if self._away():
            return None
        try:
            with anyio.fail_after(_PATIENCE):
                return await run_sync(work, abandon_on_cancel=True)
        except (StoreError, TimeoutError) as error:
            log.warning("response_not_shared", error=type(error).__name__)
            return None
