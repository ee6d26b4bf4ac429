"""Lists that are verified again, and what tells that they no longer hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from guard.model import SYSTEM, Entry, ForgetList
from guard.verification.kept import Schedule, Verification, Verifications
from tests.server.verifying.conftest import Place

OPTIONS = {"kinds": ["question", "paraphrase"], "samples": 1, "most_neighbours": 0, "tolerance": 0.5}


def _schedule(place: Place, **fields: Any) -> Any:
    body = {"every_seconds": 3600, "options": OPTIONS} | fields
    response = place.client.put("/admin/v1/lists/people/schedule", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def _done(place: Place, n: int) -> list[dict[str, Any]]:
    def ended() -> list[dict[str, Any]]:
        found = place.get("/verifications", params={"list": "people"})["verifications"]
        return [v for v in found if v["state"] not in ("waiting", "running")]

    found: list[dict[str, Any]] = place.until(ended, lambda v: len(v) >= n)
    return found


def _reasons(place: Place) -> list[str]:
    return [a["record"]["reason"] for a in place.alerts]


def test_a_schedule_is_kept_shown_and_removed(place: Place) -> None:
    made = _schedule(place, every_seconds=7200)
    shown = place.get("/lists/people/schedule")
    assert (shown["list"], shown["every_seconds"], shown["on_change"]) == ("people", 7200, True)
    assert shown["options"] == made["options"]
    assert shown["options"]["kinds"] == OPTIONS["kinds"]
    assert place.client.delete("/admin/v1/lists/people/schedule").status_code == 204
    assert place.client.get("/admin/v1/lists/people/schedule").status_code == 404
    assert place.client.delete("/admin/v1/lists/people/schedule").status_code == 404
    assert place.client.put("/admin/v1/lists/none/schedule", json={}).status_code == 404


def test_it_is_verified_when_it_is_time_and_metrics_say_that_it_holds(place: Place) -> None:
    assert place.metric('letheward_verification_holds{list="people"}') is None
    _schedule(place)
    (first,) = _done(place, 1)
    assert (first["holds"], first["by"]) == (True, "schedule")
    place.until(lambda: place.metric('letheward_verification_holds{list="people"}'), lambda v: v == 1)
    age = place.metric('letheward_verification_age_seconds{list="people"}')
    assert age is not None
    assert 0 <= age < 120
    runs = Verifications(place.manager.store)
    again = runs.schedule("people")
    assert runs.claim(again, datetime.now(UTC) - timedelta(seconds=1))
    assert len(_done(place, 2)) == 2
    assert _reasons(place) == []


@pytest.mark.parametrize("change", ["list", "model"])
def test_a_change_breaks_the_proof_is_told_and_verified_soon(
    place: Place, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.verifying.watching._SOON", timedelta(seconds=1))
    _schedule(place)
    _done(place, 1)
    place.until(lambda: place.metric('letheward_verification_holds{list="people"}'), lambda v: v == 1)
    if change == "list":
        place.manager.change(lambda s: s.put_list(ForgetList("people", policy="monitor")))
    else:
        place.model.root = "weights-2"
    found = _done(place, 2)
    assert _reasons(place)[0] == f"{change}_changed"
    assert found[0]["holds"] is (change == "model")
    wanted = 1 if change == "model" else 0
    place.until(lambda: place.metric('letheward_verification_holds{list="people"}'), lambda v: v == wanted)


def test_a_change_without_a_schedule_shows_in_the_metric(place: Place) -> None:
    place.verify(**OPTIONS)
    place.until(lambda: place.metric('letheward_verification_holds{list="people"}'), lambda v: v == 1)
    place.manager.change(lambda s: s.put_list(ForgetList("other")))
    place.manager.change(lambda s: s.put_entry(Entry("new", "people", subject="Ova Brenk", answer="Tarim")))
    place.until(lambda: place.metric('letheward_verification_holds{list="people"}'), lambda v: v == 0)
    assert place.alerts == []


def test_one_that_cannot_begin_is_told_once_and_not_tried_again_before_its_time(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.verifying.watching._SOON", timedelta(seconds=1))
    place.model.name = "another"
    place.verify(**OPTIONS)
    place.model.name = "m"
    _schedule(place, options=OPTIONS | {"model": "another"})
    found = _done(place, 2)
    assert (found[0]["state"], "another" in found[0]["progress"]["error"]) == ("failed", True)
    place.until(lambda: _reasons(place), lambda r: "failed" in r)
    before = len(place.get("/verifications")["verifications"])
    ticks = len(place.model.bodies)
    runs = Verifications(place.manager.store)
    seen = runs.schedule("people").next_at
    place.until(
        lambda: place.metric('letheward_verification_age_seconds{list="people"}'), lambda v: v is not None and v > 3
    )
    assert len(place.get("/verifications")["verifications"]) == before
    assert (runs.schedule("people").next_at, len(place.model.bodies)) == (seen, ticks)


def test_what_a_process_left_behind_has_failed(place: Place) -> None:
    old = datetime.now(UTC) - timedelta(hours=1)
    Verifications(place.manager.store).begin(
        Verification("0" * 16, "people", None, "waiting", 1, "m", old, "ops", {}), SYSTEM
    )
    found = place.until(lambda: place.get(f"/verifications/{'0' * 16}"), lambda v: v["state"] == "failed")
    assert "process" in found["progress"]["error"]


def test_a_schedule_goes_with_its_list(place: Place) -> None:
    runs = Verifications(place.manager.store)
    later = datetime.now(UTC) + timedelta(hours=1)
    runs.put_schedule(Schedule("people", 3600, {}, later), SYSTEM)
    place.manager.change(lambda s: s.delete_list("people"))
    assert runs.schedules() == []
