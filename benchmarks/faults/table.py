"""What a run found, as a table for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, TypeVar

from benchmarks.estimate import machine
from benchmarks.faults.case import Found

_COLUMNS = ("fault", "what the client gets", "leaked", "lost", "recovers", "seconds", "")


def write(found: Sequence[Found], folder: Path, order: Sequence[str]) -> None:
    """``faults.md`` and ``faults.json``; cases that were not run now stay as they were, those that are gone go."""
    found = together(folder / "faults.json", Found, found, order)
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|" + "---|" * len(_COLUMNS), *map(_row, found)]
    head = (
        "# Faults\n\nMade by `make faults`. Each case: a change is acknowledged, something breaks, clients ask and "
        "change, it is mended. *leaked*: where the secret, the model server's key or a prompt was seen (by clients, "
        "in the log, by the model server). *lost*: acknowledged changes that are not there afterwards. *recovers*: "
        "seconds from the end of the fault until questions are answered, the list guards and a change is accepted.\n\n"
    )
    save(folder / "faults.json", head, lines, found)


class Result(Protocol):
    """What a case came to: a dataclass."""

    @property
    def name(self) -> str:
        """The case's."""
        ...

    @property
    def holds(self) -> bool:
        """Whether all is as it should be."""
        ...


R = TypeVar("R", bound=Result)


def together(file: Path, kind: Callable[..., R], found: Sequence[R], order: Collection[str]) -> list[R]:
    """``found`` and, of cases that were not run now, what ``file`` has; those that are in ``order``, in that order."""
    cases = json.loads(file.read_text(encoding="utf-8"))["cases"] if file.exists() else []
    before = [kind(**{k: v for k, v in each.items() if k != "holds"}) for each in cases]
    kept = {each.name: each for each in [*before, *found]}
    return [kept[name] for name in order if name in kept]


def save(file: Path, head: str, lines: Sequence[str], found: Sequence[Any]) -> None:
    """``found`` as JSON in ``file``, and beside it a page of ``head``, the machine and the table's ``lines``."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.with_suffix(".md").write_text(f"{head}{machine()}\n\n" + "\n".join(lines) + "\n", encoding="utf-8")
    told = {"machine": machine(), "cases": [asdict(each) | {"holds": each.holds} for each in found]}
    file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def _row(found: Found) -> str:
    if found.left_out:
        return f"| {found.name} | left out: {found.left_out} | | | | | |"
    got = "; ".join(f"{label} ×{count}" for label, count in sorted(found.got.items()))
    state = "holds" if found.holds else "**fails**: " + "; ".join([*found.leaked, *found.wrong])
    cells = (found.name, got, len(found.leaked), found.lost, f"{found.recovers:.1f}", f"{found.seconds:.1f}", state)
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
