"""Lists, entries and differences as the admin API shows them, and as its documentation has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from guard.importer import to_fields
from guard.model import Entry, ForgetList, Policy
from guard.store import Difference, Stored
from server.list_settings import ListSettings, shown


class InForce(BaseModel):
    """With ``?wait=all``: how many workers there are, and those that do not have the change in force yet."""

    workers: int
    behind: list[str]


class ChangedOut(BaseModel):
    """What every change tells."""

    revision: int = Field(description="in force in this worker")
    in_force: InForce | None = None


class ImpactOut(BaseModel):
    """What a change would do to recent requests."""

    requests: int
    flagged_before: int
    flagged_after: int
    newly_flagged: int
    no_longer_flagged: int
    other_action: int = Field(description="requests with which something else would be done")
    samples: list[str] = Field(description="ids of some requests that the change would make a difference to")


class ListOut(ListSettings):
    """A list's settings."""

    name: str


class EntryOut(BaseModel):
    """An entry. Who made and changed it, and when, is null where the store does not know."""

    id: str
    subject: str | None
    aliases: list[str]
    question: str | None
    answer: str | None
    text: str | None
    paraphrases: list[str]
    scope: Literal["subject", "fact"]
    kind: Literal["forget", "allow"]
    action: Policy | None
    sigma: float | None
    template: str | None
    labels: list[str]
    source: str | None
    expires_at: datetime | None
    vectors_only: bool = Field(description="its texts are not stored")


class StoredOut(EntryOut):
    """An entry as it is stored."""

    revision: int | None = Field(description="that last changed it")
    created_at: datetime | None
    created_by: str | None
    updated_at: datetime | None
    updated_by: str | None


class DifferenceOut(BaseModel):
    """A list's settings (``entry`` null) or an entry, before and after; null where it is not there."""

    list_name: str = Field(serialization_alias="list")
    entry: str | None
    before: ListOut | EntryOut | None
    after: ListOut | EntryOut | None
    fields: list[str] = Field(description="that are not the same")


class DryRunOut(BaseModel):
    """What a change would do; ``changes`` are the first 1000 of ``total``."""

    dry_run: Literal[True]
    changes: list[DifferenceOut]
    total: int
    impact: ImpactOut


def entry(item: Entry) -> dict[str, Any]:
    """An entry as ``EntryOut``."""
    said = to_fields(item) | {"vectors_only": item.kept is not None}
    return {name: said.get(name, [] if name in ("aliases", "paraphrases", "labels") else None)
            for name in EntryOut.model_fields} | {"kind": item.kind}  # fmt: skip


def stored(item: Stored) -> dict[str, Any]:
    """An entry as ``StoredOut``."""
    return entry(item.entry) | {
        "revision": item.revision,
        "created_at": _moment(item.created_at),
        "created_by": item.created_by or None,
        "updated_at": _moment(item.updated_at),
        "updated_by": item.updated_by or None,
    }


def difference(item: Difference) -> dict[str, Any]:
    """As ``DifferenceOut``."""
    before, after = _side(item.before), _side(item.after)
    return {
        "list": item.list_name,
        "entry": item.entry_id,
        "before": before,
        "after": after,
        "fields": _changed(before or {}, after or {}),
    }


def _side(value: ForgetList | Entry | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return entry(value) if isinstance(value, Entry) else _plain(shown(value))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
