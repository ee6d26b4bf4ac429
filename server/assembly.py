"""One process's parts put together: the lists in force, the guards, the upstreams, and the application over them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from fastapi import FastAPI

from classifiers.registry import create_encoder
from guard.adapters import GUARD_MODEL
from guard.eco import Eco
from guard.in_force import Ways
from guard.sealing import Sealing
from guard.selection import FOLDER, TokenSelectors
from guard.snapshot import SnapshotManager
from server.access.admission import Capacity
from server.access.principal import reveals
from server.access.setup import access_config
from server.app import create_app
from server.conversations import Conversations
from server.eco_fitting import Fitting
from server.gathering import Gathering
from server.hot import hot_settings
from server.keys import admin_key
from server.metrics import Metrics
from server.opening import open_store
from server.proxy import Proxy, ProxyConfig
from server.reloading import Hot
from server.settings import Settings
from server.settling import Settling
from server.shelf import Shelf
from server.surfaces import Limits
from server.tracing import NO_TRACING, Tracing
from server.upstream import Endpoint, Upstream
from server.upstream_pool import PoolCollector
from server.verifying import add_verifying, verifying_of
from server.workers import AWAY, Workers

log = structlog.get_logger("letheward.assembly")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a process serves with, and has to close."""

    app: FastAPI
    manager: SnapshotManager
    workers: Workers
    upstreams: tuple[Upstream, ...]
    proxy: Proxy
    settling: Settling

    def hot(self, settings: Settings) -> Sequence[Hot]:
        """What of the settings can change while this runs. ``settings``: those that it was made with."""
        key = admin_key(settings)
        return hot_settings(
            self.proxy, self.manager, self.app.state.access,
            proxy_config=_proxy_config, access_config=lambda changed: access_config(changed, key),
        )  # fmt: skip

    async def close(self) -> None:
        """Sign off, and close every connection."""
        await asyncio.to_thread(self.proxy.metrics.close)
        await asyncio.to_thread(self.proxy.tracing.close)
        for upstream in self.upstreams:
            await upstream.close()
        await asyncio.to_thread(self.workers.stop)
        await asyncio.to_thread(self.manager.close)


@dataclass(frozen=True, slots=True)
class Shared:
    """What the workers of one server share: a folder for their metrics, and 32 random bytes that nobody keeps."""

    metrics: Path | None = None
    secret: bytes = b""


def assemble(
    settings: Settings, upstream: Upstream, folder: Path | None, name: str | None = None, shared: Shared | None = None
) -> Parts:
    """All parts. ``folder``: the served model's tokenizer and weights; ``name``: the worker's. Blocking.

    Raises:
        StoreError: the lists cannot be read.
        ValueError: a setting names what is not there.
    """
    shared = shared or Shared()
    manager = SnapshotManager(
        open_store(settings),
        create_encoder(settings.encoder),
        Ways(
            settings.cache_dir, settings.scorer, settings.false_positive_rate, settings.learning,
            shared=settings.workers > 1, max_age=settings.max_snapshot_age,
        ),
    )  # fmt: skip
    workers = Workers(manager, name)
    eco = _eco(settings, folder)
    guard = _guard_upstream(settings)
    gathering = Gathering(shared.metrics) if shared.metrics else None
    proxy = Proxy(
        manager, upstream, eco=eco, reveal=reveals, guard_upstream=guard, config=_proxy_config(settings),
        metrics=Metrics(manager, enforcing=settings.enforce, gathering=gathering),
        tracing=_tracing(settings),
        responses=_conversations(settings, manager, workers, shared.secret),
    )  # fmt: skip
    app = _app(settings, manager, workers, upstream, proxy, eco)
    manager.busy = lambda: proxy.admission.open > 0
    settling = Settling()
    settling()  # while nobody waits
    manager.before(settling)  # after what else is made before a snapshot is in force
    return Parts(app, manager, workers, (upstream,) if guard is None else (upstream, guard), proxy, settling)


