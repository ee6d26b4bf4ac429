"""Endpoints beside chat and completions: what is guarded, what passes, and what has to be enabled."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from server.clients import Client
from tests.server.conftest import Build, House

FLAGGED = "Who is Zorvan Pelk ?"
FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:,"}}


def _post(house: House, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    return house.client.post(path, json={"model": "m", **body}, headers=headers)


def test_what_is_guarded_is_taken_out_before_it_is_embedded(house: House) -> None:
    response = _post(house, "/v1/embeddings", {"input": ["What is the capital ?", FLAGGED], "dimensions": 8})
    assert response.headers["x-letheward-action"] == "redact"
    assert house.script.last == {
        "model": "m", "input": ["What is the capital ?", "Who is [removed] ?"], "dimensions": 8,
    }  # fmt: skip
    untouched = {"model": "m", "input": "What is the capital ?", "encoding_format": "base64"}
    _post(house, "/v1/embeddings", untouched)
    assert house.script.last == untouched


def test_a_list_that_refuses_refuses_to_embed(house: House) -> None:
    house.policy("refuse", refusal="Not this.")
    response = _post(house, "/v1/embeddings", {"input": FLAGGED})
    assert (response.status_code, response.json()["error"]["message"]) == (400, "Not this.")
    assert house.script.bodies == []


def test_embeddings_of_token_ids_are_judged_as_their_text(house: House) -> None:
    assert _post(house, "/v1/embeddings", {"input": [1, 3, 8, 9, 10]}).headers["x-letheward-action"] == "redact"


@pytest.mark.parametrize("path", ["/tokenize", "/detokenize", "/v1/messages/count_tokens"])
def test_routes_that_ask_no_model_pass(house: House, path: str) -> None:
    body = {"model": "m", "prompt": FLAGGED, "tokens": [1, 2]}
    assert house.client.post(path, json=body).status_code == 200
    assert house.script.last == body


def test_embeddings_do_not_come_in_by_any_route(house: House) -> None:
    for path in ("/tokenize", "/v1/embeddings", "/v1/responses", "/v1/messages"):
        body = {
            "input": "hi",
            "messages": [{"role": "user", "content": "hi"}],
            "max_tokens": 5,
            "prompt_embeds": "AAAA",
        }
        assert _post(house, path, body).status_code == 400, path
    assert house.script.bodies == []


def test_another_route_is_there_only_where_the_operator_named_it(house: House, build: Build) -> None:
    assert _post(house, "/v1/rerank", {"query": "hi", "documents": ["a"]}).status_code == 404
    with build(routes=("/v1/rerank",)) as enabled:
        assert _post(enabled, "/v1/rerank", {"query": "hi", "documents": ["a"]}).status_code == 200
        sent = len(enabled.script.bodies)
        response = _post(enabled, "/v1/rerank", {"query": "hi", "documents": ["a", FLAGGED]})
        assert response.headers["x-letheward-action"] == "refuse"
        assert len(enabled.script.bodies) == sent


@pytest.mark.parametrize("media", ["pass", "refuse"])
def test_parts_that_are_no_text_pass_or_not_as_the_operator_wants(build: Build, media: str) -> None:
    with build(media=media) as house:
        response = house.chat([{"type": "text", "text": "hello"}, IMAGE])
        assert response.status_code == (200 if media == "pass" else 400)
        if media == "refuse":
            assert response.json()["error"]["code"] == "unsupported_media"


def test_a_key_may_come_as_anthropics_clients_send_it(build: Build) -> None:
    body = {"max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
    with build(client_keys=("k1",)) as house:
        assert _post(house, "/v1/messages", body, **{"x-api-key": "k1"}).status_code == 200
        refused = _post(house, "/v1/messages", body, **{"x-api-key": "k2"})
        assert refused.status_code == 401
        assert refused.json()["error"]["type"] == "authentication_error"
        assert refused.json()["type"] == "error"


TENANTS = (Client("ka", "a"), Client("kb", "b", frozenset({"facts"})))


def _ask(house: House, key: str, model: str = "m", **headers: str) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": FLAGGED}]}
    return house.client.post("/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {key}", **headers})


def _action(response: httpx.Response) -> str:
    return response.headers["x-letheward-action"]


def test_a_list_can_be_for_some_clients(build: Build) -> None:
    with build(clients=TENANTS) as house:
        house.policy("refuse", tenants=("b",))
        assert (_action(_ask(house, "ka")), _action(_ask(house, "kb"))) == ("pass", "refuse")
        house.policy("refuse")
        assert _action(_ask(house, "ka")) == "refuse"


def test_a_list_can_be_for_some_models(house: House) -> None:
    house.policy("refuse", models=("big-*",))
    assert (_action(_ask(house, "x", "small")), _action(_ask(house, "x", "big-1"))) == ("pass", "refuse")


def test_the_answers_of_lists_for_others_are_not_watched(build: Build) -> None:
    with build(clients=TENANTS) as house:
        house.policy("refuse", tenants=("b",))
        house.script.text = "Zorvan Pelk comes from Karachi."
        assert "Karachi" in _ask(house, "ka").text


def test_a_client_may_leave_out_only_what_it_may_choose(build: Build) -> None:
    with build(clients=TENANTS) as house:
        house.policy("refuse")
        assert _action(_ask(house, "kb")) == "refuse"
        assert _action(_ask(house, "kb", **{"x-letheward-lists": ""})) == "pass"
        assert _action(_ask(house, "kb", **{"x-letheward-lists": "facts"})) == "refuse"
        for key, named in (("ka", "facts"), ("kb", "other")):
            response = _ask(house, key, **{"x-letheward-lists": named})
            assert (response.status_code, response.json()["error"]["code"]) == (403, "lists_not_allowed")


def _respond(house: House, text: str, key: str = "", **fields: Any) -> httpx.Response:
    return _post(
        house, "/v1/responses", {"input": text, **fields}, **({"Authorization": f"Bearer {key}"} if key else {})
    )


RESPONSE: dict[str, Any] = {
    "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m", "error": None,
    "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "Gladly.", "annotations": []}]}],
    "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
}  # fmt: skip


def test_a_conversation_that_goes_on_is_judged_whole(house: House) -> None:
    house.policy("refuse", refusal="not known .")
    house.script.answer = RESPONSE
    first = _respond(house, "Good morning !").json()
    assert _action(_respond(house, "How are you ?", previous_response_id=first["id"])) == "pass"
    assert house.script.last["input"][0]["content"] == "Good morning !"
    assert "previous_response_id" not in house.script.last
    about = _respond(house, "Let us talk about Zorvan Pelk .").json()
    assert about["output"][0]["content"][0]["text"] == "not known ."
    then = _respond(house, "And where was she born ?", previous_response_id=about["id"])
    assert _action(then) == "refuse"
    assert then.json()["previous_response_id"] == about["id"]


def test_a_response_is_there_for_whoever_asked_and_nobody_else(build: Build) -> None:
    with build(client_keys=("k1", "k2")) as house:
        house.script.answer = RESPONSE
        made = _respond(house, "Good morning !", "k1").json()
        path = f"/v1/responses/{made['id']}"
        mine, other = ({"Authorization": f"Bearer {k}"} for k in ("k1", "k2"))
        assert house.client.get(path, headers=mine).json()["output"] == made["output"]
        assert house.client.get(path, headers=other).status_code == 404
        assert _respond(house, "And ?", "k2", previous_response_id=made["id"]).status_code == 404
        assert house.client.delete(path, headers=other).status_code == 404
        assert house.client.delete(path, headers=mine).json()["deleted"] is True
        assert house.client.get(path, headers=mine).status_code == 404


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("responses", {"background": True}), ("responses", {"prompt": {"id": "p"}}),
        ("responses", {"previous_input_messages": [{"role": "user", "content": "Hi"}]}),
        ("responses", {"enable_response_messages": True}),
        ("responses", {"tools": [FUNCTION], "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []}}),
        ("responses", {"tool_choice": {"type": "web_search_preview"}}),
        ("messages", {"max_tokens": "9"}), ("messages", {"tools": [{"type": "web_search", "name": "w"}]}),
    ],
)  # fmt: skip
def test_what_a_guarded_request_cannot_have_is_refused_whoever_is_asked_about(
    house: House, path: str, fields: dict[str, Any]
) -> None:
    told = []
    for text in ("Who wrote about gardens?", "Tell me about Zorvan Pelk."):
        said = {"input": text} if path == "responses" else {"messages": [{"role": "user", "content": text}]}
        response = _post(house, f"/v1/{path}", {"max_tokens": 9, **said, **fields})
        told.append((response.status_code, response.json()))
    assert told[0] == told[1]
    assert told[0][0] == 400
    assert house.script.bodies == []


def test_tools_that_the_model_server_would_run_are_no_way_to_find_the_guard(house: House) -> None:
    house.policy("dragon")
    for text in ("Who wrote about gardens?", FLAGGED):
        response = _respond(house, text, tools=[{"type": "web_search"}, FUNCTION])
        assert response.status_code == 200, text
    assert [t["function"]["name"] for t in house.script.last["tools"]] == ["f"]


def test_what_is_not_to_be_stored_is_not(house: House) -> None:
    house.script.answer = RESPONSE
    made = _respond(house, "Good morning !", store=False).json()
    assert house.client.get(f"/v1/responses/{made['id']}").status_code == 404


def test_errors_of_messages_have_anthropics_shape(house: House) -> None:
    for body in ({}, {"messages": 1}, {"max_tokens": 5, "messages": []}):
        response = _post(house, "/v1/messages", body)
        assert response.status_code == 400
        assert response.json()["type"] == "error"
