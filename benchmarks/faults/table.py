"""What a run found, as a table for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.estimate import machine
from benchmarks.faults.case import Found

_COLUMNS = ("fault", "what the client gets", "leaked", "lost", "recovers", "seconds", "")


def write(found: Sequence[Found], folder: Path, order: Sequence[str]) -> None:
    """``faults.md`` and ``faults.json``; cases that were not run now stay as they were, those that are gone go."""
    kept = {each.name: each for each in [*_before(folder / "faults.json"), *found]}
    found = [kept[name] for name in order if name in kept]
    rows = [_row(each) for each in found]
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|" + "---|" * len(_COLUMNS), *rows]
    head = (
        "# Faults\n\nMade by `make faults`. Each case: a change is acknowledged, something breaks, clients ask and "
        "change, it is mended. *leaked*: where the secret, the model server's key or a prompt was seen (by clients, "
        "in the log, by the model server). *lost*: acknowledged changes that are not there afterwards. *recovers*: "
        "seconds from the end of the fault until questions are answered, the list guards and a change is accepted.\n\n"
        f"{machine()}\n\n"
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "faults.md").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    told = {"machine": machine(), "cases": [asdict(each) | {"holds": each.holds} for each in found]}
    (folder / "faults.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def _before(file: Path) -> list[Found]:
    if not file.exists():
        return []
    told = json.loads(file.read_text(encoding="utf-8"))["cases"]
    return [Found(**{k: v for k, v in each.items() if k != "holds"}) for each in told]


def _row(found: Found) -> str:
    if found.left_out:
        return f"| {found.name} | left out: {found.left_out} | | | | | |"
    got = "; ".join(f"{label} ×{count}" for label, count in sorted(found.got.items()))
    state = "holds" if found.holds else "**fails**: " + "; ".join([*found.leaked, *found.wrong])
    cells = (found.name, got, len(found.leaked), found.lost, f"{found.recovers:.1f}", f"{found.seconds:.1f}", state)
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
