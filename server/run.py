"""`letheward serve`: the model, the store, the detector and the proxy, started together and stopped together."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI

from classifiers.registry import create_encoder
from guard.adapters import ADAPTERS, GUARD_MODEL, check_name, vllm_arguments
from guard.eco import Eco
from guard.importer import read_entries
from guard.model import ForgetList
from guard.selection import FOLDER, TokenSelectors
from guard.snapshot import SnapshotManager, Ways
from guard.store import Store
from server import __version__
from server.app import create_app
from server.auth import admin_check
from server.clients import Client
from server.eco_fitting import Fitting
from server.keys import admin_key
from server.logs import configure
from server.managed import ManagedVllm
from server.model_files import prepare_model
from server.proxy import Proxy, ProxyConfig
from server.settings import Settings, default_cache
from server.surfaces import Limits
from server.upstream import Endpoint, Upstream

log = structlog.get_logger("letheward.run")

SAMPLE = Path(__file__).parent.parent / "guard" / "samples" / "sample.jsonl"
SAMPLE_LIST = "sample"


def serve(settings: Settings) -> None:
    """Run until interrupted."""
    configure()
    try:
        asyncio.run(_serve(settings))
    except asyncio.CancelledError:
        raise SystemExit(128 + signal.SIGTERM) from None


async def _serve(settings: Settings) -> None:
    # Until uvicorn listens for it: a model that is starting must not stay behind.
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - this is a coroutine
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    settings.cache_dir.mkdir(parents=True, exist_ok=True)
    managed, endpoint, folder = await asyncio.to_thread(_model, settings)
    manager = await asyncio.to_thread(_lists, settings)
    upstream = Upstream(
        (lambda: endpoint) if endpoint else (lambda: _where(managed)),
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
    )
    app = _app(settings, manager, upstream, await asyncio.to_thread(_eco, settings, folder))
    config = uvicorn.Config(app, host=settings.host, port=settings.port, log_level="warning", timeout_keep_alive=75)
    server = uvicorn.Server(config)
    app.state.stopping = lambda: server.should_exit  # what takes minutes ends then, and goes on later
    try:
        if managed is not None:
            await managed.start(_progress)
            _say("\r\033[Kvllm is up." if sys.stderr.isatty() else "vLLM is up.")
        async with _announced(server, settings, manager):
            await server.serve()
    finally:
        if managed is not None:
            await managed.stop()
        await upstream.close()
        await asyncio.to_thread(manager.close)


def _model(settings: Settings) -> tuple[ManagedVllm | None, Endpoint | None, Path | None]:
    """The managed vLLM or the given upstream, and the folder with the model's tokenizer and weights, if any."""
    if settings.upstream:
        key = settings.upstream_key.get_secret_value() if settings.upstream_key else None
        return None, Endpoint(settings.upstream, key), settings.model_path
    prepared = prepare_model(settings.model, settings.cache_dir, _say)
    managed = ManagedVllm(
        model=str(prepared or settings.model),
        served_name=settings.model,
        log_path=settings.cache_dir / "vllm.log",
        extra_args=[*settings.vllm_args.split(), *_adapter(settings, prepared)],
        startup_timeout=settings.startup_timeout,
    )
    return managed, None, settings.model_path or prepared


def _adapter(settings: Settings, base: Path | None) -> list[str]:
    """What makes the managed vLLM serve the guard's adapter."""
    if not settings.guard_lora:
        return []
    folder = settings.cache_dir.absolute() / ADAPTERS / check_name(settings.guard_lora)
    return vllm_arguments(folder, GUARD_MODEL, base)


def _where(managed: ManagedVllm | None) -> Endpoint | None:
    return Endpoint(managed.base_url, managed.api_key) if managed is not None and managed.ready else None


def _lists(settings: Settings) -> SnapshotManager:
    """The lists in force; an empty store that has never been changed gets the sample list."""
    store = Store.open(settings.store_url)
    manager = SnapshotManager(
        store, create_encoder(settings.encoder),
        Ways(settings.cache_dir, settings.scorer, settings.false_positive_rate, settings.learning),
    )  # fmt: skip
    if settings.sample_list and store.revision() == 0:
        with SAMPLE.open("rb") as lines:
            entries, problems = read_entries(lines, SAMPLE_LIST)
        if problems:
            raise ValueError(f"{SAMPLE}: line {problems[0].line}: {problems[0].message}")
        sample = ForgetList(SAMPLE_LIST, description="five facts that the embedded model knows")
        manager.change(lambda s: s.put_list(sample))
        manager.change(lambda s: s.add_entries(SAMPLE_LIST, entries))
    return manager


