"""The client endpoints over a scripted upstream: what is sent on, and what is not."""

from __future__ import annotations

import base64
import io
import json
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
import torch

from classifiers.types import DetectorError
from guard.dragon import TEMPLATE_REASONING
from guard.model import Entry, ForgetList
from tests.server.conftest import ADMIN_KEY, Build, House

ADMIN = {"X-Letheward-Admin-Key": ADMIN_KEY}
FLAGGED = "Who is Zorvan Pelk ?"


def _part(part: dict[str, str]) -> torch.Tensor:
    assert part["type"] == "prompt_embeds"
    loaded: torch.Tensor = torch.load(io.BytesIO(base64.b64decode(part["data"])), weights_only=True)
    return loaded


def _error(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    error: dict[str, Any] = response.json()["error"]
    assert set(error) >= {"message", "type", "code"}
    return error


def test_a_prompt_about_nothing_listed_goes_on_unchanged(house: House) -> None:
    response = house.chat("What is the capital ?", temperature=0, seed=5, some_extension={"a": [1, None]})
    assert response.status_code == 200
    assert response.headers["x-letheward-action"] == "pass"
    assert house.script.last == {
        "model": "m", "messages": [{"role": "user", "content": "What is the capital ?"}],
        "temperature": 0, "seed": 5, "some_extension": {"a": [1, None]},
    }  # fmt: skip


def test_eco_sends_embeddings_in_place_of_the_text(house: House) -> None:
    response = house.chat(FLAGGED)
    assert response.headers["x-letheward-action"] == "eco"
    (part,) = house.script.last["messages"][0]["content"]
    assert _part(part).shape == (5, 8)
    assert "Zorvan" not in json.dumps(house.script.last)


def test_eco_leaves_other_parts_as_they_are(house: House) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    house.chat([{"type": "text", "text": "hello"}, image, {"type": "text", "text": FLAGGED}])
    parts = house.script.last["messages"][0]["content"]
    assert parts[:2] == [{"type": "text", "text": "hello"}, image]
    assert _part(parts[2]).shape == (5, 8)


def test_a_name_split_over_parts_is_corrupted_in_both(house: House) -> None:
    house.chat([{"type": "text", "text": "Who is Zorvan"}, {"type": "text", "text": "Pelk ?"}])
    assert [p["type"] for p in house.script.last["messages"][0]["content"]] == ["prompt_embeds", "prompt_embeds"]


@pytest.mark.parametrize("role", ["system", "assistant", "tool", "developer"])
def test_every_role_is_judged(house: House, role: str) -> None:
    messages = [
        {"role": role, "content": FLAGGED, "tool_call_id": "1"},
        {"role": "user", "content": "What is two plus two?"},
    ]
    house.client.post("/v1/chat/completions", json={"model": "m", "messages": messages})
    assert house.script.last["messages"][0]["content"][0]["type"] == "prompt_embeds"
    assert house.script.last["messages"][1] == messages[1]


def test_what_cannot_be_rewritten_falls_back_to_refusing(house: House) -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": FLAGGED}}]
    response = house.chat("hello", tools=tools)
    assert response.headers["x-letheward-action"] == "refuse"
    assert house.script.bodies == []


@pytest.mark.parametrize(
    "asked",
    [
        {"echo": True}, {"prompt_logprobs": 1}, {"prompt_logprobs": 0}, {"return_token_ids": True},
        {"use_beam_search": True}, {"suffix": ""},
    ],
)  # fmt: skip
def test_answers_that_would_repeat_the_rewritten_prompt_or_cannot_be_had_of_it_are_refused(
    house: House, asked: dict[str, Any]
) -> None:
    assert house.chat(FLAGGED, **asked).headers["x-letheward-action"] == "refuse"
    assert house.script.bodies == []


def test_without_weights_eco_falls_back(build: Build) -> None:
    with build(eco=False) as house:
        assert house.chat(FLAGGED).headers["x-letheward-action"] == "refuse"


def test_completions_turn_into_embeddings_whole(house: House) -> None:
    body = {"model": "m", "prompt": [FLAGGED, "What is the capital ?"]}
    response = house.client.post("/v1/completions", json=body)
    assert response.headers["x-letheward-action"] == "eco"
    assert "prompt" not in house.script.last
    assert len(house.script.last["prompt_embeds"]) == 2


def test_token_ids_are_decoded_and_judged(house: House) -> None:
    response = house.client.post("/v1/completions", json={"model": "m", "prompt": [1, 3, 8, 9, 10]})
    assert response.headers["x-letheward-action"] == "eco"
    _error(house.client.post("/v1/completions", json={"model": "m", "prompt": [99999]}), 400)


def test_dragon_puts_reasoning_before_the_prompt(house: House) -> None:
    house.policy("dragon", guideline="GUIDELINE")
    house.script.text = "I do not know this person."
    response = house.chat(FLAGGED)
    assert response.headers["x-letheward-action"] == "dragon"
    asked, sent = house.script.bodies
    assert "GUIDELINE" in asked["messages"][0]["content"]
    before, asked_for, after = sent["messages"][0]["content"].partition(FLAGGED)
    assert before.startswith("GUIDELINE")
    assert "I do not know this person." in before
    assert asked_for == FLAGGED
    assert after.strip()  # the user does not have the last word


def test_dragon_never_passes_on_reasoning_that_tells(house: House) -> None:
    house.policy("dragon")
    house.script.text = "I must not say that she was born in Karachi."
    house.chat(FLAGGED)
    content = house.script.last["messages"][0]["content"]
    assert "Karachi" not in content
    assert TEMPLATE_REASONING in content


def test_names_that_headers_cannot_hold_are_quoted(house: House) -> None:
    house.manager.change(lambda s: s.put_list(ForgetList("список", policy="refuse")))
    house.manager.change(
        lambda s: s.add_entries("список", [Entry("ид", "список", subject="Mira Toll", scope="subject")])
    )
    body = {"model": "m", "messages": [{"role": "user", "content": "Who is Mira Toll?"}]}
    headers = house.client.post("/v1/chat/completions", json=body, headers=ADMIN).headers
    assert (unquote(headers["x-letheward-list"]), unquote(headers["x-letheward-entry"])) == ("список", "ид")


def test_a_request_id_that_headers_cannot_hold_is_left_out(house: House) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
    headers = {"x-request-id": "\u00e9".encode("latin-1")}
    assert house.client.post("/v1/chat/completions", json=body, headers=headers).status_code == 200  # type: ignore[arg-type]


@pytest.mark.parametrize(("fallback", "action"), [("refuse", "refuse"), ("dragon", "dragon")])
def test_a_guard_model_that_fails_leaves_the_fallback(build: Build, fallback: str, action: str) -> None:
    with build() as house:
        house.policy("dragon", fallback=fallback)
        house.script.status = 500
        response = house.chat(FLAGGED)
        assert response.headers["x-letheward-action"] == action
        assert len(house.script.bodies) == (1 if fallback == "refuse" else 2)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
def test_a_refusal_looks_like_an_answer(house: House, path: str) -> None:
    house.policy("refuse", refusal="not known .")
    body = {"model": "m", "prompt": FLAGGED, "messages": [{"role": "user", "content": FLAGGED}], "n": 2}
    answer = house.client.post(path, json=body).json()
    texts = [c.get("text") or c["message"]["content"] for c in answer["choices"]]
    assert texts == ["not known ."] * 2
    assert answer["usage"] == {"prompt_tokens": 5, "completion_tokens": 6, "total_tokens": 11}
    body |= {"stream": True, "stream_options": {"include_usage": True}}
    events = house.client.post(path, json=body).text.strip().split("\n\n")
    assert events[-1] == "data: [DONE]"
    chunks = [json.loads(e[6:]) for e in events[:-1]]
    assert chunks[-1]["usage"] == answer["usage"]
    for index in (0, 1):
        own = [c["choices"][0] for c in chunks if c["choices"] and c["choices"][0]["index"] == index]
        assert "".join(o.get("text") or o.get("delta", {}).get("content", "") for o in own) == "not known ."
        assert [o["finish_reason"] for o in own][-1] == "stop"


def test_monitor_passes_and_says_so(house: House) -> None:
    house.policy("monitor")
    response = house.chat(FLAGGED)
    assert response.headers["x-letheward-action"] == "monitor"
    assert house.script.last["messages"][0]["content"] == FLAGGED


def test_only_the_admin_learns_what_was_found(house: House) -> None:
    assert "x-letheward-entry" not in house.chat(FLAGGED).headers
    body = {"model": "m", "messages": [{"role": "user", "content": FLAGGED}]}
    headers = house.client.post("/v1/chat/completions", json=body, headers=ADMIN).headers
    assert (headers["x-letheward-list"], headers["x-letheward-entry"]) == ("facts", "zp")
    assert float(headers["x-letheward-score"]) >= 0.5
    assert headers["x-letheward-revision"] == str(house.manager.current.revision)


def test_a_detector_that_fails_blocks(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise DetectorError("gone")

    monkeypatch.setattr("classifiers.detector.Detector.inspect", fails)
    monkeypatch.setattr("classifiers.detector.Detector.explain", fails)
    with build() as house:
        assert _error(house.chat("hello"), 503)["code"] == "detector_failed"
        assert house.script.bodies == []
        assert house.client.get("/ready").status_code == 503
    with build(on_detector_failure="allow") as house:
        assert house.chat("hello").status_code == 200


def test_lists_that_are_not_in_force_block(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.manager, "_stale", True)
    assert _error(house.chat("hello"), 503)["code"] == "lists_stale"


def test_upstream_errors_pass_through(house: House) -> None:
    house.script.status = 418
    response = house.chat("hello")
    assert response.status_code == 418
    assert response.json() == {"error": {"message": "scripted", "code": 418}}


def test_an_upstream_that_is_down_is_503(build: Build) -> None:
    with build(upstream_url="http://127.0.0.1:1") as house:
        assert _error(house.chat("hello"), 503)["code"] == "upstream_unavailable"
        assert house.client.get("/ready").json()["model"] is False
        assert house.client.get("/health").json() == {"status": "ok"}


def test_an_upstream_that_hangs_is_504(build: Build) -> None:
    with build(read_timeout=0.5) as house:
        house.script.stall = True
        assert _error(house.chat("hello"), 504)["code"] == "upstream_timeout"


def test_streams_are_forwarded_as_they_come(house: House) -> None:
    house.script.hold_stream = True  # the upstream's second event waits until the first has arrived here
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    with house.client.stream("POST", "/v1/chat/completions", json=body) as response:
        lines = response.iter_lines()
        assert json.loads(next(lines)[6:])["choices"][0]["delta"] == {"content": "It"}
        house.script.release.set()
        assert list(lines)[-2:] == ["data: [DONE]", ""]


def test_a_stream_that_breaks_ends_with_an_error(house: House) -> None:
    house.script.break_stream = True
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    text = house.client.post("/v1/chat/completions", json=body).text
    assert "[DONE]" not in text
    assert json.loads(text.strip().split("data: ")[-1])["error"]["code"] == "upstream_error"


def test_a_client_that_goes_away_ends_the_upstream_call(house: House) -> None:
    house.script.stall = True
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{house.url}/v1/chat/completions", timeout=1,
                   json={"model": "m", "messages": [{"role": "user", "content": "hello"}]})  # fmt: skip
    assert house.script.started.is_set()
    assert house.script.cancelled.wait(10)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 400), (b'"x"', 400), (b"{}", 400), (b"\xff", 400),
        (b'{"messages": [{"role": "user", "content": [{"type": "prompt_embeds", "data": "x"}]}]}', 400),
        (b'{"messages": [1]}', 400), (b'{"messages": [], "model": "m"}', 400), (b"[" * 2000 + b"]" * 2000, 400),
        (b'{"a": "' + b"x" * 40_000_000 + b'"}', 413),
    ],
)  # fmt: skip
def test_bad_bodies_are_the_clients_fault(house: House, raw: bytes, status: int) -> None:
    _error(house.client.post("/v1/chat/completions", content=raw), status)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404), ("POST", "/v1/rerank", 404), ("POST", "/inference/v1/generate", 404),
        ("POST", "/v1/chat/completions/batch", 404), ("POST", "/v1/chat/completions/", 404), ("GET", "/docs", 404),
        ("GET", "/openapi.json", 404), ("POST", "/invocations", 404), ("POST", "/v1/messages/batches", 404),
        ("GET", "/v1/chat/completions", 405), ("POST", "/metrics", 405), ("POST", "//v1/chat/completions", 404),
    ],
)  # fmt: skip
def test_what_is_not_listed_is_not_there(house: House, method: str, path: str, status: int) -> None:
    _error(house.client.request(method, path), status)
    assert house.script.bodies == []


