"""What `mkdocs build` fills in: the operations of the admin API, out of its OpenAPI document."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PLACE = "<!-- operations -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the table in its place; mkdocs calls this for every page."""
    return markdown.replace(PLACE, "\n".join(_table(_document()))) if PLACE in markdown else markdown


def _document() -> dict[str, Any]:
    """The document that a proxy serves, of one that is put together and never started."""
    from server.admin.schema import document
    from server.assembly import assemble
    from server.settings import Settings
    from server.upstream import Endpoint, Upstream

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(cache_dir=Path(folder), learning=False, upstream="http://127.0.0.1:1")
        upstream = Upstream(lambda: Endpoint("http://127.0.0.1:1", None), connect_timeout=1, read_timeout=1)
        parts = assemble(settings, upstream, None)
        try:
            return document(parts.app)
        finally:
            parts.workers.stop()
            parts.manager.close()


def _table(told: dict[str, Any]) -> Iterator[str]:
    yield from ("| | | |", "|---|---|---|")
    for path, operations in told["paths"].items():
        if path.startswith("/admin/v1"):
            for method, operation in operations.items():
                about = operation.get("description", "").split("\n")[0].replace("|", "\\|")
                yield f"| `{method.upper()} {path}` | {about} | {', '.join(operation['responses'])} |"
