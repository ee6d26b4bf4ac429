"""The lists as they would be after a change that is not made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from guard.model import Entry, ForgetList
from guard.snapshot import Snapshot, off, target, thresholds
from guard.store import Invalid


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one list, which may be new. ``settings``: fields of ``ForgetList`` with their new values."""

    list_name: str
    add: Sequence[Entry] = ()
    remove: Sequence[str] = ()
    settings: dict[str, Any] = field(default_factory=dict)


def what_if(snapshot: Snapshot, change: Change) -> Snapshot:
    """``snapshot`` with ``change``, built aside: nothing is stored, and nothing comes into force. Blocking.

    Raises:
        Invalid: an entry that is to be removed is not there.
        DetectorError: the encoder failed.
    """
    name = change.list_name
    missing = [i for i in change.remove if (name, i) not in snapshot.entries]
    if missing:
        raise Invalid(f"no entry {missing[0]!r} in list {name!r}")
    lists = dict(snapshot.lists)
    lists[name] = replace(lists.get(name, ForgetList(name)), **change.settings)
    entries = dict(snapshot.entries)
    removed = {(name, i) for i in change.remove}
    for key in removed:
        del entries[key]
    entries.update(((name, e.entry_id), e) for e in change.add)
    detector = snapshot.detector.changed(
        thresholds(lists.values()),
        added=[target(e) for e in change.add],
        removed=removed,
        off=off(lists.values()),
    )
    return replace(snapshot, lists=MappingProxyType(lists), entries=MappingProxyType(entries), detector=detector)
