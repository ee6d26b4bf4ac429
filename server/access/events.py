"""What is told to the audit log beside changes of lists."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from guard import audit
from guard.model import By
from guard.store import Store


def note(store: Store, by: By, action: str, target: str, detail: Mapping[str, Any] | None = None) -> None:
    """Add an event of its own. Blocking.

    Raises:
        StoreError: it could not be written.
    """
    with store.writing() as session:
        audit.append(session, at=datetime.now(UTC), by=by, action=action, target=target, detail=detail)
