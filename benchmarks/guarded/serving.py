"""A bare vLLM, and the proxy before it, for as long as a measurement lasts."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from server.managed import ManagedVllm

_STARTUP = 900.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model answers. ``url`` without ``/v1``; ``key``: for its clients, and of a proxy the admin key."""

    url: str
    key: str
    model: str

    @property
    def headers(self) -> dict[str, str]:
        """What a client sends along; a proxy then says what it did."""
        return {"Authorization": f"Bearer {self.key}", "X-Letheward-Admin-Key": self.key}

    async def admin(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask a proxy's admin API."""
        async with httpx.AsyncClient(timeout=600, trust_env=False, headers=self.headers) as client:
            return await client.request(method, f"{self.url}/admin/v1{path}", **options)


@asynccontextmanager
async def vllm(folder: Path, log: Path) -> AsyncIterator[Place]:
    """A vLLM for the model in ``folder``, started as ``letheward serve`` starts it, but for one thing.

    Prefixes are not cached: else a prompt that comes a second time would be quicker, and rounded otherwise.
    """
    managed = ManagedVllm(model=str(folder), served_name=folder.name, log_path=log, startup_timeout=_STARTUP,
                          extra_args=["--no-enable-prefix-caching"])  # fmt: skip
    try:
        await managed.start(lambda _: None)
        yield Place(managed.base_url, managed.api_key, folder.name)
    finally:
        await managed.stop()


@asynccontextmanager
async def proxy(
    upstream: Place, model_path: Path | None, folder: Path, cache_dir: Path, *, check_answers: bool = True
) -> AsyncIterator[Place]:
    """``letheward serve`` before ``upstream`` with an empty store in ``folder``.

    ``check_answers`` false: the guard of answers is off.

    Raises:
        RuntimeError: it ended or did not come up; the message ends with its log.
    """
    key = secrets.token_urlsafe(16)
    command = [sys.executable, "-m", "server.cli", "serve", "--upstream", upstream.url, "--port", "0",
               "--cache-dir", str(cache_dir), "--database-url", f"sqlite:///{folder}/lists.db", "--no-sample-list",
               *(["--model-path", str(model_path)] if model_path else [])]  # fmt: skip
    output = folder / "proxy.log"
    with output.open("wb") as file:
        environment = os.environ | {"LETHEWARD_ADMIN_KEY": key, "LETHEWARD_UPSTREAM_KEY": upstream.key,
                                    "LETHEWARD_CHECK_ANSWERS": str(check_answers).lower()}  # fmt: skip
        process = subprocess.Popen(command, stdout=file, stderr=file, env=environment)  # noqa: ASYNC220, S603 - our own command
    try:
        yield Place(await _announced(process, output), key, upstream.model)
    finally:
        process.send_signal(signal.SIGINT)
        await asyncio.to_thread(process.wait, 60)


async def _announced(process: subprocess.Popen[bytes], output: Path) -> str:
    deadline = time.monotonic() + _STARTUP
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"Point a client at +(\S+)/v1", _text(output)):
            return found[1]
        await asyncio.sleep(0.2)
    raise RuntimeError(f"the proxy did not come up:\n{_text(output)[-2000:]}")


def _text(file: Path) -> str:
    return file.read_text(errors="replace")


async def make_list(place: Place, name: str, settings: Mapping[str, Any], lines: Sequence[str]) -> None:
    """A forget list with ``lines`` imported, after the detector has learnt it.

    Raises:
        RuntimeError: the proxy refuses it, or has not learnt it after five minutes.
    """
    _checked(await place.admin("PUT", f"/lists/{name}", json=dict(settings)))
    _checked(await place.admin("POST", f"/lists/{name}/import", content="\n".join(lines).encode()))
    deadline = time.monotonic() + 300
    while (await place.admin("GET", f"/lists/{name}")).json()["detection"]["calibration"] is None:
        if time.monotonic() > deadline:
            raise RuntimeError(f"list {name} was not learnt within 300 s")
        await asyncio.sleep(0.5)


async def change_list(place: Place, name: str, settings: Mapping[str, Any]) -> str | None:
    """Change settings of a list; the proxy's reason where it knows no such setting or value."""
    response = await place.admin("PATCH", f"/lists/{name}", json=dict(settings))
    return None if response.status_code == 200 else response.text[:300]


async def fit_eco(place: Place, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Fit a list's strength to the model, as ``letheward eco fit`` does; its last event, which has the strength.

    Raises:
        RuntimeError: nothing was found.
    """
    event: dict[str, Any] = {}
    async with (
        httpx.AsyncClient(timeout=3600, trust_env=False, headers=place.headers) as client,
        client.stream("POST", f"{place.url}/admin/v1/lists/{name}/eco/fit", json=dict(settings)) as response,
    ):
        async for line in response.aiter_lines():
            event = json.loads(line)
    if "sigma" not in event:
        raise RuntimeError(f"nothing was fitted: {event.get('note') or event.get('error') or event}")
    return event


async def drop_fit(place: Place, name: str) -> None:
    """Forget the strength that was fitted to the model."""
    _checked(await place.admin("DELETE", f"/lists/{name}/eco", params={"model": place.model}))


def _checked(response: httpx.Response) -> None:
    if response.is_error:
        raise RuntimeError(f"{response.request.url.path}: {response.status_code}: {response.text[:500]}")
