"""The registers of faults and of hostile input, on a real proxy: those cases that take seconds."""

from __future__ import annotations

from pathlib import Path

from benchmarks.faults.__main__ import run as break_it
from benchmarks.faults.case import cases as faults
from benchmarks.hostile.__main__ import run as attack_it
from benchmarks.hostile.case import cases as attacks

FAULTS = (
    "malformed",
    "no HTTP",
    "no completion",
    "closed within each event",
    "in single bytes",
    "wrong content length",
)
ATTACKS = (
    "keys twice",
    "depth",
    "encodings",
    "header smuggling",
    "headers without end",
    "path tricks",
    "without a key",
)


async def test_faults_of_the_model_server_tell_nothing_and_lose_nothing(tmp_path: Path) -> None:
    chosen = [case for name, case in faults().items() if any(part in name for part in FAULTS)]
    assert len(chosen) == len(FAULTS)
    found = await break_it(chosen, tmp_path, lambda each: each)
    assert [(each.name, each.leaked, each.lost, each.wrong) for each in found if not each.holds] == []


async def test_hostile_input_reaches_no_model_unjudged(tmp_path: Path) -> None:
    chosen = [name for name in attacks() if any(part in name for part in ATTACKS)]
    assert len(chosen) == len(ATTACKS)
    found = await attack_it(chosen, tmp_path)
    assert [(each.name, each.unjudged, each.wrong) for each in found if not each.holds] == []
