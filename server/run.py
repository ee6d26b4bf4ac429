"""`letheward serve`: the model and the workers before it, started together and stopped together."""

from __future__ import annotations

import asyncio
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import uvloop

from guard.adapters import ADAPTERS, GUARD_MODEL, check_name, vllm_arguments
from guard.model import ForgetList
from guard.store import Store
from server.assembly import Shared
from server.banner import banner
from server.keys import admin_key
from server.logs import configure
from server.managed import ManagedVllm
from server.model_files import prepare_model
from server.seeding import seed
from server.settings import Settings
from server.supervisor import Supervisor
from server.upstream import Endpoint
from server.worker import Job, heed_stop, listening, prepared, serve_parts


def serve(settings: Settings, options: Mapping[str, Any] | None = None) -> None:
    """Run until interrupted. ``options``: those of the command line, which go before a file that changes."""
    configure(settings.log_level)
    try:
        with tempfile.TemporaryDirectory(prefix="letheward-") as scratch:
            uvloop.run(_serve(settings, options or {}, Path(scratch)))
    except asyncio.CancelledError:
        raise SystemExit(128 + signal.SIGTERM) from None


async def _serve(settings: Settings, options: Mapping[str, Any], scratch: Path) -> None:
    serving = asyncio.Event()
    heed_stop(serving)
    settings.cache_dir.mkdir(parents=True, exist_ok=True)
    admin_key(settings)  # made here, so that no two workers make one
    managed, endpoints, folder = await asyncio.to_thread(_model, settings)
    lists = await asyncio.to_thread(_lists, settings)
    sockets = listening(settings.host, settings.port)
    shared = Shared(scratch if settings.workers > 1 else None, secrets.token_bytes(32))
    job = Job(settings, endpoints, folder, sockets, options, shared)

    def up() -> None:
        serving.set()
        _say(banner(settings, sockets[0].getsockname()[1], lists))

    try:
        await (_one(job, managed, up) if settings.workers == 1 else _several(job, managed, up))
    finally:
        if managed is not None:
            await managed.stop()
        for sock in sockets:
            sock.close()


async def _one(job: Job, managed: ManagedVllm | None, up: Callable[[], None]) -> None:
    """Serve in this process."""
    parts = await prepared(job, locate=None if managed is None else lambda: _where(managed))
    try:
        await _started(managed)
        await serve_parts(parts, job, up)
    finally:
        await parts.close()


async def _several(job: Job, managed: ManagedVllm | None, up: Callable[[], None]) -> None:
    """Serve in several processes beside this one, which keeps the model and them alive."""
    await _started(managed)
    ended_by = await Supervisor(job, job.settings.workers).run(up)
    if ended_by == signal.SIGINT:
        raise KeyboardInterrupt


async def _started(managed: ManagedVllm | None) -> None:
    if managed is not None:
        await managed.start(_progress)
        _say("\r\033[Kvllm is up." if sys.stderr.isatty() else "vLLM is up.")


def _model(settings: Settings) -> tuple[ManagedVllm | None, tuple[Endpoint, ...], Path | None]:
    """The managed vLLM if there is one, where models answer, and the folder with tokenizer and weights, if any.

    Raises:
        ValueError: ``model_path`` is not what the managed vLLM serves: ECO would corrupt another model's embeddings.
    """
    if settings.upstream_urls:
        key = settings.upstream_key.get_secret_value() if settings.upstream_key else None
        return None, tuple(Endpoint(url, key) for url in settings.upstream_urls), settings.model_path
    prepared = prepare_model(settings.model, settings.cache_dir, _say)
    if prepared and settings.model_path and settings.model_path.resolve() != prepared.resolve():
        raise ValueError(
            f"--model-path is the folder of a model that --upstream serves; to serve {settings.model_path} itself, "
            f"give --model {settings.model_path}"
        )
    managed = ManagedVllm(
        model=str(prepared or settings.model),
        served_name=settings.model,
        log_path=settings.cache_dir / "vllm.log",
        extra_args=[*settings.vllm_args.split(), *_adapter(settings, prepared)],
        startup_timeout=settings.startup_timeout,
    )
    return managed, (Endpoint(managed.base_url, managed.api_key),), settings.model_path or prepared


def _adapter(settings: Settings, base: Path | None) -> list[str]:
    """What makes the managed vLLM serve the guard's adapter."""
    if not settings.guard_lora:
        return []
    folder = settings.cache_dir.absolute() / ADAPTERS / check_name(settings.guard_lora)
    return vllm_arguments(folder, GUARD_MODEL, base)


def _where(managed: ManagedVllm) -> Endpoint | None:
    return Endpoint(managed.base_url, managed.api_key) if managed.ready else None


def _lists(settings: Settings) -> list[ForgetList]:
    """The lists that there are; an empty store that has never been changed gets the sample list."""
    store = Store.open(settings.store_url)
    try:
        if settings.sample_list:
            seed(store)
        return [item for item, _ in store.list_lists()]
    finally:
        store.close()


_last_progress = 0.0


def _progress(waited: float) -> None:
    """A line that counts on a terminal, and one line every 15 s in a log."""
    global _last_progress
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[KStarting vLLM ... {waited:.0f} s")
        sys.stderr.flush()
    elif time.monotonic() - _last_progress > 15:
        _last_progress = time.monotonic()
        _say(f"Starting vLLM ... {waited:.0f} s")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
