"""Changes through the admin API: on conditions, once for one key, tried beforehand, and with a way back."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from guard.model import ForgetList
from tests.server.conftest import ADMIN_KEY, Build, House

AUTH = {"Authorization": f"Bearer {ADMIN_KEY}"}
PERSON = {"subject": "Mira Toll", "scope": "subject"}


def _call(
    house: House, method: str, path: str, headers: dict[str, Any] | None = None, **options: Any
) -> httpx.Response:
    return house.client.request(method, f"/admin/v1{path}", headers=AUTH | (headers or {}), **options)


def test_a_list_is_changed_only_as_it_was_seen(house: House) -> None:
    seen = _call(house, "GET", "/lists/facts").headers["etag"]
    changed = _call(house, "PATCH", "/lists/facts", {"If-Match": seen}, json={"sigma": 5})
    assert changed.status_code == 200
    assert changed.headers["etag"] == f'"r{changed.json()["revision"]}"' != seen
    for method, body in (("PATCH", {"sigma": 6}), ("PUT", {}), ("DELETE", None)):
        late = _call(house, method, "/lists/facts", {"If-Match": seen}, json=body)
        assert (late.status_code, late.json()["error"]["code"]) == (412, "precondition_failed")
        assert late.headers["etag"] == changed.headers["etag"]
    assert _call(house, "GET", "/lists/facts").json()["sigma"] == 5
    assert _call(house, "PATCH", "/lists/facts", {"If-Match": "*"}, json={"sigma": 7}).status_code == 200
    weak = _call(house, "PATCH", "/lists/facts", {"If-Match": "W/" + changed.headers["etag"]}, json={})
    assert weak.status_code == 412
    assert _call(house, "PATCH", "/lists/facts", {"If-Match": "r3"}, json={}).status_code == 400


def test_a_list_is_made_only_where_there_is_none(house: House) -> None:
    only_new = {"If-None-Match": "*"}
    assert _call(house, "PUT", "/lists/new", only_new, json={}).status_code == 200
    assert _call(house, "PUT", "/lists/new", only_new, json={}).status_code == 412
    assert _call(house, "PUT", "/lists/other", {"If-Match": "*"}, json={}).status_code == 412


def test_an_entry_lives_from_creation_to_deletion(house: House) -> None:
    made = _call(house, "PUT", "/lists/facts/entries/mt", json=PERSON | {"labels": ["gdpr"], "source": "case 7"})
    assert (made.status_code, made.json()["created_by"]) == (201, made.json()["updated_by"])
    assert house.chat("Who is Mira Toll?").headers["x-letheward-action"] == "eco"
    seen = made.headers["etag"]
    patched = _call(house, "PATCH", "/lists/facts/entries/mt", {"If-Match": seen}, json={"action": "refuse"})
    assert (patched.status_code, patched.json()["labels"]) == (200, ["gdpr"])
    assert house.chat("Who is Mira Toll?").headers["x-letheward-action"] == "refuse"
    assert _call(house, "PUT", "/lists/facts/entries/mt", {"If-Match": seen}, json=PERSON).status_code == 412
    assert _call(house, "GET", "/lists/facts/entries/mt").headers["etag"] == patched.headers["etag"]
    assert _call(house, "PATCH", "/lists/facts/entries/mt", json={"subject": None}).status_code == 400
    assert _call(house, "PUT", "/lists/facts/entries/mt", json=PERSON | {"id": "x"}).status_code == 400
    assert _call(house, "DELETE", "/lists/facts/entries/mt", {"If-Match": seen}).status_code == 412
    assert _call(house, "DELETE", "/lists/facts/entries/mt").status_code == 200
    assert _call(house, "GET", "/lists/facts/entries/mt").status_code == 404


def test_entries_are_searched_and_paged(house: House) -> None:
    given = [{"id": f"e{i}", "text": f"Thing {i} is here.", "labels": ["odd" if i % 2 else "even"]} for i in range(7)]
    _call(house, "POST", "/lists/facts/entries", json={"entries": given})
    pages, after = [], None
    while True:
        query = {"label": "even", "limit": 3} | ({"after": after} if after else {})
        page = _call(house, "GET", "/lists/facts/entries", params=query).json()
        assert page["total"] == 4
        pages.append([e["id"] for e in page["entries"]])
        if (after := page["next"]) is None:
            break
    assert pages == [["e0", "e2", "e4"], ["e6"]]
    found = _call(house, "GET", "/lists/facts/entries", params={"q": "THING 3"}).json()
    assert [e["id"] for e in found["entries"]] == ["e3"]
    gone = _call(house, "POST", "/lists/facts/entries/delete", json={"ids": ["e1", "e9"]}).json()
    assert (gone["deleted"], gone["missing"]) == (["e1"], ["e9"])
    assert _call(house, "POST", "/lists/facts/entries/delete", json={"ids": ["e9"]}).status_code == 404


def test_a_dry_run_tells_and_changes_nothing(house: House) -> None:
    for text in ("Who is Mira Toll?", "What is the capital of Italy?", "Who is Zorvan Pelk?"):
        house.chat(text)
    told = _call(house, "PUT", "/lists/facts/entries/mt?dry_run=true", json=PERSON).json()
    (change,) = told["changes"]
    assert (told["dry_run"], change["entry"], change["before"]) == (True, "mt", None)
    impact = told["impact"]
    assert (impact["requests"], impact["flagged_before"], impact["flagged_after"]) == (3, 1, 2)
    assert (impact["newly_flagged"], len(impact["samples"])) == (1, 1)
    gone = _call(house, "DELETE", "/lists/facts?dry_run=true").json()
    assert (gone["total"], gone["impact"]["no_longer_flagged"]) == (2, 1)
    other = _call(house, "PATCH", "/lists/facts?dry_run=true", json={"policy": "refuse"}).json()
    assert other["changes"][0]["fields"] == ["policy"]
    assert (other["impact"]["newly_flagged"], other["impact"]["other_action"]) == (0, 1)
    batch = _call(house, "POST", "/lists/facts/entries?dry_run=true", json={"entries": [PERSON]})
    assert (batch.status_code, batch.json()["total"]) == (200, 1)
    assert _call(house, "DELETE", "/lists/facts/entries/none?dry_run=true").status_code == 404
    assert house.manager.current.revision == house.manager.store.revision() == 2


def test_what_is_not_kept_is_not_tried_on(build: Build) -> None:
    with build(recent_requests=0) as house:
        house.chat("Who is Zorvan Pelk?")
        told = _call(house, "DELETE", "/lists/facts?dry_run=true").json()
        assert told["impact"]["requests"] == 0


def test_a_request_that_is_sent_again_is_carried_out_once(house: House) -> None:
    key = {"Idempotency-Key": "k-1"}
    body = {"entries": [PERSON]}
    first = _call(house, "POST", "/lists/facts/entries", key, json=body)
    again = _call(house, "POST", "/lists/facts/entries", key, json=body)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    other = _call(house, "POST", "/lists/facts/entries", key, json={"entries": [PERSON, {"text": "Something else."}]})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_key_reused")
    assert house.manager.store.revision() == 3
    wrong = {"Idempotency-Key": "k-2"}
    assert _call(house, "DELETE", "/lists/none", wrong).status_code == 404  # what failed may be tried again
    house.manager.change(lambda s: s.put_list(ForgetList("none")))
    assert _call(house, "DELETE", "/lists/none", wrong).status_code == 200


def test_every_change_is_told_and_can_be_undone(house: House) -> None:
    why = {"X-Reason": "case 7, ümlaut".encode()}
    _call(house, "PUT", "/lists/facts/entries/mt", why, json=PERSON)
    _call(house, "PATCH", "/lists/facts", json={"sigma": 3})
    _call(house, "DELETE", "/lists/facts")
    told = _call(house, "GET", "/revisions", params={"limit": 3}).json()
    assert [(r["revision"], r["action"]) for r in told["revisions"]] == [
        (5, "list.delete"), (4, "list.put"), (3, "entry.add")
    ]  # fmt: skip
    assert (told["revisions"][2]["reason"], told["next"]) == ("case 7, ümlaut", 3)
    diff = _call(house, "GET", "/revisions/4").json()["changes"]
    assert [(d["list"], d["entry"], d["fields"]) for d in diff] == [("facts", None, ["sigma"])]
    planned = _call(house, "POST", "/rollback?dry_run=true", json={"to": 3}).json()
    assert planned["total"] == 3
    seen = _call(house, "GET", "/revision").headers["etag"]
    done = _call(house, "POST", "/rollback", {"If-Match": seen}, json={"to": 3}).json()
    assert (done["changed"], done["revision"]) == (3, 6)
    assert _call(house, "GET", "/lists/facts").json()["sigma"] == 20
    assert house.chat("Who is Mira Toll?").headers["x-letheward-action"] == "eco"
    assert _call(house, "POST", "/rollback", {"If-Match": seen}, json={"to": 3}).status_code == 412
    assert _call(house, "POST", "/rollback", json={"to": 99}).status_code == 404
    assert _call(house, "GET", "/revisions/99").status_code == 404


def test_waiting_for_all_tells_who_is_behind(house: House) -> None:
    done = _call(house, "PATCH", "/lists/facts?wait=all", json={"sigma": 3}).json()
    assert done["in_force"] == {"workers": 1, "behind": []}


@pytest.mark.parametrize(("method", "path", "body"), [
    ("PUT", "/lists/facts", {}), ("PATCH", "/lists/facts", {}), ("DELETE", "/lists/facts", None),
    ("PUT", "/lists/facts/entries/zp", PERSON), ("DELETE", "/lists/facts/entries/zp", None),
])  # fmt: skip
def test_a_server_may_want_conditions(build: Build, method: str, path: str, body: Any) -> None:
    with build(require_if_match=True) as house:
        refused = _call(house, method, path, json=body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (428, "precondition_required")
        seen = _call(house, "GET", path).headers["etag"]
        assert _call(house, method, path, {"If-Match": seen}, json=body).status_code == 200
