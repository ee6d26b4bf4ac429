"""How a guard in service is asked: over a client's connection, and what was answered is kept."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
from tqdm import tqdm

from benchmarks.guarded.answers import Reply
from benchmarks.guarded.serving import Place
from benchmarks.methods.guards import PROMPT_ONLY


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


@dataclass(frozen=True, slots=True)
class Way:
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


class Replies:
    """Replies, kept in a file. ``told``: all that they depend on beside the way and the question."""

    def __init__(self, file: Path | None, told: str, asking: Asking) -> None:
        self._file, self._told, self._asking = file, told, asking
        self._kept: dict[str, Reply] = {}
        if file is not None and file.is_file():
            for line in file.read_text(encoding="utf-8").split("\n"):
                if line.endswith("}"):  # else it was being written when the run was broken off
                    row = json.loads(line)
                    self._kept[row["key"]] = Reply(row["text"], row["action"])

    async def ask(self, way: Way, asked: Sequence[tuple[str, bool]], at_once: int | None = None) -> dict[str, Reply]:
        """The replies by question. ``at_once``: other than how clients ask."""
        turn = asyncio.Semaphore(at_once or self._asking.at_once)
        keys = {one: self._key(way, *one) for one in asked}
        missing = [one for one in asked if keys[one] not in self._kept]

        async def fetch(client: httpx.AsyncClient, text: str, plain: bool) -> None:
            async with turn:
                reply = await way.ask(client, text, plain, self._asking.max_tokens)
            self._keep(keys[text, plain], reply)

        try:
            async with connected() as client, asyncio.TaskGroup() as group:
                jobs = [group.create_task(fetch(client, *one)) for one in missing]
                shown = tqdm(asyncio.as_completed(jobs), total=len(jobs), desc=f"asking: {way.name}", file=sys.stderr,
                             disable=not self._asking.shown or not jobs)  # fmt: skip
                for job in shown:
                    await job
        except ExceptionGroup as failed:  # of several the first says what is the matter
            raise failed.exceptions[0] from failed
        return {text: self._kept[keys[text, plain]] for text, plain in asked}

    def _key(self, way: Way, text: str, plain: bool) -> str:
        depends = (self._told, way.name, way.system, json.dumps(way.settings, sort_keys=True), text, plain)
        return hashlib.sha256(repr(depends).encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _keep(self, key: str, reply: Reply) -> None:
        self._kept[key] = reply
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, **asdict(reply)}) + "\n")


def connected() -> httpx.AsyncClient:
    """A client that waits as long as a small machine takes."""
    return httpx.AsyncClient(timeout=900, trust_env=False)


def checked(response: httpx.Response) -> None:
    """Raise RuntimeError where a response is an error."""
    if response.is_error:
        raise RuntimeError(f"{response.request.url.path}: {response.status_code}: {response.text[:500]}")
