"""Between rows of the store and values, sealed where there are keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from guard.model import EcoFit, Entry, Example, ForgetList, Kept
from guard.schema import ListRow
from guard.sealing import Sealing
from guard.store.values import Stored

SEALED_TEXTS = ("guideline", "refusal", "description", "template")  # of a list
_COLUMNS = tuple(f.name for f in fields(ForgetList))
_TUPLES = ("aliases", "paraphrases", "labels")
_DEFAULTS = {f.name: f.default if f.default is not MISSING else () for f in fields(Entry)}
_BODY = tuple(f.name for f in fields(Entry) if f.name not in ("entry_id", "list_name", "expires_at"))


@dataclass(frozen=True, slots=True)
class Record:
    """All that a row of entries holds beside the revision and who changed it last."""

    entry: Entry
    position: int
    created_at: datetime | None
    created_by: str

    def as_json(self) -> dict[str, Any]:
        """For a diff."""
        return {
            "body": body(self.entry), "expires_at": _iso(self.entry.expires_at), "position": self.position,
            "created_at": _iso(self.created_at), "created_by": self.created_by,
        }  # fmt: skip

    @classmethod
    def of(cls, list_name: str, entry_id: str, value: Mapping[str, Any]) -> Record:
        """What ``as_json`` gave."""
        entry = entry_of(list_name, entry_id, value["body"], _moment(value["expires_at"]))
        return cls(entry, value["position"], _moment(value["created_at"]), value["created_by"])


class Coding:
    """Reads and writes rows with one set of keys."""

    def __init__(self, sealing: Sealing) -> None:
        self.sealing = sealing

    def list_columns(self, item: ForgetList) -> dict[str, Any]:
        """A list as its row has it."""
        values = {name: getattr(item, name) for name in _COLUMNS}
        for name in SEALED_TEXTS:
            if values[name] is not None:
                values[name] = self.sealing.seal_text(values[name], "lists", item.name, name)
        values |= {key: list(values[key]) for key in ("models", "tenants")}
        values["examples"] = self.examples(item.name, [asdict(e) for e in item.examples])
        return values

    def examples(self, name: str, clear: list[dict[str, str]]) -> list[dict[str, Any]]:
        """A list's examples as its row has them."""
        if not (self.sealing.on and clear):
            return list(clear)
        return [self.sealing.seal({"examples": clear}, "lists", name, "examples")]

    def opened_examples(self, name: str, kept: list[dict[str, Any]] | None) -> list[dict[str, str]]:
        """What ``examples`` was given."""
        if not kept or kept[0].keys() != {"sealed"}:
            return kept or []
        opened: list[dict[str, str]] = self.sealing.open(kept[0], "lists", name, "examples")["examples"]
        return opened

    def forget_list(self, row: ListRow) -> ForgetList:
        """A row as a list."""
        values = {name: getattr(row, name) for name in _COLUMNS}
        for name in SEALED_TEXTS:
            if values[name] is not None:
                values[name] = self.sealing.open_text(values[name], "lists", row.name, name)
        values["examples"] = self.opened_examples(row.name, values["examples"])
        return list_of(values)

    def body(self, entry: Entry) -> dict[str, Any]:
        """An entry's body as its row has it."""
        return self.sealing.seal(body(entry), "entries", entry.list_name, entry.entry_id)

    def entry(self, row: RowMapping) -> Entry:
        """A row as an entry."""
        name, entry_id = row["list_name"], row["entry_id"]
        opened = self.sealing.open(row["body"], "entries", name, entry_id)
        return entry_of(name, entry_id, opened, row["expires_at"])

    def stored(self, row: RowMapping) -> Stored:
        """A row as an entry with all about it."""
        return Stored(
            self.entry(row), row["revision"], row["created_at"], row["created_by"], row["updated_at"], row["updated_by"]
        )

    def record(self, row: RowMapping) -> Record:
        """A row as what a diff keeps of it."""
        return Record(self.entry(row), row["position"], row["created_at"], row["created_by"])

    def diff(self, value: Mapping[str, Any] | None, *where: str) -> dict[str, Any] | None:
        """One side of a diff as its row has it."""
        return None if value is None else self.sealing.seal(value, "diffs", *where)

    def opened_diff(self, value: Mapping[str, Any] | None, *where: str) -> dict[str, Any] | None:
        """What ``diff`` was given."""
        return None if value is None else self.sealing.open(value, "diffs", *where)


def list_json(item: ForgetList) -> dict[str, Any]:
    """A list's settings for a diff."""
    return {name: getattr(item, name) for name in _COLUMNS} | {"examples": [asdict(e) for e in item.examples]}


def list_of(values: Mapping[str, Any]) -> ForgetList:
    """What ``list_json`` gave; a setting that did not exist yet gets its default."""
    known = {name: values[name] for name in _COLUMNS if name in values}
    known |= {key: tuple(known.get(key) or ()) for key in ("models", "tenants")}
    known["examples"] = tuple(Example(**e) for e in known.get("examples") or ())
    return ForgetList(**known)


def body(entry: Entry) -> dict[str, Any]:
    """What an entry says beside its keys and its expiry, without what is as by default."""
    said = {name: value for name in _BODY if (value := getattr(entry, name)) != _DEFAULTS[name]}
    if entry.kept is not None:
        said["kept"] = asdict(entry.kept)
    return {key: list(value) if isinstance(value, tuple) else value for key, value in said.items()}


def entry_of(list_name: str, entry_id: str, said: Mapping[str, Any], expires_at: datetime | None) -> Entry:
    """The entry of which ``body`` gave ``said``."""
    values = dict(said)
    for key in _TUPLES:
        values[key] = tuple(values.get(key) or ())
    if values.get("kept"):
        kept = values["kept"]
        values["kept"] = Kept(**kept | {key: tuple(kept[key]) for key in ("vectors", "names", "values")})
    return Entry(entry_id=entry_id, list_name=list_name, expires_at=expires_at, **values)


def fit_body(fit: EcoFit) -> dict[str, Any]:
    """A fit as its row has it."""
    return {k: v for k, v in asdict(fit).items() if k not in ("list_name", "model")}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
