"""`letheward keys` and `letheward audit` against the running proxy."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from tests.server.conftest import House, Run


def _tamper(folder: Path) -> None:
    with sqlite3.connect(folder / "lists.db") as raw:
        raw.execute("DROP TRIGGER audit_no_update")
        raw.execute("UPDATE audit SET actor = 'Eve' WHERE seq = 2")


def test_a_key_is_made_shown_rotated_and_revoked(house: House, run: Run) -> None:
    made = run("keys", "create", "Ann", "--role", "operator", "--list", "facts", "--expires", "90d")
    key = made.stdout.strip()
    assert key.startswith("lw-operator-")
    key_id = made.stderr.split(":")[0]
    assert run("keys", "list").stdout.split()[:3] == [key_id, "operator", "Ann"]
    assert "facts" in run("lists", "show", "--key", key).stdout
    new = json.loads(run("keys", "rotate", key_id, "--json").stdout)
    assert "admin key is needed" in run("lists", "show", "--key", key, code=2).stderr
    assert "revoked" in run("keys", "revoke", new["id"]).stdout
    assert run("keys", "list").stdout.strip() == "no keys"
    assert len(run("keys", "list", "--all").stdout.splitlines()) == 2
    assert "no time such as" in run("keys", "create", "B", "--expires", "soon", code=2).stderr


def test_the_admin_key_is_made_where_there_is_none(run: Run, tmp_path: Path) -> None:
    file = Path(run("keys", "init").stdout.strip())
    assert file.is_relative_to(tmp_path)
    kept = file.read_text()
    assert kept.startswith("lw-admin-")
    run("keys", "init")
    assert file.read_text() == kept


def test_the_log_is_checked_by_the_proxy_in_its_store_and_as_an_export(house: House, run: Run, tmp_path: Path) -> None:
    run("keys", "create", "Ann")
    checkpoint, export = tmp_path / "checkpoint", tmp_path / "audit.jsonl"
    url = f"sqlite:///{tmp_path}/lists.db"
    assert "follows the one before" in run("audit", "verify", "--checkpoint", str(checkpoint)).stdout
    assert checkpoint.read_text().startswith("3:")
    run("keys", "create", "Bea")
    export.write_text(run("audit", "export").stdout)
    assert [json.loads(line)["action"] for line in export.read_text().splitlines()][-1] == "key.create"
    for where in ((), ("--database-url", url), ("--file", str(export))):
        run("audit", "verify", "--checkpoint", str(checkpoint), *where)
    _tamper(tmp_path)
    for where in ((), ("--database-url", url)):
        assert "event 2: this event was changed" in run("audit", "verify", *where, code=1).stdout
    export.write_text("".join(export.read_text().splitlines(keepends=True)[:2]))
    assert "cut off" in run("audit", "verify", "--checkpoint", str(checkpoint), "--file", str(export), code=1).stdout
    export.write_text("nonsense\n")
    assert "cannot be read" in run("audit", "verify", "--file", str(export), code=1).stdout
