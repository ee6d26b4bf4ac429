"""The forget lists in force at one moment, as one frozen value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from classifiers.calibrate import DEFAULT_TARGET, Calibration
from classifiers.detector import Detector
from classifiers.types import Target
from guard.model import EcoFit, Entry, ForgetList
from guard.vectors_only import textless, whole_target


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one request is judged by, from beginning to end."""

    revision: int
    lists: Mapping[str, ForgetList]
    entries: Mapping[tuple[str, str], Entry]  # by (list, id)
    detector: Detector
    calibrations: Mapping[str, Calibration] = field(default_factory=lambda: MappingProxyType({}))  # by list
    fits: Mapping[tuple[str, str], EcoFit] = field(default_factory=lambda: MappingProxyType({}))  # by (list, model)


@dataclass(frozen=True, slots=True)
class Ways:
    """How the detector of every snapshot is to work.

    ``folder`` keeps vectors, the static embedding and trained classifiers between runs; ``learning``: fit the head
    and calibrate thresholds in the background after changes. ``shared``: other processes do the same in ``folder``.
    ``max_age``: seconds without the store after which what is in force counts no more; None: never.
    """

    folder: Path | None = None
    scorer: str = "head"
    false_positive_rate: float = DEFAULT_TARGET
    learning: bool = False
    shared: bool = False
    max_age: float | None = None

    @property
    def classifiers(self) -> Path | None:
        """Where trained classifiers are."""
        return self.folder / "classifiers" if self.folder else None


def snapshot_of(
    revision: int,
    lists: tuple[ForgetList, ...],
    entries: dict[tuple[str, str], Entry],
    detector: Detector,
    fits: tuple[EcoFit, ...],
) -> Snapshot:
    """A snapshot of what the store holds, with lists by name and fits by list and model."""
    by_name = {item.name: item for item in lists}
    by_model = {(fit.list_name, fit.model): fit for fit in fits}
    return Snapshot(
        revision, MappingProxyType(by_name), MappingProxyType(entries), detector, fits=MappingProxyType(by_model)
    )


def thresholds(lists: Iterable[ForgetList]) -> dict[str, float | None]:
    """What the operator gave, by list."""
    return {item.name: item.threshold for item in lists}


def off(lists: Iterable[ForgetList]) -> frozenset[str]:
    """The lists that are not in force."""
    return frozenset(item.name for item in lists if not item.enabled)


def target(entry: Entry) -> Target:
    """What the detector needs of an entry."""
    if entry.kept is not None:
        return Target(
            entry.list_name, entry.entry_id, (), (), entry.scope, entry.kind == "allow", textless=textless(entry.kept)
        )
    return whole_target(entry)
