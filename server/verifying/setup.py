"""Puts verifications into an application: their routes, their metrics, and the loop that looks at schedules."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from guard.snapshot import SnapshotManager
from guard.verification.signing import Signer
from server.access.roles import TABLE, check_routes
from server.proxy import Proxy
from server.settings import Settings
from server.verifying.alerts import Alerts
from server.verifying.routes import verifying_router
from server.verifying.service import Verifying
from server.verifying.watching import TICK, HeldCollector, Watcher


def signing_key(settings: Settings) -> Signer:
    """The key of ``settings``, else the kept one, else a new one.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no such key.
    """
    if settings.signing_key is not None:
        return Signer.of_file(settings.signing_key, make=False)
    return Signer.of_file(kept_key(settings), make=True)


def kept_key(settings: Settings) -> Path:
    """Where a key is kept that we made."""
    return settings.cache_dir / "signing.key"


def verifying_of(settings: Settings, manager: SnapshotManager, proxy: Proxy) -> Verifying:
    """Verifications as the settings want them.

    Raises:
        OSError: the signing key cannot be read.
        ValueError: it is no such key.
    """
    signer = signing_key(settings)
    webhook = settings.verification_webhook
    alerts = Alerts(signer, webhook.get_secret_value() if webhook else None)
    return Verifying(manager, proxy, signer, alerts, settings.check_answers)


def add_verifying(app: FastAPI, verifying: Verifying, *, tick: float = TICK) -> None:
    """Serve the routes, and look at schedules every ``tick`` seconds as long as the application runs.

    Raises:
        RouteWithoutRole: nobody said whom a route is for.
    """
    watcher = Watcher(verifying, tick)
    router = verifying_router(verifying)
    check_routes(router.routes, TABLE)
    app.include_router(router)
    verifying.proxy.metrics.add(HeldCollector(watcher))
    other = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(served: Any) -> AsyncIterator[Any]:
        async with other(served) as state, watcher.running():
            yield state

    app.router.lifespan_context = lifespan