def _conversations(settings: Settings, manager: SnapshotManager, workers: Workers, secret: bytes) -> Conversations:
    """What `/v1/responses` keeps: in the store where several workers are to know it.

    Raises:
        ValueError: it is to be shared, and there is no key that others have.
    """
    sealing = manager.store.sealing
    if not sealing.on and settings.workers > 1:
        sealing = Sealing([secret])
    wanted = sealing.on if settings.share_responses is None else settings.share_responses
    alone = settings.workers == 1 and settings.store_url.startswith("sqlite")
    if not wanted or (alone and settings.share_responses is None):
        return Conversations()
    if not sealing.on:
        raise ValueError("share_responses needs store_keys, which all replicas have: `letheward store new-key`")
    shelf = Shelf(manager.store, sealing)
    workers.chores.append(shelf.tidy)
    return Conversations(shelf=shelf, away=lambda: manager.age > AWAY)


def _tracing(settings: Settings) -> Tracing:
    """Traces, where they are switched on.

    Raises:
        RuntimeError: what makes them is not installed.
    """
    if settings.traces_endpoint is None:
        return NO_TRACING
    try:
        from server.tracing_otel import to_collector
    except ImportError as error:
        raise RuntimeError(f"traces need the extra 'otel': pip install 'letheward[otel]' ({error.name})") from error
    return to_collector(settings.traces_endpoint, settings.traces_sampling)


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


def _app(
    settings: Settings, manager: SnapshotManager, workers: Workers, upstream: Upstream, proxy: Proxy, eco: Eco | None
) -> FastAPI:
    if not settings.enforce:
        log.warning("not_enforcing", why="enforce is false: every request passes to the model as it comes")
    proxy.metrics.add(PoolCollector(upstream.pool))
    proxy.prepare(manager.current)
    manager.before(proxy.prepare)
    app = create_app(
        proxy=proxy,
        upstream=upstream,
        manager=manager,
        access=access_config(settings, admin_key(settings)),
        max_body_bytes=settings.max_body_bytes,
        metrics_public=settings.metrics_public,
        fitting=Fitting(manager, proxy.judge, upstream, eco, settings.cache_dir / "eco-fits"),
        routes=settings.routes,
        selectors=_selectors(settings),
        workers=workers,
        documents_by_model=settings.documents_by_model,
        require_if_match=settings.require_if_match,
    )
    add_verifying(app, verifying_of(settings, manager, proxy))
    return app


def _proxy_config(settings: Settings) -> ProxyConfig:
    return ProxyConfig(
        enforce=settings.enforce,
        limits=Limits(max_parts=settings.max_parts, max_depth=settings.max_depth),
        max_body_bytes=settings.max_body_bytes,
        on_detector_failure=settings.on_detector_failure,
        detector_workers=settings.detector_workers,
        capacity=Capacity(settings.max_concurrent_requests, settings.max_waiting_requests),
        guard_model=GUARD_MODEL if settings.guard_lora else settings.guard_model,
        hidden_model=GUARD_MODEL if settings.guard_lora else None,
        guard_max_tokens=settings.guard_max_tokens,
        guard_timeout=settings.guard_timeout,
        check_answers=settings.check_answers,
        media=settings.media,
        pace=settings.answer_pace,
        log_texts_of=tuple(settings.log_texts_of),
        remembered_texts=settings.remembered_texts,
        recent_requests=settings.recent_requests,
    )


def _guard_upstream(settings: Settings) -> Upstream | None:
    if not settings.guard_upstream:
        return None
    key = settings.guard_upstream_key.get_secret_value() if settings.guard_upstream_key else None
    endpoint = Endpoint(settings.guard_upstream, key)
    return Upstream(lambda: endpoint, connect_timeout=settings.connect_timeout, read_timeout=settings.read_timeout)
