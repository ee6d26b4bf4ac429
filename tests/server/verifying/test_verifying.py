"""Verifications over the admin API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from guard.model import Entry, ForgetList
from guard.verification.kinds import KINDS
from guard.verification.signing import check
from server.access.setup import AccessConfig
from server.clients import Client
from tests.server.verifying.conftest import PEOPLE, Open, Place


def _record(place: Place, found: dict[str, Any]) -> dict[str, Any]:
    document = place.get(f"/verifications/{found['id']}/record")
    return dict(check(document, place.get("/verifications/key")["public_key"]))


def test_a_guarded_list_holds_and_the_record_proves_that_the_guard_does_it(place: Place) -> None:
    found = place.verify()
    assert (found["state"], found["holds"], found["list"], found["model"]) == ("done", True, "people", "m")
    assert found["progress"]["done"] == found["progress"]["of"]
    record = _record(place, found)
    assert record["verdict"] == found["verdict"]
    assert record["verdict"]["proves"] == "guard"
    assert record["live"]["answers"]["k"] == 0
    assert record["live"]["answers"]["n"] == record["bare"]["answers"]["n"] == 2 * record["method"]["probes"]
    assert record["known"]["entries"] == 2
    assert set(record["by_kind"]) == set(KINDS)
    assert 0 < record["live"]["streamed"] < record["live"]["answers"]["n"]
    assert record["live"]["actions"]["refuse"] > 0
    assert record["guard"]["revision"] == place.manager.current.revision == found["revision"]
    assert record["guard"]["revisions"] == [found["revision"]]
    assert record["model"]["server"] == "vllm 0.32.0"
    assert (record["neighbours"]["n"], record["neighbours"]["changed"]["k"]) == (4, 0)


def test_probes_are_not_taken_for_clients_requests(place: Place) -> None:
    place.client.post(
        "/v1/chat/completions", json={"model": "m", "messages": [{"role": "user", "content": PEOPLE[0].question}]}
    )
    place.verify()
    dry = place.client.put(
        "/admin/v1/lists/people", params={"dry_run": True}, json={"policy": "refuse", "enabled": False}
    )
    impact = dry.json()["impact"]
    assert (impact["requests"], impact["no_longer_flagged"]) == (1, 1)


def test_a_list_that_only_watches_does_not_hold_and_somebody_is_told(place: Place) -> None:
    place.manager.change(lambda s: s.put_list(ForgetList("people", policy="monitor")))
    found = place.verify()
    assert found["holds"] is False
    record = _record(place, found)
    assert sorted(record["verdict"]["leaking_entries"]) == ["id", "mt"]
    assert "Karvelund" not in str(record)
    place.until(lambda: place.alerts, bool)
    alert = check(place.alerts[0], place.signer.public)
    assert (alert["reason"], alert["list"], alert["verification"]) == ("does_not_hold", "people", found["id"])


def test_a_model_that_never_knew_is_said_to_prove_nothing(place: Place) -> None:
    place.model.facts.clear()
    found = place.verify()
    assert found["verdict"]["proves"] == "nothing"
    assert "proves nothing" in found["verdict"]["caveat"]


def test_at_temperature_0_a_probe_is_asked_once_and_else_as_often_as_is_wanted(place: Place) -> None:
    record = _record(place, place.verify(kinds=["question"], temperatures=[0, 0.7], samples=3))
    assert record["method"]["probes"] == 2
    assert record["live"]["answers"]["n"] == 2 * (1 + 3)
    assert record["live"]["probes"]["n"] == 2
    own = [b for b in place.model.bodies if b["temperature"] and b.get("messages") and "Drosmund" in str(b["messages"])]
    assert len({b["seed"] for b in own}) == 3  # other chance for each sample


def test_one_entry_is_verified_by_itself(place: Place) -> None:
    record = _record(place, place.verify(entry="mt"))
    assert record["scope"] | {"left_out": []} == {
        "list": "people",
        "entry": "mt",
        "entries": 1,
        "of": 1,
        "left_out": [],
    }
    assert [row["entry"] for row in record["by_entry"]] == ["mt"]


def test_texts_are_in_the_record_only_where_they_are_wanted(place: Place) -> None:
    place.manager.change(lambda s: s.put_list(ForgetList("people", policy="monitor")))
    record = _record(place, place.verify(kinds=["question"], texts=True))
    assert "Karvelund" in str(record["leaks"])
    assert any("Where was Ilka Drosmund born?" in t for turns in record["texts"].values() for t in turns)


def test_a_list_without_texts_is_verified_with_those_that_the_request_brings(place: Place) -> None:
    from guard.keeping import as_kept

    place.manager.change(lambda s: s.put_list(ForgetList("bare", policy="refuse", keep="vectors")))
    own = [replace(e, list_name="bare") for e in PEOPLE]
    kept = as_kept(place.manager, "bare", own)
    place.manager.change(lambda s: s.add_entries("bare", kept))
    refused = place.client.post("/admin/v1/lists/bare/verify", json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "nothing_to_verify")
    lines = [
        {"id": k.entry_id, "subject": e.subject, "question": e.question, "answer": e.answer}
        for k, e in zip(kept, own, strict=True)
    ]
    found = place.verify("bare", entries=lines, kinds=["question"], tolerance=0.9)
    assert found["verdict"]["proves"] in ("guard", "unclear")
    assert "Karvelund" not in str(place.get(f"/verifications/{found['id']}/record"))


def test_the_record_is_a_page_too_that_runs_and_loads_nothing(place: Place) -> None:
    found = place.verify(kinds=["question"])
    path = f"/admin/v1/verifications/{found['id']}/record"
    for response in (
        place.client.get(path, params={"format": "html"}),
        place.client.get(path, headers={"Accept": "text/html"}),
    ):
        assert response.headers["content-type"].startswith("text/html")
        assert "sandbox" in response.headers["content-security-policy"]
        assert "attachment" in response.headers["content-disposition"]
        assert found["verdict"]["says"].split(",")[0] in response.text


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("none", {}, 404, "not_found"),
        ("people", {"entry": "none"}, 404, "not_found"),
        ("people", {"model": "other"}, 400, None),
        ("people", {"kinds": ["guessing"]}, 400, "invalid_request"),
        ("people", {"confidence": 0.5}, 400, "invalid_request"),
        ("people", {"most_entries": 10000, "per_kind": 50, "samples": 1000}, 400, "invalid_request"),
        ("people", {"entries": [{"id": "strange", "subject": "X", "answer": "Y"}]}, 400, "unknown_entry"),
        ("empty", {}, 400, "nothing_to_verify"),
        ("off", {}, 400, "list_off"),
    ],
)
def test_what_cannot_be_verified_is_refused_with_the_reason(
    place: Place, path: str, body: Any, status: int, code: str | None
) -> None:
    place.manager.change(lambda s: s.put_list(ForgetList("empty")))
    place.manager.change(lambda s: s.put_list(ForgetList("off", enabled=False)))
    response = place.client.post(f"/admin/v1/lists/{path}/verify", json=body)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code), response.text
    assert place.get("/verifications")["verifications"] == []


def test_a_model_that_fails_for_a_moment_is_asked_again_and_one_that_stays_away_fails_it(place: Place) -> None:
    place.model.failures = 3
    assert place.verify(kinds=["question"])["state"] == "done"
    place.model.status = 500
    found = place.verify(kinds=["question"])
    assert (found["state"], found["holds"]) == ("failed", None)
    assert "500" in found["progress"]["error"]
    assert place.client.get(f"/admin/v1/verifications/{found['id']}/record").status_code == 404


def test_answers_that_were_refused_are_no_evidence(place: Place) -> None:
    place.model.status = 400
    found = place.verify(kinds=["question"])
    assert found["state"] == "failed"
    assert "turned down" in found["progress"]["error"]


def test_a_list_that_changes_meanwhile_has_to_be_verified_again(place: Place) -> None:
    place.model.stall = True
    begun = place.client.post("/admin/v1/lists/people/verify", json={"kinds": ["question"]}).json()
    assert place.model.asked.wait(30)
    place.manager.change(lambda s: s.put_entry(Entry("new", "people", subject="Ova Brenk", answer="Tarim")))
    place.model.stall = False
    found = place.ended(begun["id"])
    assert found["state"] == "failed"
    assert "changed" in found["progress"]["error"]


def test_one_that_runs_can_be_ended_and_one_that_ended_cannot(place: Place) -> None:
    place.model.stall = True
    begun = place.client.post("/admin/v1/lists/people/verify", json={}).json()
    waiting = place.client.post("/admin/v1/lists/people/verify", json={}).json()
    assert place.model.asked.wait(30)
    for own in (waiting, begun):
        assert place.client.delete(f"/admin/v1/verifications/{own['id']}").json()["state"] == "cancelled"
    place.model.stall = False
    again = place.client.delete(f"/admin/v1/verifications/{begun['id']}")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "already_ended")
    assert place.verify(kinds=["question"])["state"] == "done"  # the next has its turn
    listed = place.get("/verifications", params={"limit": 2})
    assert [v["state"] for v in listed["verifications"]] == ["done", "cancelled"]
    rest = place.get("/verifications", params={"limit": 2, "before": listed["next"]})
    assert [v["id"] for v in rest["verifications"]] == [begun["id"]]


def test_a_list_for_one_client_is_verified_as_that_client(opened: Open) -> None:
    with opened(AccessConfig("test-admin-key", (Client("key-of-a-client", "support"),))) as place:
        place.manager.change(lambda s: s.put_list(ForgetList("people", policy="refuse", tenants=("support",))))
        found = place.verify(kinds=["question"], tolerance=0.9)
        record = _record(place, found)
        assert record["method"]["client"] == "support"
        assert record["live"]["answers"]["k"] == 0
        assert record["bare"]["answers"]["k"] > 0


def test_where_nothing_is_enforced_nothing_holds(opened: Open) -> None:
    with opened(enforce=False) as place:
        record = _record(place, place.verify(kinds=["question"]))
        assert record["guard"]["enforcing"] is False
        assert record["verdict"]["holds"] is False
