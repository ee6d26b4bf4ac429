"""`letheward serve`: the model, the store, the detector and the proxy, started together and stopped together."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI

from classifiers.registry import create_encoder
from guard.eco import Eco
from guard.importer import read_entries
from guard.model import ForgetList
from guard.snapshot import SnapshotManager
from guard.store import Store
from server.app import create_app
from server.auth import admin_check
from server.logs import configure
from server.managed import ManagedVllm
from server.model_files import prepare_model
from server.proxy import Proxy, ProxyConfig
from server.settings import Settings
from server.surfaces import Limits
from server.upstream import Endpoint, Upstream

log = structlog.get_logger("letheward.run")

SAMPLE = Path(__file__).parent.parent / "guard" / "samples" / "sample.jsonl"
SAMPLE_LIST = "sample"


def serve(settings: Settings) -> None:
    """Run until interrupted."""
    configure()
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    settings.cache_dir.mkdir(parents=True, exist_ok=True)
    managed, endpoint, folder = _model(settings)
    manager, added = await asyncio.to_thread(_lists, settings)
    upstream = Upstream(
        (lambda: endpoint) if endpoint else (lambda: _where(managed)),
        connect_timeout=settings.connect_timeout, read_timeout=settings.read_timeout,
    )
    app = _app(settings, manager, upstream, await asyncio.to_thread(_eco, folder))
    server = uvicorn.Server(
        uvicorn.Config(app, host=settings.host, port=settings.port, log_level="warning", timeout_keep_alive=75)
    )
    try:
        if managed is not None:
            await _start(managed, settings)
        async with _announced(server, settings, added):
            await server.serve()
    finally:
        if managed is not None:
            await managed.stop()
        await upstream.close()


def _model(settings: Settings) -> tuple[ManagedVllm | None, Endpoint | None, Path | None]:
    """The managed vLLM or the given upstream, and the folder with the model's tokenizer and weights, if any."""
    if settings.upstream:
        key = settings.upstream_key.get_secret_value() if settings.upstream_key else None
        folder = settings.model_path or (Path(settings.model) if Path(settings.model).is_dir() else None)
        if folder is None and settings.model == "smollm2":
            folder = prepare_model(settings.model, settings.cache_dir, _say)
        return None, Endpoint(settings.upstream, key), folder
    prepared = prepare_model(settings.model, settings.cache_dir, _say)
    managed = ManagedVllm(
        model=str(prepared or settings.model),
        served_name=settings.model,
        log_path=settings.cache_dir / "vllm.log",
        extra_args=settings.vllm_args.split(),
        startup_timeout=settings.startup_timeout,
    )
    return managed, None, settings.model_path or prepared


def _where(managed: ManagedVllm | None) -> Endpoint | None:
    return Endpoint(managed.base_url, managed.api_key) if managed is not None and managed.ready else None
