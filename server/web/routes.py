"""What the page adds to the admin API."""

from __future__ import annotations

from fastapi import APIRouter

from guard.snapshot import SnapshotManager
from server.documented import ALWAYS, documented
from server.proxy import Proxy
from server.web.glance import add_glance
from server.web.live import add_live
from server.web.playground import add_playground


def watching_router(manager: SnapshotManager, proxy: Proxy) -> APIRouter:
    """Routes to look on and to try things."""
    router = APIRouter(prefix="/admin/v1", tags=["page"], responses=documented(*ALWAYS))
    add_glance(router, manager, proxy.metrics)
    add_live(router, proxy.live)
    add_playground(router, manager, proxy)
    return router
