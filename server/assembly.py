"""One process's parts put together: the lists in force, the guards, the upstreams, and the application over them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog
from fastapi import FastAPI

from classifiers.registry import create_encoder
from guard.adapters import GUARD_MODEL
from guard.eco import Eco
from guard.selection import FOLDER, TokenSelectors
from guard.snapshot import SnapshotManager, Ways
from guard.store import Store
from server.access.principal import reveals
from server.access.setup import access_config
from server.app import create_app
from server.eco_fitting import Fitting
from server.keys import admin_key
from server.proxy import Proxy, ProxyConfig
from server.settings import Settings
from server.surfaces import Limits
from server.upstream import Endpoint, Upstream
from server.upstream_pool import PoolCollector

log = structlog.get_logger("letheward.assembly")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a process serves with, and has to close."""

    app: FastAPI
    manager: SnapshotManager
    upstreams: tuple[Upstream, ...]

    async def close(self) -> None:
        """Close the connections to the model servers; the lists are closed by ``manager.close``, which blocks."""
        for upstream in self.upstreams:
            await upstream.close()


def assemble(settings: Settings, upstream: Upstream, folder: Path | None) -> Parts:
    """All parts. ``folder``: the served model's tokenizer and weights. Blocking.

    Raises:
        StoreError: the lists cannot be read.
        ValueError: a setting names what is not there.
    """
    manager = SnapshotManager(
        Store.open(settings.store_url),
        create_encoder(settings.encoder),
        Ways(settings.cache_dir, settings.scorer, settings.false_positive_rate, settings.learning),
    )
    eco = _eco(settings, folder)
    guard = _guard_upstream(settings)
    app = _app(settings, manager, upstream, guard, eco)
    return Parts(app, manager, (upstream,) if guard is None else (upstream, guard))


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
    settings: Settings, manager: SnapshotManager, upstream: Upstream, guard: Upstream | None, eco: Eco | None
) -> FastAPI:
    if not settings.enforce:
        log.warning("not_enforcing", why="enforce is false: every request passes to the model as it comes")
    proxy = Proxy(manager, upstream, eco=eco, reveal=reveals, guard_upstream=guard, config=_proxy_config(settings))
    proxy.metrics.add(PoolCollector(upstream.pool))
    proxy.prepare()
    return create_app(
        proxy=proxy,
        upstream=upstream,
        manager=manager,
        access=access_config(settings, admin_key(settings)),
        max_body_bytes=settings.max_body_bytes,
        metrics_public=settings.metrics_public,
        fitting=Fitting(manager, proxy.judge, upstream, eco, settings.cache_dir / "eco-fits"),
        routes=settings.routes,
        selectors=_selectors(settings),
    )


def _proxy_config(settings: Settings) -> ProxyConfig:
    return ProxyConfig(
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
    )


def _guard_upstream(settings: Settings) -> Upstream | None:
    if not settings.guard_upstream:
        return None
    key = settings.guard_upstream_key.get_secret_value() if settings.guard_upstream_key else None
    endpoint = Endpoint(settings.guard_upstream, key)
    return Upstream(lambda: endpoint, connect_timeout=settings.connect_timeout, read_timeout=settings.read_timeout)
