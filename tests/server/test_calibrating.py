"""Thresholds for a false-positive rate: over the admin API and from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from guard.model import Entry
from tests.server.conftest import ADMIN_KEY, House, Run

TRAFFIC = [f"Where was Zorvan Pelk born, on page {i}?" for i in range(450)]


def _call(house: House, method: str, path: str, **options: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    return house.client.request(method, f"/admin/v1{path}", headers=headers, timeout=120, **options)


def _person(house: House) -> None:
    entry = Entry("born", "facts", subject="Mira Tolland", question="Where was Mira Tolland born?")
    house.manager.change(lambda s: s.add_entries("facts", [entry]))


def test_a_threshold_is_found_and_nothing_is_changed(house: House) -> None:
    _person(house)
    before = house.manager.current.revision
    found = _call(house, "POST", "/lists/facts/calibrate", json={}).json()
    assert found["promised"] is True
    assert found["threshold"] >= 0.5
    assert found["false_positives"]["low"] <= found["false_positives"]["value"] <= found["false_positives"]["high"]
    assert found["recall"]["value"] == 1
    assert house.manager.current.revision == before


def test_own_traffic_decides_and_is_not_said_again(house: House) -> None:
    body = {"traffic": TRAFFIC, "false_positive_rate": 0.01}
    response = _call(house, "POST", "/lists/facts/calibrate", json=body)
    assert response.json()["threshold"] > 0.9
    assert "page" not in response.text


def test_a_list_shows_how_it_is_judged(house: House) -> None:
    found = _call(house, "GET", "/lists/facts").json()["detection"]
    assert found == {"scorer": "head", "threshold": 0.5, "calibration": None}
    changed = _call(house, "PATCH", "/lists/facts", json={"scorer": "dragon", "recall_floor": 0.99}).json()
    assert (changed["scorer"], changed["recall_floor"]) == ("dragon", 0.99)
    assert _call(house, "GET", "/lists/facts").json()["detection"]["scorer"] == "dragon"
    assert _call(house, "PATCH", "/lists/facts", json={"scorer": None}).json()["scorer"] is None


def test_what_cannot_be_done_is_said(house: House) -> None:
    house.manager.change(lambda s: s.remove_entry("facts", "zp"))
    cases: list[tuple[str, dict[str, Any], int, str]] = [
        ("nope", {}, 404, "no list 'nope'"),
        ("facts", {}, 400, "no entries"),
        ("facts", {"false_positive_rate": 0}, 400, "greater than 0"),
        ("facts", {"recall_floor": 2}, 400, "less than or equal to 1"),
        ("facts", {"traffic": ["x" * 20_001]}, 400, "20000"),
        ("facts", {"traffic": "x"}, 400, "list"),
    ]
    for name, body, status, message in cases:
        response = _call(house, "POST", f"/lists/{name}/calibrate", json=body)
        assert response.status_code == status
        assert message in response.json()["error"]["message"]
    refused = _call(house, "PATCH", "/lists/facts", json={"scorer": "trained:nope"})
    assert refused.status_code == 400
    assert "trained" in refused.json()["error"]["message"]
    assert _call(house, "PUT", "/lists/new", json={"scorer": "nope"}).status_code == 400
    assert "new" not in house.manager.current.lists


def test_a_threshold_is_set_from_the_command_line(run: Run, house: House, tmp_path: Path) -> None:
    file = tmp_path / "traffic.jsonl"
    file.write_text("".join(json.dumps({"prompt": t}) + "\n" for t in TRAFFIC))
    told = run("detector", "calibrate", "facts", "--traffic", str(file), "--target", "0.01").stdout
    assert "not set" in told
    assert "226 prompts" in told
    done = json.loads(
        run("detector", "calibrate", "facts", "--traffic", str(file), "--target", "0.01", "--apply", "--json").stdout
    )
    assert house.manager.current.detector.threshold("facts") == done["threshold"] > 0.9
    run("lists", "set", "facts", "--calibrated", "--scorer", "rule")
    assert house.manager.current.detector.threshold("facts") == 0.5
    assert "cannot" in run("detector", "calibrate", "facts", "--url", "http://127.0.0.1:1", code=2).stderr
    assert "No such file" in run("detector", "calibrate", "facts", "--traffic", "/nope", code=2).stderr
