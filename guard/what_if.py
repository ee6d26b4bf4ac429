"""The lists as they would be after a change that is not made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from classifiers.scorers import Scorer
from guard.in_force import Snapshot, off, target, thresholds
from guard.model import Entry, ForgetList
from guard.store import Difference, Invalid


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
    return with_differences(snapshot, differences(snapshot, change))


def differences(snapshot: Snapshot, change: Change) -> list[Difference]:
    """What ``change`` would change in ``snapshot``.

    Raises:
        Invalid: an entry that is to be removed is not there.
    """
    name = change.list_name
    missing = [i for i in change.remove if (name, i) not in snapshot.entries]
    if missing:
        raise Invalid(f"no entry {missing[0]!r} in list {name!r}")
    before = snapshot.lists.get(name)
    found = [Difference(name, None, before, replace(before or ForgetList(name), **change.settings))]
    after: dict[str, Entry | None] = dict.fromkeys(change.remove)
    after |= {e.entry_id: e for e in change.add}
    return [*found, *(Difference(name, i, snapshot.entries.get((name, i)), entry) for i, entry in after.items())]


def with_differences(
    snapshot: Snapshot,
    found: Iterable[Difference],
    scorers: Callable[[Iterable[ForgetList]], Mapping[str, Scorer]] | None = None,
) -> Snapshot:
    """``snapshot`` after ``found``, built aside; a list that goes takes its entries along. Blocking.

    Args:
        snapshot: from which to go.
        found: the lists and entries that are not the same afterwards.
        scorers: tells those that lists have of their own (``SnapshotManager.own_scorers``); None: as before.

    Raises:
        DetectorError: the encoder failed.
    """
    lists, entries = dict(snapshot.lists), dict(snapshot.entries)
    added: dict[tuple[str, str], Entry] = {}
    removed: set[tuple[str, str]] = set()
    for item in found:
        if item.entry_id is None:
            lists.pop(item.list_name, None)
            if isinstance(item.after, ForgetList):
                lists[item.list_name] = item.after
            else:
                removed |= {key for key in entries if key[0] == item.list_name}
        elif isinstance(item.after, Entry):
            added[item.list_name, item.entry_id] = item.after
        else:
            removed.add((item.list_name, item.entry_id))
    for key in removed:
        entries.pop(key, None)
    entries.update(added)
    detector = snapshot.detector.changed(
        thresholds(lists.values()),
        added=[target(e) for e in added.values()],
        removed=removed,
        off=off(lists.values()),
        scorers=scorers and scorers(lists.values()),
    )
    return replace(snapshot, lists=MappingProxyType(lists), entries=MappingProxyType(entries), detector=detector)
