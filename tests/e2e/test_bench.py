"""The comparison with guards as users run it: the command, a real vLLM, the real proxy, the report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from server.model_files import prepare_model
from server.settings import default_cache

pytestmark = pytest.mark.e2e


def test_guards_are_compared_through_the_real_proxy(tmp_path: Path) -> None:
    folder = prepare_model("smollm2", default_cache(), lambda _: None)
    words = f"bench run --target {folder} --retained {folder} --methods eco,refuse --forget 1 --retain 2 --items 2"
    command = [sys.executable, "-m", "server.cli", *words.split(), "--quiet", "--json"]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, check=True)
    rows = {row["name"]: row for row in json.loads(done.stdout)["outcomes"]}
    assert list(rows) == ["target", "retained", "eco", "refuse"]
    assert not any(row["failed"] for row in rows.values())
    figures = {name: dict(row["figures"]) for name, row in rows.items()}
    for name in ("eco", "refuse"):
        assert figures[name]["unchanged"]["value"] == 1
        assert rows[name]["cost"]["deletion_seconds"] > 0
        assert rows[name]["cost"]["seconds"] > 0
    assert figures["refuse"]["forget_declined"]["value"] == 1
    assert "why" in figures["refuse"]["forget_probability"]
    assert "value" in figures["eco"]["forget_probability"]
    assert {one["action"] for one in rows["eco"]["said"] if one["of"] == "forget"} == {"eco"}
    (page,) = tmp_path.glob("runs/*/report.html")
    assert "Refusal" in page.read_text()
