"""GET /admin/v1/lists/{name}/export: a list's entries as ``import`` takes them, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from guard.csv_entries import header, to_row
from guard.importer import to_line
from guard.store import Page, Store
from server.admin.faults import off_loop
from server.documented import documented
from server.list_name import ListName

_PAGE = 500  # entries
_KINDS = {"jsonl": "application/x-ndjson", "csv": "text/csv"}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": {"type": "string"}} for kind in _KINDS.values()}}
}


def add_export(router: APIRouter, store: Store) -> None:
    """The route."""

    @router.get("/lists/{name}/export", response_class=Response, responses=_ANSWER | documented(404))
    async def export(
        name: ListName, format: Annotated[Literal["jsonl", "csv"], Query(description="JSON lines or CSV")] = "jsonl"
    ) -> Response:
        """The entries as JSON lines or CSV. What changes meanwhile may or may not be in it."""
        first = await off_loop(partial(store.search, name, limit=_PAGE))
        return StreamingResponse(_written(store, name, first, format == "csv"), media_type=_KINDS[format])


async def _written(store: Store, name: str, page: Page, as_csv: bool) -> AsyncIterator[str]:
    if as_csv:
        yield header()
    while True:
        yield "".join(to_row(s.entry) if as_csv else to_line(s.entry) + "\n" for s in page.entries)
        if page.next is None:
            return
        page = await off_loop(partial(store.search, name, limit=_PAGE, after=page.next))
