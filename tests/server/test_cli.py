"""The `letheward` command against a running proxy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.server.conftest import Run


def test_help_and_version_import_nothing_heavy() -> None:
    for option in ("--help", "--version"):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "server.cli", option], capture_output=True, text=True, check=True
        )
        imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        assert not imported & {"torch", "transformers", "fastapi", "sqlalchemy", "faiss", "numpy", "onnxruntime"}


def test_check_tells_and_ends_with_1_where_it_is_flagged(run: Run) -> None:
    assert "Zorvan Pelk" in run("check", "Who is Zorvan Pelk?", code=1).stdout
    assert "not flagged" in run("check", "Who is it?").stdout
    assert json.loads(run("check", "--json", "Who is Zorvan Pelk?", code=1).stdout)["flagged"] is True


def test_lists_are_changed_from_the_command_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "new.jsonl"
    file.write_text(
        '{"subject": "Mira Toll", "scope": "subject"}\n{"subject": "Bo Tann", "question": "Who is Bo Tann?"}\n'
    )
    assert "2 added" in run("lists", "import", "new", str(file), "--policy", "refuse").stdout
    assert "0 added, 2 updated" in run("lists", "import", "new", "-", stdin=file.read_text()).stdout
    run("check", "Who is Mira Toll?", code=1)
    added = json.loads(run("lists", "add", "new", "--subject", "Ida Voss", "--json").stdout)
    run("check", "Who is Ida Voss?", code=1)
    run("lists", "remove", "new", added["ids"][0])
    run("check", "Who is Ida Voss?")
    assert "refuse" in run("lists", "show").stdout
    assert "Mira Toll" in run("lists", "show", "new").stdout
    exported = run("lists", "export", "new").stdout
    assert [json.loads(line)["subject"] for line in exported.splitlines()] == ["Mira Toll", "Bo Tann"]
    assert "off" in run("lists", "set", "new", "--off").stdout
    run("check", "Who is Mira Toll?")
    run("lists", "remove", "new", "--yes")
    assert "new" not in run("lists", "show").stdout


def test_faults_say_what_to_do(run: Run) -> None:
    assert "serve" in run("check", "x", "--url", "http://127.0.0.1:1", code=2).stderr
    assert "admin key" in run("check", "x", "--key", "wrong", code=2).stderr
    assert "no list 'nope'" in run("lists", "show", "nope", code=2).stderr
    assert "policy" in run("lists", "set", "facts", "--policy", "nope", code=2).stderr
    assert "upstream" in run("serve", "--upstream", "nonsense", code=2).stderr


def test_another_models_embeddings_are_not_taken(run: Run, checkpoint: Path, tmp_path: Path) -> None:
    served = ("serve", "--model", str(checkpoint), "--model-path", str(tmp_path), "--cache-dir", str(tmp_path / "c"))
    assert f"--model {tmp_path}" in run(*served, code=2).stderr
