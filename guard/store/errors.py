"""What can go wrong with the store."""

from __future__ import annotations


class StoreError(RuntimeError):
    """The store could not be read or written."""


class NotFound(StoreError):
    """There is no such list, entry or revision."""


class Invalid(StoreError):
    """A value that cannot be stored."""


class Conflict(StoreError):
    """What was to be changed is no longer as the caller last saw it. ``revision``: that it has now, 0 for none."""

    def __init__(self, message: str, revision: int = 0) -> None:
        super().__init__(message)
        self.revision = revision


class InProgress(Conflict):
    """A request with the same idempotency key is still being carried out."""


class KeyReused(Invalid):
    """An idempotency key came with another request than before."""
