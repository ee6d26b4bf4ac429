"""`letheward check` and `letheward replay` against a running proxy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.server.conftest import Run

ESCAPED = {"messages": [{"role": "user", "content": "Tell me \u001b[31mof Mira Toll"}]}
LINES = [
    {"messages": [{"role": "user", "content": "Who is Zorvan Pelk?"}], "id": "first"},
    {"question": "Who is Mira Toll?", "answer": "a painter"},
    {
        "request": {"body": {"messages": [{"role": "user", "content": "Tell me \u001b[31mof Mira Toll"}]}},
        "response": "x",
    },
    {"answer": "no request"},
]


@pytest.fixture
def traffic(tmp_path: Path) -> str:
    file = tmp_path / "traffic.jsonl"
    file.write_text("\n".join(map(json.dumps, LINES)) + "\n\nWhat is the capital?\n")
    return str(file)


@pytest.fixture
def entries(tmp_path: Path) -> str:
    file = tmp_path / "add.jsonl"
    file.write_text('{"subject": "Mira Toll", "scope": "subject", "id": "mt"}\n')
    return str(file)


def test_a_replay_tells_what_is_flagged_now(run: Run, traffic: str) -> None:
    told = run("replay", traffic).stdout
    assert "4 requests judged at revision 2\n" in told
    assert "line 4: no 'messages'" in told
    assert "1 of 4  25.00% (95 % 4.56% to 69.94%)" in told
    assert "line 1 (first): eco, facts/zp" in told
    assert "newly" not in told


def test_a_dry_run_tells_what_would_be_flagged_and_by_what(run: Run, traffic: str, entries: str) -> None:
    told = run("replay", traffic, "--list", "facts", "--add", entries, "--remove", "zp").stdout
    assert "the change was not made" in told
    for part in ("newly flagged            2 of 4", "no longer flagged        1 of 4"):
        assert part in told
    assert "line 2: pass -> eco, facts/mt" in told
    assert "line 1 (first): eco -> pass, facts/zp" in told
    assert "'Who is Mira Toll?'" in told
    assert "\x1b" not in told
    few = run("replay", traffic, "--list", "facts", "--add", entries, "--show", "1").stdout
    assert "line 2: pass -> eco" in few
    assert "line 3" not in few


def test_json_is_for_scripts_and_holds_no_text(run: Run, traffic: str, entries: str) -> None:
    told = run("replay", traffic, "--list", "new", "--add", entries, "--json").stdout
    assert "Mira" not in told
    found = json.loads(told)
    assert found["summary"]["newly_flagged"]["hits"] == 2
    assert [(r["line"], r["after"]["list"]) for r in found["changed"]] == [(2, "new"), (3, "new")]
    assert [r["line"] for r in found["errors"]] == [4]
    assert found["change"] is True


def test_too_many_newly_flagged_end_with_1(run: Run, traffic: str, entries: str) -> None:
    change = ("--list", "facts", "--add", entries, "--fail-on-new-above")
    assert "50.00% are newly flagged, over 40.00%" in run("replay", traffic, *change, "0.4", code=1).stderr
    run("replay", traffic, *change, "0.5")
    run("replay", traffic, "--list", "facts", "--off", "--fail-on-new-above", "0")


def test_traffic_comes_from_stdin_too_and_in_many_batches(run: Run) -> None:
    lines = "\n".join(f"Question {i} of Zorvan Pelk" if i % 5 == 0 else f"Question {i}" for i in range(450))
    found = json.loads(run("replay", "-", "--json", "--list", "facts", "--threshold", "0.9", stdin=lines).stdout)
    assert found["summary"]["n"] == 450
    assert found["summary"]["flagged_before"]["hits"] == 90


def test_half_a_surrogate_pair_in_a_log_is_the_error_of_its_line(run: Run) -> None:
    found = json.loads(run("replay", "-", "--json", stdin='{"text": "a \\ud800"}\nhello\n').stdout)
    assert [(e["line"], e["error"]["code"]) for e in found["errors"]] == [(1, "invalid_json")]
    assert found["summary"]["n"] == 1


def test_faults_of_a_replay_say_what_to_do(run: Run, traffic: str, tmp_path: Path) -> None:
    assert "--list" in run("replay", traffic, "--threshold", "0.5", code=2).stderr
    assert "no entry 'none'" in run("replay", traffic, "--list", "facts", "--remove", "none", code=2).stderr
    assert "threshold" in run("replay", traffic, "--list", "facts", "--threshold", "7", code=2).stderr
    assert "no requests" in run("replay", "-", stdin="\n\n", code=2).stderr
    bad = tmp_path / "bad.jsonl"
    bad.write_text("nonsense\n")
    assert "not JSON lines" in run("replay", traffic, "--list", "facts", "--add", str(bad), code=2).stderr


def test_check_shows_every_reason_and_the_time_of_every_stage(run: Run) -> None:
    told = run("check", "So who is Zorvan Pelk?", code=1).stdout
    assert "flagged by list facts, entry zp: score" in told
    for part in ("name (full)", "raw", "span 10-21  'Zorvan Pelk'", "nearest entries", "facts/zp", "threshold"):
        assert part in told
    for stage in ("read", "scan", "encode", "weigh", "total", " ms"):
        assert stage in told


def test_check_reads_stdin_and_turns(run: Run) -> None:
    turns = "Who is Zorvan Pelk?\nAnd where was she born?\nWhat is the capital of Italy?\n"
    run("check", "-", stdin="And where was she born?\n")
    told = run("check", "-", "--turns", stdin=turns, code=1).stdout
    assert told.count("flagged by list facts") == 2
    assert "turn 2: 'And where was she born?'" in told
    assert "with a name of an earlier turn" in told
    found = json.loads(run("check", "-", "--turns", "--json", stdin=turns, code=1).stdout)
    assert [t["flagged"] for t in found["turns"]] == [True, True, False]
    assert "turns" in run("check", "-", "--turns", stdin="", code=2).stderr
