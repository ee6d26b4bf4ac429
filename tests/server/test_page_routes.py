"""What the page shows: numbers, decisions as they are made, and answers with and without the guard."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.server.conftest import ADMIN_KEY, House

AUTH = {"Authorization": f"Bearer {ADMIN_KEY}"}
FLAGGED = "Who is Zorvan Pelk ?"


def _decisions(house: House, count: int) -> list[dict[str, Any]]:
    """The first decisions that are shown."""
    found: list[dict[str, Any]] = []
    with httpx.stream("GET", f"{house.url}/admin/v1/live", headers=AUTH, timeout=20) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
            if len(found) == count:
                break
    return found


def test_decisions_are_shown_without_a_word_of_them(house: House) -> None:
    house.chat("What is the weather like?")
    house.chat(FLAGGED)
    passed, flagged = _decisions(house, 2)
    assert (passed["action"], passed["list"], passed["path"]) == ("pass", None, "/v1/chat/completions")
    assert (flagged["action"], flagged["list"]) == ("eco", "facts")
    assert flagged["score"] > 0.5
    assert flagged["seen"]
    assert "Zorvan" not in json.dumps(flagged)


def test_who_looks_on_sees_what_comes_later(house: House) -> None:
    with httpx.stream("GET", f"{house.url}/admin/v1/live", headers=AUTH, timeout=20) as response:
        lines = response.iter_lines()
        next(lines)
        house.chat(FLAGGED)
        data = next(line for line in lines if line.startswith("data: "))
    assert json.loads(data.removeprefix("data: "))["list"] == "facts"


def test_a_glance_counts_what_was_done(house: House) -> None:
    house.chat("What is the weather like?")
    house.chat(FLAGGED)
    told = house.client.get("/admin/v1/glance", headers=AUTH).json()
    assert told["requests"]["pass"] == 1
    assert told["requests"]["eco"] == 1
    assert told["judged"] == 2
    assert told["judge_p50_ms"] > 0
    assert told["judge_p99_ms"] >= told["judge_p50_ms"]
    (facts,) = [item for item in told["lists"] if item["name"] == "facts"]
    assert facts["flagged"] == 1
    assert facts["entries"] >= 1
    assert facts["holds"] is None


def test_the_playground_asks_both_ways_and_says_why(house: House) -> None:
    house.policy("refuse", refusal="No.")
    house.script.text = "A glassblower of the northern islands."
    asked = {"messages": [{"role": "user", "content": FLAGGED}]}
    told = house.client.post("/admin/v1/playground", json=asked, headers=AUTH).json()
    assert told["bare"]["text"] == "A glassblower of the northern islands."
    assert told["guarded"] == {"text": "No.", "action": "refuse", "error": None}
    assert told["turns"][0]["flagged"]
    assert told["turns"][0]["verdicts"][0]["list"] == "facts"


@pytest.mark.parametrize("bad", [{}, {"messages": []}, {"messages": [{"role": "x", "content": "a"}]}, {"messages": 1}])
def test_a_bad_playground_request_is_refused(house: House, bad: dict[str, Any]) -> None:
    response = house.client.post("/admin/v1/playground", json=bad, headers=AUTH)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_request"
