"""Keys of the store: what each opens, for how long, and that none is kept or told twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select

from guard.audit_check import events, verify
from guard.schema import KeyRow
from guard.store import Store
from server.access.setup import AccessConfig
from server.clients import Client
from tests.server.access.conftest import ADMIN_KEY, V1, Door, Open, application, until
from tests.server.conftest import running


def test_a_key_is_told_once_and_kept_as_a_hash(door: Door) -> None:
    made = door.make("operator", "Ann", lists=["team-*"])
    assert made["key"].startswith("lw-operator-")
    with door.client(ADMIN_KEY) as admin:
        answer = admin.get(f"{V1}/keys")
    assert made["key"] not in answer.text
    assert [(k["id"], k["name"], k["works"]) for k in answer.json()["keys"]] == [(made["id"], "Ann", True)]
    with door.store.reading() as session:
        kept = repr([vars(row) for row in session.execute(select(KeyRow)).scalars()])
    assert made["key"].removeprefix("lw-operator-") not in kept
    assert "hash" not in made


def test_each_role_opens_what_it_is_for(door: Door) -> None:
    keys = {role: door.make(role)["key"] for role in ("client", "auditor", "operator", "admin")}
    asked = {
        ("GET", "/v1/models"): {"client": 200, "auditor": 403, "operator": 200, "admin": 200},
        ("GET", f"{V1}/lists/a"): {"client": 401, "auditor": 200, "operator": 200, "admin": 200},
        ("PUT", f"{V1}/lists/a"): {"client": 401, "auditor": 403, "operator": 200, "admin": 200},
        ("GET", f"{V1}/audit"): {"client": 401, "auditor": 200, "operator": 403, "admin": 200},
        ("GET", f"{V1}/keys"): {"client": 401, "auditor": 200, "operator": 403, "admin": 200},
    }
    for (method, path), expected in asked.items():
        found = {role: door.status(method, path, key) for role, key in keys.items()}
        assert found == expected, (method, path)
    assert door.status("POST", f"{V1}/keys", keys["operator"], json={"name": "x", "role": "admin"}) == 403


def test_a_key_for_some_lists_opens_no_other(door: Door) -> None:
    key = door.make("operator", lists=["team-*", "shared"])["key"]
    statuses = {name: door.status("PUT", f"{V1}/lists/{name}", key) for name in ("team-a", "shared", "other", "Team-a")}
    assert statuses == {"team-a": 200, "shared": 200, "other": 403, "Team-a": 403}
    assert door.status("POST", f"{V1}/check", key) == 403  # over all lists
    assert door.status("GET", f"{V1}/session", key) == 200


def test_a_revoked_key_opens_nothing_from_then_on(door: Door) -> None:
    made = door.make("operator")
    assert door.status("GET", f"{V1}/lists/a", made["key"]) == 200
    assert door.status("DELETE", f"{V1}/keys/{made['id']}", ADMIN_KEY) == 200
    assert door.status("GET", f"{V1}/lists/a", made["key"]) == 401
    assert door.status("DELETE", f"{V1}/keys/{made['id']}", ADMIN_KEY) == 404
    assert door.status("POST", f"{V1}/keys/{made['id']}/rotate", ADMIN_KEY) == 404


def test_another_worker_hears_of_keys_within_a_second(door: Door, store: Store) -> None:
    with running(application(store, AccessConfig(ADMIN_KEY))) as url, httpx.Client(base_url=url, timeout=30) as other:
        made = door.make("auditor")
        headers = {"Authorization": f"Bearer {made['key']}"}
        until(lambda: other.get(f"{V1}/lists/a", headers=headers).status_code == 200)
        door.status("DELETE", f"{V1}/keys/{made['id']}", ADMIN_KEY)
        until(lambda: other.get(f"{V1}/lists/a", headers=headers).status_code == 401)


def test_a_key_ends_when_it_expires(door: Door) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=2)
    key = door.make("operator", expires_at=ends.isoformat())["key"]
    assert door.status("GET", f"{V1}/lists/a", key) == 200
    until(lambda: door.status("GET", f"{V1}/lists/a", key) == 401)
    assert datetime.now(UTC) >= ends


def test_a_rotated_key_goes_on_for_its_grace_alone(door: Door) -> None:
    old = door.make("operator", "Ann", lists=["a"], requests_per_minute=7)
    with door.client(ADMIN_KEY) as admin:
        new = admin.post(f"{V1}/keys/{old['id']}/rotate", json={"grace": 3600}).json()
        assert {k: new[k] for k in ("name", "role", "lists", "requests_per_minute", "rotated_from")} == {
            "name": "Ann", "role": "operator", "lists": ["a"], "requests_per_minute": 7, "rotated_from": old["id"],
        }  # fmt: skip
        both = [door.status("GET", f"{V1}/lists/a", key) for key in (old["key"], new["key"])]
        last = admin.post(f"{V1}/keys/{new['id']}/rotate").json()
    assert both == [200, 200]
    assert [door.status("GET", f"{V1}/lists/a", key) for key in (new["key"], last["key"])] == [401, 200]


def test_a_key_can_be_changed_in_all_but_its_role(door: Door) -> None:
    made = door.make("operator", "Ann")
    with door.client(ADMIN_KEY) as admin:
        path = f"{V1}/keys/{made['id']}"
        changed = admin.patch(path, json={"name": "Bea", "lists": ["b"]}).json()
        assert (changed["name"], changed["lists"], changed["role"]) == ("Bea", ["b"], "operator")
        assert admin.patch(path, json={"role": "admin"}).status_code == 400
        assert admin.patch(path, json={"may_choose": ["x"]}).status_code == 400
        assert admin.patch(path, json={"expires_at": "2001-01-01T00:00:00Z"}).status_code == 400
        assert admin.patch(f"{V1}/keys/abc", json={"name": "x"}).status_code == 404
    assert door.status("GET", f"{V1}/lists/a", made["key"]) == 403


@pytest.mark.parametrize(
    "body",
    [
        {}, {"name": "x"}, {"name": "", "role": "client"}, {"name": "x", "role": "root"},
        {"name": "x\n", "role": "client"}, {"name": "x", "role": "client", "lists": ["a"]},
        {"name": "x", "role": "operator", "may_choose": ["a"]}, {"name": "x", "role": "admin", "lists": ["a"]},
        {"name": "x", "role": "client", "requests_per_minute": 0}, {"name": "x", "role": "client", "more": 1},
        {"name": "x", "role": "client", "expires_at": "2030-01-01T00:00:00"}, {"name": "x" * 200, "role": "client"},
        {"name": "\ud800", "role": "client"}, {"name": "x", "role": "operator", "lists": ["\u0000"]},
    ],
)  # fmt: skip
def test_a_key_that_makes_no_sense_is_not_made(door: Door, body: dict[str, object]) -> None:
    content = json.dumps(body)
    with door.client(ADMIN_KEY) as admin:
        response = admin.post(f"{V1}/keys", content=content, headers={"content-type": "application/json"})
        assert response.status_code == 400, response.text
        assert response.json()["error"]["message"]
        assert admin.get(f"{V1}/keys").json() == {"keys": []}


def test_keys_of_clients_are_asked_for_once_there_is_one_and_even_when_all_are_revoked(door: Door) -> None:
    assert door.status("GET", "/v1/models") == 200
    assert door.status("GET", "/v1/models", "anything") == 200
    made = door.make("client", "tenant-a")
    assert door.status("GET", "/v1/models") == 401
    with door.client(made["key"]) as client:
        told = client.get("/v1/models").json()
        assert (told["name"], told["tenant"], told["reveals"]) == ("tenant-a", "tenant-a", False)
        assert client.get("/v1/models", headers={"X-Letheward-Admin-Key": ADMIN_KEY}).json()["reveals"] is True
    assert door.status("GET", "/v1/models", headers={"x-api-key": made["key"]}) == 200
    door.status("DELETE", f"{V1}/keys/{made['id']}", ADMIN_KEY)
    assert door.status("GET", "/v1/models") == 401


def test_clients_of_the_settings_go_on_as_before(open_door: Open) -> None:
    clients = (Client("k1"), Client("k2", "tenant-b", frozenset({"facts"})))
    with open_door(clients=clients) as door:
        assert [door.status("GET", "/v1/models", key) for key in (None, "k3", "k1", ADMIN_KEY)] == [401, 401, 200, 200]
        with door.client("k2") as client:
            assert client.get("/v1/models").json()["tenant"] == "tenant-b"
        assert door.status("GET", f"{V1}/lists/a", "k2") == 401


def test_every_change_of_a_key_is_in_the_audit_log_without_its_text(door: Door) -> None:
    made = door.make("operator", "Ann")
    with door.client(made["key"]) as operator, door.client(ADMIN_KEY) as admin:
        admin.patch(f"{V1}/keys/{made['id']}", json={"name": "Bea"}, headers={"X-Reason": "married"})
        new = admin.post(f"{V1}/keys/{made['id']}/rotate").json()
        admin.delete(f"{V1}/keys/{new['id']}")
        operator.get(f"{V1}/session")
        told = admin.get(f"{V1}/audit").json()
        assert admin.get(f"{V1}/audit/verify").json()["holds"] is True
    assert [(e["action"], e["target"]) for e in told["events"]] == [
        ("key.create", f"key {made['id']}"), ("key.change", f"key {made['id']}"),
        ("key.rotate", f"key {new['id']}"), ("key.revoke", f"key {new['id']}"),
    ]  # fmt: skip
    assert {e["actor"] for e in told["events"]} == {"admin key"}
    assert made["key"] not in str(told)
    with door.store.reading() as session:
        assert [e.seq for e in events(session)] == [1, 2, 3, 4]
        assert verify(session).holds


def test_the_log_is_read_in_pages(door: Door) -> None:
    for i in range(5):
        door.make("client", f"c{i}")
    with door.client(ADMIN_KEY) as admin:
        found, at = [], 0
        while at is not None:
            page = admin.get(f"{V1}/audit", params={"after": at, "limit": 2}).json()
            found += [e["seq"] for e in page["events"]]
            at = page["next"]
        assert found == [1, 2, 3, 4, 5]
        assert admin.get(f"{V1}/audit/verify", params={"checkpoint": "nonsense"}).status_code == 400
