"""Whether the audit log is what was written: no event changed, removed, moved, or cut off at the end."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from guard.audit import chained
from guard.schema import AuditHeadRow, AuditRow

BEGINNING = "0" * 64  # what stands for the hash before the first event
_MOST_FAULTS = 100
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the log. ``at`` is in UTC; ``before`` is the hash of the event before, ``hash`` its own."""

    seq: int
    at: datetime
    actor: str
    role: str
    action: str
    target: str
    detail: Mapping[str, Any]
    before: str
    hash: str

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Event:
        """An event as ``told`` told it.

        Raises:
            ValueError: it is not one.
        """
        try:
            texts = {k: str(found[k]) for k in ("actor", "role", "action", "target", "before", "hash")}
            at = datetime.fromisoformat(found["at"]).astimezone(UTC)
            return cls(seq=int(found["seq"]), at=at, detail=dict(found["detail"]), **texts)
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is no event of an audit log: {error}") from error

    def told(self) -> dict[str, Any]:
        """As JSON."""
        told = {k: getattr(self, k) for k in ("seq", "actor", "role", "action", "target", "before", "hash")}
        return told | {"at": self.at.isoformat(timespec="microseconds"), "detail": dict(self.detail)}

    def own_hash(self) -> str:
        """What ``hash`` has to be."""
        return chained(self.before, {k: getattr(self, k) for k in _HASHED})


_HASHED = ("seq", "at", "actor", "role", "action", "target", "detail")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The end of the log at some time, kept where whoever can write to the store cannot: as ``SEQ:HASH``."""

    seq: int
    hash: str

    @classmethod
    def read(cls, text: str) -> Checkpoint:
        """From ``str(checkpoint)``.

        Raises:
            ValueError: it is not one.
        """
        seq, _, digest = text.strip().partition(":")
        if not (seq.isdecimal() and len(seq) < 19 and len(digest) == 64 and set(digest) <= set("0123456789abcdef")):
            raise ValueError("a checkpoint is the number of an event, a colon, and its hash of 64 hexadecimal digits")
        return cls(int(seq), digest)

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and at which event."""

    seq: int
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a check: how many events there are, the last of them, and at most 100 faults."""

    events: int
    end: Checkpoint
    faults: tuple[Fault, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def events(session: Session, *, after: int = 0, limit: int | None = None) -> Iterator[Event]:
    """Events in order, those that follow the number ``after``."""
    query = select(AuditRow).where(AuditRow.seq > after).order_by(AuditRow.seq).limit(limit)
    for row in session.execute(query.execution_options(yield_per=_AT_ONCE)).scalars():
        yield Event(**{k: getattr(row, k) for k in (*_HASHED, "before", "hash")})


def verify(session: Session, checkpoint: Checkpoint | None = None) -> Report:
    """Check the whole log of a store. A ``checkpoint`` from before shows as well whether it was written anew since."""
    begun = head(session)
    report = check((e for e in events(session) if e.seq <= begun.seq), begun, checkpoint)
    last = session.execute(select(func.max(AuditRow.seq))).scalar_one() or 0
    if last > head(session).seq:  # read after it: events may be added meanwhile, and are no fault
        fault = Fault(last, "this event stands behind the end of the log")
        report = Report(report.events, report.end, (*report.faults, fault))
    return report


def head(session: Session) -> Checkpoint:
    """The end of the log."""
    row = session.execute(select(AuditHeadRow.seq, AuditHeadRow.hash).where(AuditHeadRow.id == 1)).one_or_none()
    return Checkpoint(0, "") if row is None else Checkpoint(row[0], row[1])


def check(found: Iterable[Event], end: Checkpoint | None = None, checkpoint: Checkpoint | None = None) -> Report:
    """Check events from the first on. ``end``: where the log says that it ends; None: unknown, as in an export."""
    faults: list[Fault] = []
    last = Checkpoint(0, BEGINNING)
    count = 0
    seen = checkpoint is None or checkpoint.seq == 0
    for event in _readable(found, faults):
        count += 1
        faults += [Fault(event.seq, message) for message in _faults(event, last)]
        if checkpoint is not None and event.seq == checkpoint.seq:
            seen = True
            if not hmac.compare_digest(event.hash, checkpoint.hash):
                faults.append(
                    Fault(event.seq, "this event is another than at the checkpoint: the log was written anew")
                )
        last = Checkpoint(event.seq, event.hash)
    if end is not None and end != last:
        faults.append(Fault(end.seq, f"the log says that it ends with event {end.seq}, and it ends with {last}"))
    if not seen:
        faults.append(Fault(last.seq, f"the log is shorter than at the checkpoint {checkpoint}: its end was cut off"))
    return Report(count, last, tuple(faults[:_MOST_FAULTS]))


def _readable(found: Iterable[Event], faults: list[Fault]) -> Iterator[Event]:
    """The events up to the first that is no longer one."""
    seq = 0
    try:
        for event in found:
            seq = event.seq
            yield event
    except (ValueError, TypeError) as error:
        faults.append(Fault(seq, f"an event after this one cannot be read ({type(error).__name__})"))


def _faults(event: Event, last: Checkpoint) -> list[str]:
    try:
        return list(_wrong(event, last))
    except (ValueError, TypeError) as error:  # a value of another type than was written
        return [f"this event was changed: it cannot be read ({type(error).__name__})"]


def _wrong(event: Event, last: Checkpoint) -> Iterator[str]:
    if event.seq != last.seq + 1:
        yield f"event {last.seq + 1} is missing, or the order is another"
    elif not hmac.compare_digest(event.before, last.hash):
        yield "this event does not follow the one before it: that one was changed or put in"
    if not hmac.compare_digest(event.hash, event.own_hash()):
        yield "this event was changed"