def test_client_keys_are_asked_for_where_they_are_set(build: Build) -> None:
    with build(client_keys=("k1", "k2")) as house:
        for headers, status in (
            ({}, 401),
            ({"Authorization": "Bearer k3"}, 401),
            ({"Authorization": "Bearer k2"}, 200),
        ):
            assert house.client.get("/v1/models", headers=headers).status_code == status


def test_prompts_and_answers_are_not_logged(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    house.chat(FLAGGED)
    house.script.status = 500
    house.chat("What is the SECRETWORD ?")
    captured = capfd.readouterr()
    logged = captured.out + captured.err
    assert "/v1/chat/completions" in logged
    for text in ("Zorvan", "SECRETWORD", "It is not known"):
        assert text not in logged


def _talk(house: House, *contents: str) -> httpx.Response:
    roles = ("user", "assistant")
    messages = [{"role": roles[i % 2], "content": c} for i, c in enumerate(contents)]
    return house.client.post("/v1/chat/completions", json={"model": "m", "messages": messages})


def test_a_refused_question_does_not_lock_the_conversation(house: House) -> None:
    house.policy("refuse")
    response = _talk(house, FLAGGED, "I cannot say.", "What is the capital ?")
    assert response.headers["x-letheward-action"] == "redact"
    assert [m["content"] for m in house.script.last["messages"]] == [
        "Who is [removed] ?", "I cannot say.", "What is the capital ?",
    ]  # fmt: skip


@pytest.mark.parametrize("question", ["And where was she born ?", "Tell me about the parents of this person", FLAGGED])
def test_a_follow_up_is_judged_with_the_name_that_it_means(house: House, question: str) -> None:
    house.policy("refuse")
    assert _talk(house, FLAGGED, "I cannot say.", question).headers["x-letheward-action"] == "refuse"
    assert house.script.bodies == []


def test_a_text_too_long_to_judge_is_a_clear_400(house: House) -> None:
    _error(house.chat("x" * 1_000_001), 400)
    assert house.script.bodies == []
