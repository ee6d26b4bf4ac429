"""Entries on their way into a list that keeps vectors only: their texts are taken before they reach the store."""

from __future__ import annotations

from collections.abc import Sequence

from classifiers.types import DetectorError
from guard.model import Entry
from guard.snapshot import SnapshotManager
from guard.store import Invalid
from guard.vectors_only import OtherEncoder, check_encoder, keep, new_salt


def as_kept(manager: SnapshotManager, name: str, entries: Sequence[Entry]) -> list[Entry]:
    """``entries`` as the list ``name`` stores them: without their texts where it keeps vectors only. Blocking.

    Raises:
        NotFound: there is no such list.
        Invalid: an entry holds vectors of another encoder.
        DetectorError: the encoder failed.
    """
    if manager.store.get_list(name).keep == "vectors":
        return _textless(manager, name, entries)
    try:
        check_encoder(entries, manager.encoder)
    except OtherEncoder as error:
        raise Invalid(str(error)) from error
    manager.prepare(entries)
    return list(entries)


def textless(manager: SnapshotManager, name: str) -> list[Entry] | None:
    """The entries of the list ``name`` without their texts; None where none of them has any. Blocking.

    Raises:
        NotFound: there is no such list.
        Invalid: an entry holds vectors of another encoder.
        DetectorError: the encoder failed.
    """
    held = manager.store.get_entries(name)
    return _textless(manager, name, held) if any(entry.kept is None for entry in held) else None


def _textless(manager: SnapshotManager, name: str, entries: Sequence[Entry]) -> list[Entry]:
    held = manager.current.entries.items()
    salt = next((entry.kept.salt for (own, _), entry in held if own == name and entry.kept), None)
    try:
        return keep(entries, manager.encoder, salt or new_salt())
    except OtherEncoder as error:
        raise Invalid(str(error)) from error
    except (RuntimeError, ValueError, OSError) as error:
        raise DetectorError(f"entries could not be encoded: {error}") from error
