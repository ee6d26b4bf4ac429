"""scripts/audit.py: "nothing found" is told apart from "nobody could be asked"."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "audit.py"
SOUND = '{"name": "httpx", "version": "1", "vulns": []}'
FAULTY = '{"name": "jinja2", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}'
UNKNOWN = '{"name": "numpy", "skip_reason": "not found"}'
OWN = '{"name": "letheward", "skip_reason": "not found"}'


@pytest.mark.parametrize(
    ("told", "code", "said"),
    [
        (f'{{"dependencies": [{SOUND}, {OWN}]}}', 0, "1 packages looked up, 0 known faults"),
        (f'{{"dependencies": [{SOUND}, {FAULTY}]}}', 1, "jinja2 2: CVE-1, mended in 3"),
        (f'{{"dependencies": [{SOUND}, {UNKNOWN}]}}', 2, "NOT AUDITED: 1 of 2"),
        (f'{{"dependencies": [{FAULTY}, {UNKNOWN}]}}', 1, "NOT AUDITED: 1 of 2"),
        (f'{{"dependencies": [{OWN}]}}', 2, "0 packages looked up"),
        ("", 2, "cannot be reached"),
    ],
)  # fmt: skip
def test_what_was_not_looked_at_is_no_clean_bill(tmp_path: Path, told: str, code: int, said: str) -> None:
    (tmp_path / "pip_audit.py").write_text(f"print({told!r})")  # in the real one's place
    done = subprocess.run(
        [sys.executable, SCRIPT, "folder"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr
