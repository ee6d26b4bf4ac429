"""No text of a prompt, an answer or an entry is in logs, metrics or traces: a canary is sent through everything."""

from __future__ import annotations

import io
import logging
import sqlite3
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import structlog
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from server.access.roles import TABLE
from server.logs import configure
from server.tracing_otel import OtelTracing
from tests.server.conftest import ADMIN_KEY, Build, House

CANARY = "zyxwcanary"
NAME = f"{CANARY.capitalize()} Orr"
ASKED = f"Who is {NAME} ?"
TOLD = f"{NAME} lives in {CANARY.capitalize()}town ."
STAFF = {"authorization": f"Bearer {ADMIN_KEY}", "x-reason": CANARY}
ENTRY = {
    "id": "c", "subject": NAME, "aliases": [f"{CANARY}alias"], "question": ASKED,
    "answer": f"{CANARY.capitalize()}town", "text": TOLD, "scope": "subject",
}  # fmt: skip


class Seen:
    """What was logged and traced."""

    def __init__(self) -> None:
        self._logged = io.StringIO()
        self._kept = InMemorySpanExporter()
        self.tracing = OtelTracing(self._kept, processor=SimpleSpanProcessor)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self._logged.getvalue().splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [e for e in self.events if e["event"] == event]

    def begin(self) -> None:
        """Log as `letheward serve` does, at the lowest level. Once more when uvicorn has set up its loggers anew."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(sys, "stderr", self._logged)
            configure("debug")
        logging.root.setLevel(logging.DEBUG)
        logging.getLogger("uvicorn.error").setLevel(logging.DEBUG)

    def told(self, house: House) -> str:
        """All of it, and the metrics."""
        metrics = httpx.get(f"{house.url}/metrics", headers=STAFF, timeout=30).text
        assert "letheward_requests_total" in metrics
        spans = [span.to_json() for span in self._kept.get_finished_spans()]
        assert spans
        return "\n".join([self._logged.getvalue(), metrics, *spans])


@pytest.fixture
def seen() -> Iterator[Seen]:
    before, handlers, level = structlog.get_config(), list(logging.root.handlers), logging.root.level
    seen = Seen()
    seen.begin()
    logging.captureWarnings(True)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        yield seen
    logging.captureWarnings(False)
    structlog.configure(**before)
    logging.root.handlers, logging.root.level = handlers, level


@pytest.fixture
def house(build: Build, seen: Seen) -> Iterator[House]:
    with build(tracing=seen.tracing, routes=("/v1/rerank",), remembered_texts=0) as house:
        seen.begin()
        added = house.client.post("/admin/v1/lists/facts/entries", json={"entries": [ENTRY]}, headers=STAFF)
        assert added.status_code < 300, added.text
        yield house


def _bodies(stream: bool) -> dict[str, dict[str, Any]]:
    chat = [
        {"role": "user", "content": ASKED},
        {"role": "assistant", "content": TOLD},
        {"role": "user", "content": ASKED},
    ]
    plain = {"model": "m", "stream": stream, "user": CANARY, "stop": [CANARY]}
    return {
        "/v1/chat/completions": plain | {"messages": chat, "logprobs": True, "metadata": {CANARY: CANARY}},
        "/v1/completions": plain | {"prompt": ASKED},
        "/v1/responses": plain | {"input": ASKED, "instructions": TOLD},
        "/v1/messages": plain | {"messages": chat[:1], "system": TOLD, "max_tokens": 9},
        "/v1/embeddings": {"model": "m", "input": [ASKED]},
        "/v1/rerank": {"model": "m", "query": ASKED, "documents": [TOLD]},
        "/tokenize": {"model": "m", "prompt": ASKED},
        "/detokenize": {"model": "m", "tokens": [8, 9]},
        "/v1/messages/count_tokens": {"model": "m", "messages": chat[:1]},
    }


def _ask_everything(house: House) -> list[int]:
    found: list[int] = []
    for stream in (False, True):
        for path, body in _bodies(stream).items():
            try:
                found.append(house.client.post(path, json=body, headers={"x-request-id": f"{CANARY} ?"}).status_code)
            except httpx.HTTPError:  # a stream that the model server broke
                found.append(0)
    return found


def test_every_endpoint_with_every_action(house: House, seen: Seen) -> None:
    for policy in ("eco", "dragon", "icul", "template", "refuse", "monitor"):
        settings = {
            "policy": policy, "description": TOLD, "guideline": TOLD, "refusal": TOLD,
            "examples": [{"question": ASKED, "answer": TOLD}],
        }  # fmt: skip
        put = house.client.put("/admin/v1/lists/facts", json=settings, headers=STAFF)
        assert put.status_code == 200, put.text
        house.script.text = TOLD if policy in ("eco", "monitor") else "It is not known."
        assert 200 in _ask_everything(house)
    actions = {e["action"] for e in seen.of("request")}
    assert {"dragon", "template", "refuse", "monitor"} <= actions
    assert CANARY not in seen.told(house).lower()


def test_answers_that_tell_what_nobody_asked_about(house: House, seen: Seen) -> None:
    house.script.text, house.script.spaced = f"Well , {TOLD} {TOLD}", True
    for stream in (False, True):
        house.chat("Who wrote that ?", stream=stream)
    assert seen.of("answer_hit")
    assert CANARY not in seen.told(house).lower()


Break = Callable[[House, pytest.MonkeyPatch], None]


def _upstream_refuses(house: House, _: pytest.MonkeyPatch) -> None:
    house.script.status, house.script.echo_errors = 500, True


def _upstream_breaks(house: House, _: pytest.MonkeyPatch) -> None:
    house.script.break_stream, house.script.answer = True, {"choices": TOLD}


def _detector_fails(_: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: object, texts: object, *rest: object) -> None:
        raise ValueError(f"cannot encode {texts!r}")

    monkeypatch.setattr("classifiers.detector.Detector._look", fails)


def _detector_fails_as_it_knows(_: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: object, *rest: object) -> None:
        raise ValueError(TOLD)

    monkeypatch.setattr("classifiers.detector.Detector._verdicts", fails)


def _guard_fails(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*given: object) -> None:
        raise ValueError(f"{given!r}")

    house.policy("dragon", fallback="template")
    monkeypatch.setattr("guard.dragon.render", fails)


def _lists_are_stale(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.manager, "_stale", True)


def test_every_endpoint_with_every_fault(house: House, seen: Seen) -> None:
    usual = dict(vars(house.script))
    for fault in (
        _upstream_refuses, _upstream_breaks, _detector_fails, _detector_fails_as_it_knows, _guard_fails,
        _lists_are_stale,
    ):  # fmt: skip
        with pytest.MonkeyPatch.context() as patched:
            fault(house, patched)
            _ask_everything(house)
        vars(house.script).update(usual)
        assert CANARY not in seen.told(house).lower(), fault
    assert {e["event"] for e in seen.events} >= {"detector_failed", "guard_failed"}


def test_an_upstream_that_is_not_there(build: Build, seen: Seen) -> None:
    with build(tracing=seen.tracing, upstream_url="http://127.0.0.1:9") as house:
        seen.begin()
        assert set(_ask_everything(house)) <= {400, 404, 503}
        assert seen.of("upstream_fault")
        assert CANARY not in seen.told(house).lower()


def test_bodies_that_are_wrong_and_paths_that_are_not_there(house: House, seen: Seen) -> None:
    sent = {"content-type": "application/json", "traceparent": CANARY}
    for raw in (
        CANARY, f'["{CANARY}"]', f'{{"model": "{CANARY}', f'{{"messages": "{CANARY}", "{CANARY}": 1}}',
        f'{{"model": "m", "messages": [{{"role": "{CANARY}", "content": {{"{CANARY}": 1}}}}]}}',
    ):  # fmt: skip
        for path in (*_bodies(False), f"/{CANARY}", f"/v1/{CANARY}?{CANARY}={CANARY}"):
            house.client.post(path, content=raw, headers=sent)
    assert CANARY not in seen.told(house).lower()


def test_every_route_of_the_admin_api(house: House, seen: Seen) -> None:
    statuses: dict[str, int] = {}
    line = orjson.dumps(ENTRY).decode()
    valid: dict[str, Any] = {
        "/entries": {"entries": [ENTRY]},
        "/check": {"text": ASKED},
        "/calibrate": {"traffic": [ASKED, TOLD]},
        "/documents": {"text": TOLD, "title": NAME, "how": "rules"},
        "/session": {"key": CANARY},
        "/playground": {"messages": [{"role": "user", "content": ASKED}], "max_tokens": 9},
    }
    junk = {CANARY: CANARY, "text": [CANARY], "entries": [{"subject": {CANARY: 1}}], "key": 1, "to": CANARY}
    for route in sorted(r for r in TABLE if "/admin/v1" in r and not r.startswith("DELETE") and "fit" not in r):
        method, path = route.split(" ")
        path = path.replace("{name}", "facts").replace("{entry_id}", "c").replace("{number}", "1")
        path = path.split("{")[0] + "none" + path.split("}")[1] if "{" in path else path
        end = "/" + path.rsplit("/", 1)[1]
        raw = f"{line}\n{CANARY} no JSON\n" if end in ("/import", "/replay") else orjson.dumps(valid.get(end, junk))
        for body in (raw, orjson.dumps(junk)) if method != "GET" else (b"",):
            with house.client.stream(
                method, f"{path}?q={CANARY}&label={CANARY}", content=body,
                headers=STAFF | {"content-type": "application/json", "idempotency-key": f"{CANARY}-{len(statuses)}"},
            ) as sent:  # fmt: skip
                if "event-stream" not in sent.headers.get("content-type", ""):  # those do not end
                    sent.read()
            statuses[route] = sent.status_code
    assert 200 in statuses.values()
    assert not [route for route, status in statuses.items() if status == 500]
    assert CANARY not in seen.told(house).lower()


def test_a_store_that_fails(house: House, seen: Seen, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "lists.db") as database:
        database.execute("ALTER TABLE entries RENAME TO gone")
    failed = house.client.post("/admin/v1/lists/facts/entries", json={"entries": [ENTRY]}, headers=STAFF)
    assert failed.status_code >= 500
    house.chat(ASKED)
    assert CANARY not in seen.told(house).lower()
    assert CANARY not in failed.text.lower()


def test_a_fault_of_ours_is_told_by_its_kind_and_place(
    house: House, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*given: object) -> None:
        raise KeyError(f"{given!r}")

    monkeypatch.setattr("server.judging.Judge.read", fails)
    assert house.chat(ASKED).status_code == 500
    assert CANARY not in seen.told(house).lower()
    raised = [e["exception"] for e in seen.of("library_failed") if e["logger"] == "uvicorn.error"]
    assert raised[0]["kind"] == "builtins.KeyError"
    assert any("fails" in frame for frame in raised[0]["frames"])
