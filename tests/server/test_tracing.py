"""Traces and ids: what of a request can be followed from the client to the model server and in the logs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as names
from opentelemetry.trace import SpanKind, StatusCode
from structlog.testing import capture_logs

from server import gen_ai
from server.tracing_otel import OtelTracing
from tests.server.conftest import Build, House

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
FLAGGED = "Who is Zorvan Pelk ?"


class Traces:
    """What was traced so far."""

    def __init__(self) -> None:
        self._kept = InMemorySpanExporter()
        self.tracing = OtelTracing(self._kept, processor=SimpleSpanProcessor)

    def after(self, name: str) -> dict[str, ReadableSpan]:
        """All that have ended, once that one has: a server's span ends after its client has read the answer."""
        deadline = time.monotonic() + 20
        while name not in (spans := {span.name: span for span in self._kept.get_finished_spans()}):
            assert time.monotonic() < deadline, spans.keys()
            time.sleep(0.01)
        return spans

    def text(self) -> str:
        return "".join(span.to_json() for span in self._kept.get_finished_spans())


@pytest.fixture
def traces() -> Traces:
    return Traces()


@pytest.fixture
def traced(build: Build, traces: Traces) -> Iterator[House]:
    with build(tracing=traces.tracing) as house:
        yield house


def _of(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def test_the_names_are_those_of_the_conventions_that_are_installed() -> None:
    ours = {v for v in vars(gen_ai).values() if isinstance(v, str) and v.startswith("gen_ai.")}
    ours |= set(gen_ai._NUMBERS.values())
    theirs = {v for k, v in vars(names).items() if k.startswith("GEN_AI_") and isinstance(v, str)}
    assert ours <= theirs


def test_a_request_is_one_trace_from_the_client_to_the_model_server(traced: House, traces: Traces) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": FLAGGED}], "max_tokens": 7, "temperature": 0.5}
    traced.policy("dragon")
    traced.client.headers.update({"traceparent": PARENT, "tracestate": "a=b"})
    response = traced.client.post("/v1/chat/completions", json=body)
    assert response.status_code == 200
    spans = traces.after("POST /v1/chat/completions")
    served, sent = spans["POST /v1/chat/completions"], spans["chat m"]
    assert {format(span.context.trace_id, "032x") for span in spans.values()} == {TRACE}
    assert served.parent is not None
    assert format(served.parent.span_id, "016x") == "b7ad6b7169203331"
    assert (served.kind, sent.kind) == (SpanKind.SERVER, SpanKind.CLIENT)
    told = traced.script.headers[-1]
    assert told["traceparent"] == f"00-{TRACE}-{sent.context.span_id:016x}-01"
    assert told["tracestate"] == "a=b"
    assert {f"letheward.{name}" for name in ("read", "judge", "judge.encode", "guard", "watch")} <= set(spans)
    assert spans["letheward.judge.encode"].parent == spans["letheward.judge"].context
    assert _of(served) | {
        "http.request.method": "POST", "http.route": "/v1/chat/completions", "http.response.status_code": 200,
        "letheward.action": "dragon",
    } == _of(served)  # fmt: skip
    assert _of(sent) | {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "vllm", "gen_ai.request.model": "m",
        "gen_ai.request.max_tokens": 7, "gen_ai.request.temperature": 0.5, "gen_ai.response.id": "1",
        "gen_ai.response.finish_reasons": ("stop",), "http.response.status_code": 200,
    } == _of(sent)  # fmt: skip


def test_a_stream_is_traced_to_its_end(traced: House, traces: Traces) -> None:
    traced.script.text = "one two three"
    with traced.client.stream("POST", "/v1/chat/completions", json={
        "model": "m", "messages": [{"role": "user", "content": "hello"}], "stream": True,
    }) as response:  # fmt: skip
        response.read()
    spans = traces.after("POST /v1/chat/completions")
    sent, watched = spans["chat m"], spans["letheward.watch"]
    assert _of(sent)["gen_ai.request.stream"] is True
    assert _of(sent)["gen_ai.response.time_to_first_chunk"] > 0  # type: ignore[operator]
    assert _of(watched)["letheward.answer.cut"] is False
    served = spans["POST /v1/chat/completions"]
    assert served.end_time is not None
    assert sent.end_time is not None
    assert sent.end_time <= served.end_time


def test_failures_are_marked_by_their_kind_alone(traced: House, traces: Traces) -> None:
    traced.script.status, traced.script.echo_errors = 500, True
    traced.chat("hello canary")
    sent = traces.after("POST /v1/chat/completions")["chat m"]
    assert sent.status.status_code is StatusCode.ERROR
    assert _of(sent)["error.type"] == "500"
    assert "canary" not in traces.text()


def test_a_path_that_a_client_made_up_is_in_no_trace(traced: House, traces: Traces) -> None:
    traced.client.post("/canary?canary", headers={"traceparent": "00-canary", "tracestate": "canary=1"})
    assert traces.after("POST other")
    assert "canary" not in traces.text()


def test_without_traces_a_clients_trace_goes_on_as_it_came(house: House) -> None:
    house.client.headers.update({"traceparent": PARENT, "tracestate": "a=b"})
    house.chat("hello")
    assert (house.script.headers[-1]["traceparent"], house.script.headers[-1]["tracestate"]) == (PARENT, "a=b")
    for wrong in ("", "00-0-0-01", PARENT.replace(TRACE, "0" * 32), "ff" + PARENT[2:], PARENT.upper()):
        house.client.headers["traceparent"] = wrong
        house.chat("hello")
        assert "traceparent" not in house.script.headers[-1]


def test_what_is_logged_of_a_request_has_its_ids(house: House) -> None:
    with capture_logs(processors=[_merged]) as logged:
        house.chat("hello")
        mine = house.client.post(
            "/v1/chat/completions", json={"model": "m", "messages": [{"role": "user", "content": FLAGGED}]},
            headers={"x-request-id": "mine-1", "traceparent": PARENT},
        )  # fmt: skip
    ids = [e["request_id"] for e in logged if e["event"] == "request"]
    assert re.fullmatch(r"[0-9a-f]{32}", ids[0])
    assert ids[1] == "mine-1" == mine.headers["x-request-id"]
    assert [e.get("trace_id") for e in logged if e["event"] == "request"] == [None, TRACE]


def test_an_id_that_could_be_text_is_replaced(house: House) -> None:
    response = house.client.get("/v1/models", headers={"x-request-id": "What is the capital"})
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["x-request-id"])


@pytest.mark.parametrize("switched_on", [("facts",), ("facts", "other"), ("other",), ()])
def test_texts_are_written_only_for_lists_that_are_switched_on(
    build: Build, traces: Traces, switched_on: tuple[str, ...]
) -> None:
    with capture_logs() as logged, build(tracing=traces.tracing, log_texts_of=switched_on) as house:
        house.chat(FLAGGED)
        house.chat("Where is the library ?")
    warned = [e for e in logged if e["event"] == "texts_are_logged"]
    written = [e["texts"] for e in logged if e["event"] == "request_texts"]
    assert bool(warned) == bool(switched_on)
    assert written == ([[FLAGGED]] if "facts" in switched_on else [])
    assert ("Zorvan" in traces.text()) == ("facts" in switched_on)
    assert "library" not in str(logged) + traces.text()


def _merged(_: object, __: str, event: dict[str, object]) -> dict[str, object]:
    from structlog.contextvars import get_contextvars

    return dict(get_contextvars()) | event
