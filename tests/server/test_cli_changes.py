"""The commands that change lists, from a file of entries to the way back."""

from __future__ import annotations

import json
from pathlib import Path

from tests.server.conftest import House, Run


def test_a_list_by_commands_from_import_to_rollback(run: Run, house: House, tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    file.write_text('{"id": "mt", "subject": "Mira Toll", "scope": "subject"}\nnonsense\n')
    assert "line 2" in run("import", "people", str(file), code=2).stderr
    tried = run("import", "facts", str(file), "--skip", "--dry-run").stdout
    assert "1 changes, none of which was made" in tried
    assert "+ facts/mt  [Mira Toll]" in tried
    done = run("import", "people", str(file), "--skip", "--reason", "case 7")
    assert "people: 1 added, 0 updated (revision 4)" in done.stdout
    assert "line 2: not a JSON object" in done.stderr
    assert "mt  [Mira Toll]" in run("entries", "search", "people", "toll").stdout
    run("entries", "set", "people", "mt", "--label", "gdpr", "--action", "refuse")
    assert house.chat("Who is Mira Toll?").headers["x-letheward-action"] == "refuse"
    assert "labels: ['gdpr']" in run("entries", "show", "people", "mt").stdout
    table = run("export", "people", "--csv").stdout
    assert "Mira Toll" in table
    (tmp_path / "people.csv").write_text(table)
    assert "0 added, 1 updated" in run("import", "people", str(tmp_path / "people.csv")).stdout
    assert "- people/mt" in run("entries", "remove", "people", "mt", "--dry-run").stdout
    assert "1 removed" in run("entries", "remove", "people", "mt").stdout
    told = json.loads(run("revisions", "--list", "people", "--json").stdout)["revisions"]
    assert told[0]["action"] == "entries.remove"
    assert "case 7" in run("revisions").stdout
    assert "- people/mt" in run("revisions", str(told[0]["revision"])).stdout
    back = run("rollback", str(told[0]["revision"] - 1), "--list", "people", stdin="y\n")
    assert "1 settings and entries are as at revision" in back.stdout
    assert house.chat("Who is Mira Toll?").headers["x-letheward-action"] == "refuse"


def test_a_document_by_command(run: Run, tmp_path: Path) -> None:
    text = "Mira Toll was born in Karachi. She won the Sterling Prize in 1971."
    told = run("documents", "letters", "-", "--source", "letter 12", stdin=text).stdout
    assert "Mira Toll won the Sterling Prize in 1971." in told
    assert "letters: 2 added, 0 updated" in told
