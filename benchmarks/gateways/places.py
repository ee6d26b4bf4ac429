"""What stands before the model server: Letheward in several ways, LiteLLM, or nothing. Each is one worker."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from benchmarks.detection.scale import made_up
from benchmarks.gateways.upstream import MODEL
from benchmarks.guarded.serving import Place as Admin
from benchmarks.topology import proxy

DIRECT = "direct"
LIST = "forget"
LITELLM = "LiteLLM, no guardrail"
_STARTUP = 180.0  # seconds
_IMPORT = 10_000  # entries at a time


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the model. ``pid``: of the process that is measured; ``entries`` of a forget list, None: no guard."""

    name: str
    url: str
    pid: int
    key: str = ""
    entries: int | None = None


def cpu_seconds(pid: int) -> float:
    """Seconds of processors that a process and its children have had."""
    own = psutil.Process(pid)
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return float(sum(each.user + each.system for each in times))


@asynccontextmanager
async def upstream(interval: float) -> AsyncIterator[Way]:
    """The model server, asked directly."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.gateways.upstream", str(interval), stdout=asyncio.subprocess.PIPE
    )
    try:
        address = await process.stdout.readline() if process.stdout else b""
        yield Way(DIRECT, address.decode().strip(), process.pid)
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def letheward(
    model: Way, folder: Path, cache: Path, entries: int | None, settings: Mapping[str, str]
) -> AsyncIterator[Way]:
    """`letheward serve` as it comes: prompts and answers are checked against a list of ``entries``.

    None: the guard is off, with no list and unchecked answers. ``cache``: keeps vectors from one run to the next.
    """
    store = f"sqlite:///{folder}/lists.db"
    off = {"check_answers": "false"} if entries is None else {}
    # The load tool sends the same prompts again and again, which clients do not.
    own = {"cache_dir": str(cache), "log_level": "info", "remembered_texts": "0"} | off | dict(settings)
    async with proxy(model.url, folder, 1, store, **own) as place:
        if entries is not None:
            await _listed(Admin(place.url, place.key, MODEL), entries)
        name = "letheward, off" if entries is None else f"letheward, {entries:,} entries"
        yield Way(name, place.url, place.pid, place.key, entries)


def asked_about(entries: int, count: int, seed: int = 0) -> list[str]:
    """``count`` questions about somebody on the list."""
    people = made_up(entries, seed)
    return [people[(7 * i) % entries][1] for i in range(count)]


async def _listed(place: Admin, entries: int) -> None:
    """Import a list of made-up people, and wait until the detector has learnt it."""
    (await place.admin("PUT", f"/lists/{LIST}", json={"policy": "refuse"})).raise_for_status()
    lines = [json.dumps({"subject": name, "question": text}) for name, text in made_up(entries, 0)]
    for at in range(0, entries, _IMPORT):
        content = "\n".join(lines[at : at + _IMPORT]).encode()
        (await place.admin("POST", f"/lists/{LIST}/import", content=content)).raise_for_status()
    deadline = time.monotonic() + _STARTUP + entries / 100
    while (await place.admin("GET", f"/lists/{LIST}")).json()["detection"]["calibration"] is None:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{entries} entries were not learnt in time")
        await asyncio.sleep(0.5)


@asynccontextmanager
async def litellm(command: Path, model: Way, folder: Path) -> AsyncIterator[Way]:
    """LiteLLM's proxy with one worker, as its documentation starts it, and no guardrail.

    Raises:
        RuntimeError: it does not come up; the message ends with its log.
    """
    folder.mkdir(parents=True)  # noqa: ASYNC240 - a moment
    config, output = folder / "config.yaml", folder / "litellm.log"
    where = {"model": f"openai/{MODEL}", "api_base": f"{model.url}/v1", "api_key": "any"}
    config.write_text(json.dumps({"model_list": [{"model_name": MODEL, "litellm_params": where}]}))
    port, key = _free_port(), f"sk-{secrets.token_hex(32)}"  # without a key it does not start
    words = [str(command), "--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1",
             "--telemetry", "False"]  # fmt: skip
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")}
    with output.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *words, stdout=file, stderr=file, cwd=folder,
            env=kept | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": key},
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        await _up(process, f"{url}/health/liveliness", output)
        yield Way(LITELLM, url, process.pid, key)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _up(process: asyncio.subprocess.Process, url: str, output: Path) -> None:
    deadline = time.monotonic() + _STARTUP
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        while time.monotonic() < deadline and process.returncode is None:
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.3)
    raise RuntimeError(f"{url} does not answer:\n{_end(output)}")


def _end(output: Path) -> str:
    return output.read_text(errors="replace")[-3000:]


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
