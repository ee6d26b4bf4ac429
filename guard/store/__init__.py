"""The forget-list store: lists, entries, their history, and what else a service keeps in its database."""

from guard.store.change import Change
from guard.store.errors import Conflict, InProgress, Invalid, KeyReused, NotFound, StoreError
from guard.store.looking import Looked, look
from guard.store.store import Store
from guard.store.values import (
    Added,
    Changes,
    Contents,
    Difference,
    Done,
    Page,
    Removed,
    RevisionInfo,
    Stored,
    StoredList,
)

__all__ = [
    "Added", "Change", "Changes", "Conflict", "Contents", "Difference", "Done", "InProgress", "Invalid", "KeyReused",
    "Looked", "NotFound", "Page", "Removed", "RevisionInfo", "Store", "StoreError", "Stored", "StoredList", "look",
]  # fmt: skip
