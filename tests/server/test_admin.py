"""The admin API on a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from server.admin import admin_router
from tests.server.conftest import ADMIN_KEY, Build, House

AUTH = {"Authorization": f"Bearer {ADMIN_KEY}"}


def _call(house: House, method: str, path: str, **options: Any) -> httpx.Response:
    return house.client.request(method, f"/admin/v1{path}", headers=AUTH, **options)


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer wrong", f"Basic {ADMIN_KEY}", "Bearer client-key"])
def test_every_route_asks_for_the_admin_key(build: Build, key: str) -> None:
    headers = {"Authorization": key} if key else {}
    with build(client_keys=("client-key",)) as house:
        routes = list(_admin_routes(house))
        assert len(routes) > 25
        for method, path in routes:
            response = house.client.request(method, path, headers=headers, json={})
            assert response.status_code == 401, (method, path)
            assert response.json()["error"]["code"] == "invalid_admin_key"
        assert house.manager.current.revision == 2


def _admin_routes(house: House) -> Iterator[tuple[str, str]]:
    for route in admin_router(house.manager, max_body_bytes=1).routes:
        assert isinstance(route, APIRoute)
        path = route.path.format(name="facts", entry_id="zp", number=1)
        yield from ((method, path) for method in route.methods)


def test_a_list_lives_from_creation_to_deletion(house: House) -> None:
    made = _call(house, "PUT", "/lists/new", json={"policy": "refuse", "refusal": "no"}).json()
    assert (made["policy"], made["revision"]) == ("refuse", 3)
    added = _call(house, "POST", "/lists/new/entries", json={"entries": [{"subject": "Mira Toll", "scope": "subject"}]})
    assert (added.status_code, added.json()["added"]) == (201, 1)
    assert house.chat("Who is Mira Toll?").headers["x-letheward-action"] == "refuse"
    assert _call(house, "PATCH", "/lists/new", json={"enabled": False}).json()["enabled"] is False
    assert house.chat("Who is Mira Toll?").headers["x-letheward-action"] == "pass"
    _call(house, "PATCH", "/lists/new", json={"enabled": True, "policy": "monitor"})
    assert house.chat("Who is Mira Toll?").headers["x-letheward-action"] == "monitor"
    (entry,) = _call(house, "GET", "/lists/new/entries").json()["entries"]
    assert _call(house, "DELETE", f"/lists/new/entries/{entry['id']}").status_code == 200
    response = house.chat("Who is Mira Toll?")
    assert (response.headers["x-letheward-action"], response.headers["x-letheward-revision"]) == ("pass", "7")
    assert _call(house, "DELETE", "/lists/new").json() == {"deleted": "new", "revision": 8}
    assert [i["name"] for i in _call(house, "GET", "/lists").json()["lists"]] == ["facts"]


def test_what_is_exported_imports_again_without_a_change(house: House) -> None:
    lines = _call(house, "GET", "/lists/facts/export").text
    assert json.loads(lines)["id"] == "zp"
    done = _call(house, "POST", "/lists/facts/import", content=lines).json()
    assert (done["added"], done["updated"]) == (0, 1)
    assert _call(house, "GET", "/lists/facts/export").text == lines


def test_an_import_with_a_bad_line_adds_nothing(house: House) -> None:
    response = _call(house, "POST", "/lists/facts/import", content=b'{"subject": "A"}\nnonsense\n')
    assert response.status_code == 400
    assert "line 2" in response.json()["error"]["message"]
    assert _call(house, "GET", "/revision").json() == {"revision": 2, "stale": False}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/lists/a b", {}, 400),
        ("PUT", "/lists/" + "x" * 200, {}, 400),
        ("PUT", "/lists/a", {"policy": "nope"}, 400),
        ("PUT", "/lists/a", {"sigma": -1}, 400),
        ("PUT", "/lists/a", {"unknown": 1}, 400),
        ("PATCH", "/lists/facts", {"policy": None}, 400),
        ("PATCH", "/lists/none", {"policy": "eco"}, 404),
        ("GET", "/lists/none", None, 404),
        ("GET", "/lists/none/entries", None, 404),
        ("GET", "/lists/facts/entries?limit=0", None, 400),
        ("DELETE", "/lists/facts/entries/none", None, 404),
        ("POST", "/lists/none/entries", {"entries": [{"subject": "A"}]}, 404),
        ("POST", "/lists/facts/entries", {"entries": []}, 400),
        ("POST", "/lists/facts/entries", {"entries": [{"answer": "x"}]}, 400),
        ("POST", "/lists/facts/import", None, 400),
        ("POST", "/check", {"text": 5}, 400),
        ("POST", "/check", {}, 400),
        ("POST", "/check", {"text": "a", "turns": ["a"]}, 400),
        ("POST", "/check", {"turns": []}, 400),
        ("POST", "/check", {"turns": ["a"] * 201}, 400),
        ("POST", "/check", {"text": "x" * 1_000_001}, 413),
        ("GET", "/nothing", None, 404),
    ],
)
def test_bad_requests_get_an_openai_shaped_error(house: House, method: str, path: str, body: Any, status: int) -> None:
    response = _call(house, method, path, json=body)
    assert response.status_code == status, response.text
    assert response.json()["error"]["message"]
    assert house.manager.current.revision == 2


def test_check_shows_the_evidence(house: House) -> None:
    found = _call(house, "POST", "/check", json={"text": "So who is Zorvan Pelk?"}).json()
    (verdict,) = found["verdicts"]
    assert verdict["spans"] == [{"start": 10, "end": 21, "text": "Zorvan Pelk"}]
    assert found["flagged"] is True
    assert [e["stage"] for e in verdict["evidence"]] == ["name (full)"]
    assert {"read", "scan", "encode", "weigh"} <= set(found["latency_ms"])
    assert found["nearest"][0].keys() >= {"list", "entry", "score", "threshold", "view"}


def test_turns_are_checked_as_one_conversation(house: House) -> None:
    turns = ["Who is Zorvan Pelk?", "And where was she born?", "What is the capital of Italy?"]
    found = _call(house, "POST", "/check", json={"turns": turns}).json()
    assert [t["flagged"] for t in found["turns"]] == [True, True, False]
    assert found["flagged"] is True
    assert _call(house, "POST", "/check", json={"text": turns[1]}).json()["flagged"] is False
    assert "earlier turn" in found["turns"][1]["verdicts"][0]["evidence"][0]["view"]


def test_a_body_over_the_limit_is_refused_before_it_is_parsed(house: House) -> None:
    response = _call(house, "PUT", "/lists/a", content=b'{"description": "' + b"x" * 2_000_000 + b'"}')
    assert response.status_code == 413
    assert "1000000 bytes" in response.json()["error"]["message"]


def test_thousands_of_problems_make_a_short_message(house: House) -> None:
    response = _call(house, "POST", "/lists/facts/entries", json={"entries": [{}] * 5000})
    assert response.status_code == 400
    assert "and 4990 more" in response.json()["error"]["message"]
    assert len(response.text) < 3000
