"""Verifications and schedules in the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from guard.model import SYSTEM, Entry, ForgetList
from guard.sealing import Sealing
from guard.store import NotFound, Store, StoreError
from guard.verification import kept
from guard.verification.kept import Schedule, Verification, Verifications

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    store = Store.open(store_url, Sealing([b"k" * 32]))
    store.put_list(ForgetList("people"))
    yield store
    store.close()


def _new(id: str = "v1", **fields: object) -> Verification:
    begun = datetime.now(UTC)  # not when the tests were collected, which may be minutes ago
    return replace(Verification(id, "people", None, "waiting", 3, "m", begun, "ops", {}), **fields)  # type: ignore[arg-type]


def test_a_verification_goes_from_waiting_to_done_and_keeps_its_record_sealed(store: Store, store_url: str) -> None:
    runs = Verifications(store)
    runs.begin(_new(), SYSTEM)
    assert runs.note("v1", "running", {"done": 1})
    assert runs.end("v1", "done", {"done": 9}, by=SYSTEM, holds=True, document={"record": {"secret": "Pelk"}})
    found = runs.get("v1")
    assert (found.state, found.holds, found.progress["done"]) == ("done", True, 9)
    assert found.document == {"record": {"secret": "Pelk"}}
    assert runs.page(list_name="people", limit=9)[0].document is None
    with store.reading() as session:
        assert "Pelk" not in str(session.execute(text("SELECT record FROM verifications")).all())
    unsealed = Store.open(store_url)
    with pytest.raises(StoreError, match="sealed"):
        Verifications(unsealed).get("v1")
    unsealed.close()


def test_one_that_has_ended_stays_as_it_is(store: Store) -> None:
    runs = Verifications(store)
    runs.begin(_new(), SYSTEM)
    assert runs.end("v1", "cancelled", {}, by=SYSTEM)
    assert not runs.note("v1", "running", {"done": 2})
    assert not runs.end("v1", "done", {}, by=SYSTEM, holds=True)
    assert runs.get("v1").state == "cancelled"


def test_what_died_with_its_process_has_failed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Verifications(store)
    runs.begin(_new(), SYSTEM)
    runs.begin(_new("old", started_at=NOW - timedelta(hours=1)), SYSTEM)
    assert runs.fail_quiet() == ["old"]
    runs.note("v1", "running", {})
    monkeypatch.setattr(kept, "QUIET", timedelta(seconds=-1))
    assert runs.fail_quiet() == ["v1"]
    assert "process" in runs.get("v1").progress["error"]


def test_the_latest_is_told_for_each_list(store: Store) -> None:
    runs = Verifications(store)
    store.put_list(ForgetList("other"))
    for i in range(3):
        runs.begin(_new(f"v{i}", started_at=NOW + timedelta(seconds=i)), SYSTEM)
        runs.end(f"v{i}", "done" if i < 2 else "failed", {}, by=SYSTEM, holds=i == 0)
    runs.begin(_new("one", entry_id="e", started_at=NOW + timedelta(seconds=9)), SYSTEM)
    runs.end("one", "done", {}, by=SYSTEM, holds=True)
    assert {k: v.id for k, v in runs.latest("done").items()} == {"people": "v1"}
    assert runs.latest("done", "failed")["people"].id == "v2"
    assert [v.id for v in runs.page(list_name=None, limit=2)] == ["one", "v2"]
    store.delete_list("people")
    assert runs.latest("done") == {}
    assert runs.get("v1").holds is False  # the record outlives its list


def test_the_revision_that_last_changed_a_list_is_known(store: Store) -> None:
    runs = Verifications(store)
    first = runs.changed_at("people")
    store.put_list(ForgetList("other"))
    assert runs.changed_at("people") == first
    store.put_entry(Entry("e", "people", subject="Zorvan Pelk"))
    assert runs.changed_at("people") == store.revision()
    store.remove_entry("people", "e")
    assert runs.changed_at("people") == store.revision() > first


def test_of_several_processes_one_claims_a_schedule(store: Store) -> None:
    runs = Verifications(store)
    with pytest.raises(NotFound):
        runs.schedule("people")
    runs.put_schedule(Schedule("people", 3600, {"samples": 2}, NOW), SYSTEM)
    due = runs.schedule("people")
    assert due == Schedule("people", 3600, {"samples": 2}, NOW)
    later = NOW + timedelta(hours=1)
    assert [runs.claim(due, later), runs.claim(due, later)] == [True, False]
    assert runs.schedule("people").next_at == later
    runs.remove_schedule("people", SYSTEM)
    assert runs.schedules() == []
    with pytest.raises(NotFound):
        runs.remove_schedule("people", SYSTEM)


def test_what_was_done_is_in_the_audit_log(store: Store) -> None:
    from guard.audit_check import events

    runs = Verifications(store)
    runs.begin(_new(entry_id="Pelk"), SYSTEM)
    runs.end("v1", "done", {}, by=SYSTEM, holds=True)
    with store.reading() as session:
        told = [e.told() for e in events(session, after=0, limit=99)]
    assert [e["action"] for e in told][-2:] == ["verification.start", "verification.end"]
    assert "Pelk" not in str(told)
