"""The measurements of a whole deployment, small: real proxies of several workers on a real Postgres."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("postgres")


def _run(module: str, file: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", f"benchmarks.{module}", *options, "--json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_requests_go_on_while_postgres_is_away_and_changes_are_refused(tmp_path: Path) -> None:
    found = _run("outage", tmp_path / "out.json", "--seconds", "3", "--around", "1", "--proxies", "2", "--workers", "1")
    before, away, after = found["phases"]
    assert [p["wrong"] for p in found["phases"]] == [{}, {}, {}]
    assert min(away["guarded"], away["others"]) > 0
    assert set(before["changes"]) == set(after["changes"]) == {"200"}
    assert set(away["changes"]) == {"503 store_failed"}


def test_a_change_reaches_every_worker(tmp_path: Path) -> None:
    found = _run("propagation", tmp_path / "out.json", "--proxies", "2", "--workers", "1", "--changes", "3")
    assert [f["n"] for f in found["figures"]] == [3, 3, 3, 3]


def test_an_import_drops_no_stream(tmp_path: Path) -> None:
    found = _run("import_load", tmp_path / "out.json", "--entries", "600", "--workers", "2", "--seconds", "2")
    assert [p["dropped"] for p in found["phases"]] == [0, 0, 0]
    assert min(p["requests"] for p in found["phases"]) > 0
