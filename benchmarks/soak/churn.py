"""Changes of a forget list, one after the other, each seen to be in force for the next question."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter, deque
from dataclasses import dataclass, field

import httpx

from benchmarks.leaks.requests import request
from benchmarks.topology import Proxy

LIST = "churn"
_KEPT = 50  # entries in the list, so that it stays as large
# Any two differ by two letters or more: one would pass for the other misspelt.
_SYLLABLES = ("bor", "dan", "fel", "gri", "hus", "kem", "lit", "mov", "pra", "sut", "tev", "wyk", "zop", "cha", "nef")


@dataclass(slots=True)
class Churned:
    """What came of the changes. ``effects``: of the questions after them, by what was to be seen and whether it was."""

    changes: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)  # until every worker had it in force

    @property
    def wrong(self) -> int:
        """Questions that were not judged by a change that was acknowledged before."""
        return sum(count for name, count in self.effects.items() if name.startswith("not "))


class Churn:
    """Adds an entry, asks about it, and removes the oldest, which is asked about as well."""

    def __init__(self, proxy: Proxy, chance: random.Random) -> None:
        self._proxy = proxy
        self._chance = chance
        self._kept: deque[tuple[str, str]] = deque()  # ids and names
        self.churned = Churned()

    async def go_on(self, every: float) -> None:
        """Make a change every so many seconds, until cancelled."""
        async with httpx.AsyncClient(
            base_url=self._proxy.url, headers=self._proxy.headers, timeout=120, trust_env=False
        ) as admin:
            while True:
                began = time.monotonic()
                with contextlib.suppress(httpx.TransportError):  # told by those who are answered, or not
                    await self._change(admin)
                await asyncio.sleep(max(0.0, every - (time.monotonic() - began)))

    async def _change(self, admin: httpx.AsyncClient) -> None:
        number = self.churned.changes
        if number % 10 == 9:
            await self._acknowledged(admin, "PATCH", f"/lists/{LIST}", {"description": f"as of change {number}"})
        elif len(self._kept) < _KEPT or number % 2:
            entry_id, name = f"e{number}", self._name()
            entry = {"id": entry_id, "subject": name, "answer": "Karachi", "scope": "subject"}
            if await self._acknowledged(admin, "POST", f"/lists/{LIST}/entries", {"entries": [entry]}):
                self._kept.append((entry_id, name))
                await self._seen(admin, name, flagged=True)
        else:
            entry_id, name = self._kept[0]
            if await self._acknowledged(admin, "DELETE", f"/lists/{LIST}/entries/{entry_id}", None):
                self._kept.popleft()
                await self._seen(admin, name, flagged=False)

    async def _acknowledged(self, admin: httpx.AsyncClient, method: str, path: str, body: object) -> bool:
        self.churned.changes += 1
        began = time.monotonic()
        answer = await admin.request(method, f"/admin/v1{path}?wait=all", json=body)
        self.churned.seconds.append(time.monotonic() - began)
        if not answer.is_success:
            self.churned.refused[f"{method} {answer.status_code}"] += 1
        return answer.is_success

    async def _seen(self, admin: httpx.AsyncClient, name: str, *, flagged: bool) -> None:
        body = request("chat", "content", f"Where was {name} born?", stream=False)
        answer = await admin.post("/v1/chat/completions", json=body)
        action = answer.headers.get("x-letheward-action")
        if action is None:  # not judged: busy, or the store away
            self.churned.effects[f"unknown: {answer.status_code}"] += 1
            return
        wanted = "refuse" if flagged else "pass"
        self.churned.effects[("" if action == wanted else "not ") + ("added" if flagged else "removed")] += 1

    def _name(self) -> str:
        """Two words that no other entry has: digits would be read as letters."""
        return " ".join("".join(self._chance.choices(_SYLLABLES, k=4)).capitalize() for _ in range(2))
