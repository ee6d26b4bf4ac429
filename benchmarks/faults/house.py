"""A proxy, its clients and its model server: questions are asked, changes made, and what came of them is noted."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from benchmarks.faults.scripted import CLEAN, GUARDED, INNER_KEY, MARK, PLAIN, SECRET, SUBJECT, ModelServer, saying
from benchmarks.faults.service import NotUp, Service
from benchmarks.faults.told import asked, code_of, sound, tells

LIST = "people"
_DEADLINE, _PAUSE = 120.0, 0.05
_numbers = count()


@dataclass(slots=True)
class House:
    """``got``: what clients got, and how often; ``acknowledged``: entries whose change was accepted."""

    service: Service
    model: ModelServer
    folder: Path
    got: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    closed: bool = False  # whether connections may be closed without an answer: their process was killed
    _searched: int = 0  # of the log

    async def prepare(self) -> None:
        """A list that refuses to speak of the subject."""
        async with self.service.client() as client:
            (await client.put(f"/admin/v1/lists/{LIST}", json={"policy": "refuse"})).raise_for_status()
        entry = {"id": "secret", "subject": SUBJECT, "answer": SECRET, "scope": "subject"}
        assert await self._put(entry) == 201  # noqa: S101 - else nothing here means anything

    async def ask(self, question: str = PLAIN, *, timeout: float = 60.0, **fields: Any) -> str:
        """Ask for a chat completion, and note what came."""
        messages = [{"role": "user", "content": question}]
        async with self.service.client(timeout) as client:
            got, raw = await asked(client, "/v1/chat/completions", {"model": "m", "messages": messages, **fields})
        self.note(got, raw)
        return got

    def note(self, got: str, raw: bytes = b"") -> None:
        """Note what a client got."""
        self.got[got] += 1
        if not sound(got, closed=self.closed):
            self.wrong.append(got)
        if tells(raw):
            self.leaked.append(f"to a client: {got}")

    async def change(self, timeout: float = 60.0) -> str:
        """Add an entry, and note what is said of it."""
        name = f"e{next(_numbers)}"
        entry = {"id": name, "subject": f"Person {name}", "answer": "Lahore", "scope": "subject"}
        try:
            status = await self._put(entry, timeout)
        except httpx.TransportError as error:
            status = type(error).__name__
            if not self.closed:
                self.wrong.append(f"change: {status}")
        got = f"change {status}"
        self.got[got] += 1
        if status == 201:
            self.acknowledged.append(name)
        elif isinstance(status, str) and not sound(status, closed=True):
            self.wrong.append(got)
        return got

    async def _put(self, entry: dict[str, Any], timeout: float = 60.0) -> int | str:
        async with self.service.client(timeout) as client:
            answer = await client.post(f"/admin/v1/lists/{LIST}/entries", json={"entries": [entry]})
        return 201 if answer.status_code == 201 else f"{answer.status_code} {code_of(answer.content)}"

    async def recovers(self) -> float:
        """Seconds until questions are answered, the list guards and a change is accepted."""
        self.model.act = saying(CLEAN)
        began = time.monotonic()
        while not await self._well():
            if time.monotonic() > began + _DEADLINE:
                self.wrong.append(f"it did not recover within {_DEADLINE:.0f} s")
                break
            await asyncio.sleep(_PAUSE)
        return time.monotonic() - began

    async def _well(self) -> bool:
        try:
            if not self.service.running:
                await self.service.start()
            async with self.service.client(10) as client:
                for question, wanted in ((PLAIN, "pass"), (GUARDED, "refuse")):
                    body = {"model": "m", "messages": [{"role": "user", "content": question}]}
                    answer = await client.post("/v1/chat/completions", json=body)
                    if (answer.status_code, answer.headers.get("x-letheward-action")) != (200, wanted):
                        return False
            return await self._put({"id": "well", "subject": "Person Well", "scope": "subject"}, 15) == 201
        except (httpx.TransportError, NotUp):
            return False

    async def lost(self) -> int:
        """How many acknowledged entries are not there."""
        async with self.service.client() as client:
            answer = (await client.get(f"/admin/v1/lists/{LIST}/export")).raise_for_status()
        there = {json.loads(line)["id"] for line in answer.text.splitlines() if line.strip()}
        return len(set(self.acknowledged) - there)

    def search_log(self) -> None:
        """Look for texts in what the service wrote since the last look, and for the secret at the model server."""
        written = self.service.log.read_bytes()[self._searched :]
        self._searched += len(written)
        said = written.decode(errors="replace").casefold()
        for secret in (SECRET.casefold(), MARK, INNER_KEY, "mild"):
            if secret in said:
                self.leaked.append(f"to the log: {secret}")
        if any(SUBJECT.encode() in raw for raw in self.model.seen):
            self.leaked.append("to the model server: the guarded question")
        self.model.seen.clear()
