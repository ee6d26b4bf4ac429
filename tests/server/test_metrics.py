"""What /metrics shows, over a real socket."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from classifiers.types import DetectorError
from guard.model import Entry, ForgetList
from guard.snapshot import SnapshotManager
from server.judging import Judgement
from server.metrics import Metrics
from tests.server.conftest import ADMIN_KEY, Build, House

AUTH = {"Authorization": f"Bearer {ADMIN_KEY}"}
FLAGGED = "Who is Zorvan Pelk ?"
CANARY = "Quendelyth"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def _read(house: House) -> Samples:
    response = house.client.get("/metrics", headers=AUTH)
    assert response.status_code == 200
    return _parsed(response.text)


def _parsed(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _at(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"letheward_{name}", frozenset(labels.items())))


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer client-key"}])
def test_metrics_ask_for_the_admin_key(build: Build, headers: dict[str, str]) -> None:
    with build(client_keys=("client-key",)) as house:
        response = house.client.get("/metrics", headers=headers)
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "invalid_admin_key"
        assert house.client.get("/metrics", headers={"X-Letheward-Admin-Key": ADMIN_KEY}).status_code == 200


def test_metrics_are_open_where_the_operator_opened_them(build: Build) -> None:
    with build(metrics_public=True) as house:
        response = house.client.get("/metrics")
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/plain; version=")


def test_requests_verdicts_stages_and_scores_are_counted(house: House) -> None:
    house.chat(FLAGGED)
    house.chat("What is the capital ?")
    house.chat("x" * 1_000_001)
    house.client.get("/v1/models")
    house.client.get("/made-up-by-a-client")
    seen = _read(house)
    path = "/v1/chat/completions"
    assert _at(seen, "requests_total", path=path, action="eco", status="2xx") == 1
    assert _at(seen, "requests_total", path=path, action="pass", status="2xx") == 1
    assert _at(seen, "requests_total", path=path, action="none", status="4xx") == 1
    assert _at(seen, "requests_total", path="other", action="none", status="4xx") == 1
    assert not any("made-up" in value for _, labels in seen for _, value in labels)
    assert _at(seen, "prompts_total") == 2
    assert _at(seen, "prompts_before_encoder_total") == 1
    assert _at(seen, "verdicts_total", list="facts") == 1
    assert _at(seen, "detector_failures_total", kind="too_long") == 1
    for stage in ("read", "scan", "encode", "weigh", "turns"):
        assert _at(seen, "detector_seconds_count", stage=stage) == 2
    assert _at(seen, "score_bucket", list="facts", le="0.0") == 1
    assert _at(seen, "score_bucket", list="facts", le="0.4") == 1
    assert _at(seen, "score_bucket", list="facts", le="+Inf") == _at(seen, "score_count", list="facts") == 2
    assert 0.5 <= (_at(seen, "score_sum", list="facts") or 0) <= 1
    assert _at(seen, "flagged_share", list="facts") == 0.5
    assert _at(seen, "enforcing") == 1


def test_a_detector_that_fails_is_counted_by_kind(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise DetectorError("gone") from MemoryError()

    monkeypatch.setattr("classifiers.detector.Detector.inspect", fails)
    assert house.chat("hello").status_code == 503
    assert _at(_read(house), "detector_failures_total", kind="MemoryError") == 1


def test_the_lists_are_gauges(house: House) -> None:
    before = _read(house)
    assert _at(before, "entries", list="facts") == 1
    assert (_at(before, "lists", state="on"), _at(before, "lists", state="off")) == (1, 0)
    assert _at(before, "revision") == house.manager.current.revision
    assert _at(before, "lists_stale") == 0
    added = {"entries": [{"subject": "Mira Toll"}, {"subject": "Bo Tann"}]}
    house.client.post("/admin/v1/lists/facts/entries", headers=AUTH, json=added)
    house.client.put("/admin/v1/lists/off", headers=AUTH, json={"enabled": False})
    after = _read(house)
    assert _at(after, "entries", list="facts") == 3
    assert _at(after, "lists", state="off") == 1
    assert (_at(after, "revision") or 0) == (_at(before, "revision") or 0) + 2
    changed = "lists_changed_timestamp_seconds"
    assert (_at(after, changed) or 0) > (_at(before, changed) or 0)


def test_lists_that_are_not_in_force_show(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.manager, "_stale", True)
    assert _at(_read(house), "lists_stale") == 1


def test_drift_shows_when_the_traffic_changes(build: Build) -> None:
    with build(window=5) as house:
        for _ in range(4):
            house.chat("What is the capital ?")
        assert _at(_read(house), "score_drift", list="facts") is None
        house.chat("What is the capital ?")
        assert _at(_read(house), "score_drift", list="facts") == 0
        for _ in range(5):
            house.chat(FLAGGED)
        seen = _read(house)
        assert (_at(seen, "score_drift", list="facts"), _at(seen, "flagged_share", list="facts")) == (1, 1)
        assert _at(seen, "score_window_prompts", list="facts", window="recent") == 5


def test_another_threshold_begins_the_windows_anew_and_another_description_does_not(build: Build) -> None:
    with build(window=2) as house:
        for text in ("hello", "hello", FLAGGED, FLAGGED):
            house.chat(text)
        house.policy("eco", description="new words")
        assert _at(_read(house), "score_drift", list="facts") == 1
        house.policy("eco", threshold=0.77)
        assert _at(_read(house), "score_drift", list="facts") is None
        house.chat(FLAGGED)
        seen = _read(house)
        assert _at(seen, "score_window_prompts", list="facts", window="reference") == 1
        assert _at(seen, "score_count", list="facts") == 5  # a counter goes on


def test_lists_that_are_off_or_gone_leave(house: House) -> None:
    house.chat(FLAGGED)
    assert _at(_read(house), "flagged_share", list="facts") == 1
    house.policy("eco", enabled=False)
    assert _at(_read(house), "flagged_share", list="facts") is None
    house.policy("eco")
    house.chat("hello")
    assert _at(_read(house), "flagged_share", list="facts") == 0
    house.manager.change(lambda s: s.delete_list("facts"))
    assert not any(("list", "facts") in labels for (name, labels) in _read(house) if "score" in name or "entr" in name)


def test_a_prompt_judged_by_lists_that_went_out_of_force_leaves_the_windows_alone(manager: SnapshotManager) -> None:
    old, metrics = manager.current, Metrics(manager)
    manager.change(lambda s: s.put_list(ForgetList("facts", threshold=0.9)))
    judgement = Judgement([], {"facts": 1.0}, True, {"read": 1.0})
    metrics.judged(old, judgement)
    assert _at(_parsed(metrics.render().decode()), "score_count", list="facts") == 0
    metrics.judged(manager.current, judgement)
    assert _at(_parsed(metrics.render().decode()), "score_count", list="facts") == 1


def test_counting_from_many_threads_loses_nothing(manager: SnapshotManager) -> None:
    metrics = Metrics(manager, window=50)
    judgement = Judgement([], {"facts": 0.35}, False, {"read": 0.1})

    def work() -> None:
        for i in range(300):
            metrics.judged(manager.current, judgement)
            if i % 100 == 0:
                metrics.render()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = _parsed(metrics.render().decode())
    assert _at(seen, "prompts_total") == _at(seen, "score_count", list="facts") == 1200
    assert _at(seen, "score_bucket", list="facts", le="0.3") == 0
    assert _at(seen, "score_bucket", list="facts", le="0.4") == 1200


def test_no_text_no_subject_and_no_entry_is_in_the_metrics(house: House) -> None:
    house.manager.change(lambda s: s.put_list(ForgetList("other", policy="monitor")))
    entry = Entry("canary-id", "other", subject=f"{CANARY} Orr", answer=f"{CANARY}town", scope="subject")
    house.manager.change(lambda s: s.add_entries("other", [entry]))
    house.chat(f"Who is {CANARY} Orr?")
    house.client.post(f"/{CANARY}", headers={"x-letheward-action": CANARY})
    text = house.client.get(f"/metrics?{CANARY}", headers=AUTH).text
    assert 'list="other"' in text
    for secret in (CANARY, "canary-id", "Zorvan", "Pelk", '"zp"'):
        assert secret not in text


@pytest.fixture
def watching(build: Build) -> Iterator[House]:
    with build(enforce=False) as house:
        yield house


def test_watching_passes_everything_as_it_came(watching: House) -> None:
    house = watching
    for policy, would_be in (("eco", "eco"), ("dragon", "dragon"), ("refuse", "refuse"), ("monitor", "refuse")):
        house.policy(policy)
        with capture_logs() as logged:
            response = house.chat(FLAGGED, temperature=0)
        assert response.headers["x-letheward-action"] == "monitor"
        assert house.script.last == {
            "model": "m", "messages": [{"role": "user", "content": FLAGGED}], "temperature": 0,
        }  # fmt: skip
        (line,) = [event for event in logged if event["event"] == "would_act"]
        assert line["log_level"] == "info"
        assert (line["would_be"], line["forget_list"], line["entry"]) == (would_be, "facts", "zp")
        assert line["score"] >= line["threshold"] > 0
        assert "Zorvan" not in str(logged)
    assert house.chat("What is the capital ?").headers["x-letheward-action"] == "pass"
    seen = _read(house)
    assert _at(seen, "would_act_total", list="facts", would_be="refuse") == 2
    assert _at(seen, "enforcing") == 0
    assert house.client.get("/ready").json()["enforcing"] is False


def test_watching_tells_of_the_past_of_a_conversation(watching: House) -> None:
    watching.policy("refuse")
    contents = [("user", FLAGGED), ("assistant", "no"), ("user", "What is the capital ?")]
    messages = [{"role": role, "content": content} for role, content in contents]
    watching.client.post("/v1/chat/completions", json={"model": "m", "messages": messages})
    assert watching.script.last["messages"] == messages
    assert _at(_read(watching), "would_act_total", list="facts", would_be="redact") == 1


@pytest.mark.parametrize(
    "body",
    [
        {"model": "m", "messages": [{"role": "user", "content": [{"type": "prompt_embeds", "data": "x"}]}]},
        {"model": "m", "messages": [{"role": "user", "content": "x" * 1_000_001}]},
        {"model": "m", "messages": "none"},
    ],
)
def test_watching_passes_what_would_be_answered_with_an_error(watching: House, body: dict[str, object]) -> None:
    response = watching.client.post("/v1/chat/completions", json=body)
    assert (response.status_code, response.headers["x-letheward-action"]) == (200, "monitor")
    assert watching.script.last == body
    assert _at(_read(watching), "would_act_total", list="", would_be="refuse") == 1


def test_watching_passes_while_the_detector_or_the_lists_fail(watching: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching.manager, "_stale", True)
    assert watching.chat("hello").status_code == 200

    def fails(*_: object) -> None:
        raise DetectorError("gone")

    monkeypatch.setattr(watching.manager, "_stale", False)
    monkeypatch.setattr("classifiers.detector.Detector.inspect", fails)
    assert watching.chat("hello").headers["x-letheward-action"] == "monitor"


def test_a_list_that_only_watches_tells_what_its_fallback_would_be(house: House) -> None:
    house.policy("monitor", fallback="dragon")
    with capture_logs() as logged:
        assert house.chat(FLAGGED).headers["x-letheward-action"] == "monitor"
    assert [e["would_be"] for e in logged if e["event"] == "would_act"] == ["dragon"]
    assert _at(_read(house), "would_act_total", list="facts", would_be="dragon") == 1
    assert house.client.get("/ready").json()["enforcing"] is True
    house.policy("eco")
    with capture_logs() as logged:
        house.chat(FLAGGED)
    assert "would_act" not in {e["event"] for e in logged}