def _eco(settings: Settings, folder: Path | None) -> Eco | None:
    """ECO for the model in ``folder``; None, said aloud, where its weights are not at hand."""
    if folder is None:
        log.warning("eco_unavailable", why="no model folder: set --model-path; lists fall back as they are set to")
        return None
    try:
        return Eco(folder, selectors=_selectors(settings))
    except FileNotFoundError as error:
        log.warning("eco_unavailable", why=str(error))
        return None


def _selectors(settings: Settings) -> TokenSelectors:
    return TokenSelectors(settings.cache_dir / FOLDER)


def _app(settings: Settings, manager: SnapshotManager, upstream: Upstream, eco: Eco | None) -> FastAPI:
    if not settings.enforce:
        log.warning("not_enforcing", why="enforce is false: every request passes to the model as it comes")
    key = admin_key(settings)
    is_admin = admin_check(key)
    proxy = Proxy(
        manager,
        upstream,
        eco=eco,
        reveal=is_admin,
        guard_upstream=_guard_upstream(settings),
        config=ProxyConfig(
            enforce=settings.enforce,
            limits=Limits(max_parts=settings.max_parts, max_depth=settings.max_depth),
            max_body_bytes=settings.max_body_bytes,
            on_detector_failure=settings.on_detector_failure,
            detector_workers=settings.detector_workers,
            guard_model=GUARD_MODEL if settings.guard_lora else settings.guard_model,
            hidden_model=GUARD_MODEL if settings.guard_lora else None,
            guard_max_tokens=settings.guard_max_tokens,
            guard_timeout=settings.guard_timeout,
            check_answers=settings.check_answers,
            media=settings.media,
            pace=settings.answer_pace,
        ),
    )
    proxy.prepare()
    clients = [Client(k.get_secret_value()) for k in settings.client_keys]
    clients += [Client(c.key.get_secret_value(), c.name, frozenset(c.may_choose)) for c in settings.clients]
    return create_app(
        proxy=proxy,
        upstream=upstream,
        manager=manager,
        admin_key=key,
        clients=clients,
        is_admin=is_admin,
        max_body_bytes=settings.max_body_bytes,
        metrics_public=settings.metrics_public,
        fitting=Fitting(manager, proxy.judge, upstream, eco, settings.cache_dir / "eco-fits"),
        routes=settings.routes,
        selectors=_selectors(settings),
    )


def _guard_upstream(settings: Settings) -> Upstream | None:
    if not settings.guard_upstream:
        return None
    key = settings.guard_upstream_key.get_secret_value() if settings.guard_upstream_key else None
    endpoint = Endpoint(settings.guard_upstream, key)
    return Upstream(lambda: endpoint, connect_timeout=settings.connect_timeout, read_timeout=settings.read_timeout)


@asynccontextmanager
async def _announced(server: uvicorn.Server, settings: Settings, manager: SnapshotManager) -> AsyncIterator[None]:
    """Print where to point a client as soon as the socket listens."""

    async def announce() -> None:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.05)
        port = server.servers[0].sockets[0].getsockname()[1]
        _say(_banner(settings, port, manager))

    task = asyncio.create_task(announce())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


_WATCHING = """
  ************************************************************************
  *  NOTHING IS ENFORCED: every request goes to the model as it comes,   *
  *  those about a forget list too. What would be done is only logged.   *
  *  Start without --no-enforce (LETHEWARD_ENFORCE=false) to guard.      *
  ************************************************************************
"""


def _banner(settings: Settings, port: int, manager: SnapshotManager) -> str:
    shown = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared, not bound
    url = f"http://{shown}:{port}"
    lists = ", ".join(f"{n} ({item.policy})" for n, item in manager.current.lists.items()) or "none yet"
    own_cache = f"LETHEWARD_CACHE_DIR={settings.cache_dir} " if settings.cache_dir != default_cache() else ""
    model = settings.model if not settings.upstream else f"as served by {settings.upstream}"
    own_keys = " of yours" if settings.client_keys or settings.clients else ""
    doing, warning = ("guards the model", "") if settings.enforce else ("only WATCHES", _WATCHING)
    return f"""
Letheward {__version__} {doing}. Stop it with Ctrl-C.
{warning}
  Point a client at   {url}/v1    (model: {model}, any API key{own_keys})
  Admin key           {admin_key(settings)}
  Forget lists        {lists}

Try, in another terminal:

  {own_cache}.venv/bin/letheward check --url {url} "What is the capital of France?"
"""


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
