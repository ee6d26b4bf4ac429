"""All routes of the admin API, put together."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from guard.selection import TokenSelectors
from guard.snapshot import SnapshotManager
from server.access.principal import principal_of
from server.admin.changing import Changing, Workers
from server.admin.documents import add_documents
from server.admin.entries import add_entries
from server.admin.exporting import add_export
from server.admin.impact import Impact
from server.admin.importing import add_import
from server.admin.lists import add_lists
from server.admin.revisions import add_revisions
from server.admin.schema import add_schema
from server.calibrating import add_calibrate
from server.checking import add_check
from server.documented import ALWAYS, documented
from server.eco_fitting import Fitting, add_eco
from server.judging import Judge
from server.recent import Recent
from server.replay import add_replay
from server.upstream import Upstream


def admin_router(
    manager: SnapshotManager,
    *,
    max_body_bytes: int,
    judge: Judge | None = None,
    fitting: Fitting | None = None,
    selectors: TokenSelectors | None = None,
    recent: Recent | None = None,
    workers: Workers | None = None,
    upstream: Upstream | None = None,
    documents_by_model: bool = False,
    require_if_match: bool = False,
) -> APIRouter:
    """All routes of the admin API, behind the gate.

    Args:
        manager: the lists.
        max_body_bytes: of a replay.
        judge: the proxy's, for replays, fits and dry runs.
        fitting: what fits of ECO's strength need.
        selectors: token classifiers that lists may name.
        recent: the requests that dry runs try a change on.
        workers: the other processes on the same store.
        upstream: the model server, for documents that it may be shown.
        documents_by_model: whether it may.
        require_if_match: refuse changes without a condition.
    """
    router = APIRouter(
        prefix="/admin/v1", tags=["admin"], dependencies=[Depends(principal_of)], responses=documented(*ALWAYS)
    )
    judge = judge or Judge()
    changing = Changing(manager, Impact(recent or Recent(0), judge), workers, require_if_match)
    add_lists(router, changing, selectors)
    add_entries(router, changing)
    add_import(router, changing)
    add_export(router, manager.store)
    add_documents(router, changing, upstream, by_model=documents_by_model)
    add_revisions(router, changing)
    add_check(router, manager)
    add_calibrate(router, manager)
    add_replay(router, manager, judge, max_body_bytes)
    add_eco(router, fitting or Fitting(manager, judge))
    add_schema(router)
    return router
