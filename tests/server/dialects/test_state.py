"""What ``previous_response_id`` stands for, to whom, and for how long."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from server.dialects import responses
from server.dialects.state import ResponseStore, owner_of, put_back
from server.errors import ApiError

ANN, BOB = owner_of("ann"), owner_of("bob")


def _message(text: str, item_id: str = "msg_1", **fields: Any) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": [{"token": text}]}
    return {"type": "message", "id": item_id, "role": "assistant", "status": "completed", "content": [part], **fields}


def _answer(response_id: str, *output: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": response_id, "object": "response", "status": "completed", "output": list(output), **fields}


def _asked(given: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "m", "input": given, **fields}


def test_a_chain_becomes_the_whole_conversation() -> None:
    store = ResponseStore()
    first = _asked("Who is he?", instructions="Be brief.")
    store.remember(first, _answer("resp_1", _message("A poet.")), ANN)
    second = store.expand(_asked("Where was he born?", previous_response_id="resp_1", instructions="Be kind."), ANN)
    assert "previous_response_id" not in second
    store.remember(second, _answer("resp_2", _message("In Oslo.", "msg_2")), ANN)
    third = store.expand(_asked([{"role": "user", "content": "When?"}], previous_response_id="resp_2"), ANN)
    chat = responses.to_chat(third)["messages"]
    assert [(m["role"], m["content"]) for m in chat] == [
        ("user", "Who is he?"), ("assistant", "A poet."), ("user", "Where was he born?"), ("assistant", "In Oslo."),
        ("user", "When?"),
    ]  # fmt: skip
    assert any("poet" in s.text for s in responses.surfaces(third, None))


def test_calls_are_carried_on_and_thoughts_are_not() -> None:
    store = ResponseStore()
    call = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}", "namespace": None}
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm"}]}
    store.remember(_asked("Hi"), _answer("resp_1", thought, call), ANN)
    output = {"type": "function_call_output", "call_id": "c", "output": "Snow"}
    body = store.expand(_asked([output], previous_response_id="resp_1"), ANN)
    assert [m["role"] for m in responses.to_chat(body)["messages"]] == ["user", "assistant", "tool"]
    assert "Hm" not in str(body)


def test_a_cut_answer_is_told_as_ended_and_without_log_probabilities() -> None:
    store = ResponseStore()
    store.remember(_asked("Hi"), _answer("resp_1", _message("Hel", status="incomplete"), status="incomplete"), ANN)
    body = store.expand(_asked([], previous_response_id="resp_1"), ANN)
    assert body["input"][-1]["status"] == "completed"
    assert "logprobs" not in str(body)


def test_references_to_kept_items_are_filled_in() -> None:
    store = ResponseStore()
    store.remember(_asked("Hi"), _answer("resp_1", _message("A poet.")), ANN)
    for reference in ({"type": "item_reference", "id": "msg_1"}, {"id": "msg_1"}):
        body = store.expand(_asked([reference]), ANN)
        assert body["input"][0]["content"][0]["text"] == "A poet."
        assert store.expand(_asked([reference]), BOB)["input"] == [reference]


def test_another_clients_responses_are_as_unknown_as_none() -> None:
    store = ResponseStore()
    store.remember(_asked("Hi"), _answer("resp_1", _message("A poet.")), ANN)
    told = []
    for response_id, owner in (("resp_1", BOB), ("resp_0", ANN)):
        for act in (store.get, store.delete, lambda i, o: store.expand(_asked("Hi", previous_response_id=i), o)):
            with pytest.raises(ApiError) as unknown:
                act(response_id, owner)
            told.append((unknown.value.status, unknown.value.code, unknown.value.message.replace(response_id, "*")))
    assert len(set(told)) == 1
    assert told[0][0] == 404
    assert store.get("resp_1", ANN)["id"] == "resp_1"


def test_two_clients_may_choose_the_same_id() -> None:
    store = ResponseStore()
    store.remember(_asked("Hi"), _answer("resp_1", _message("To Ann.")), ANN)
    store.remember(_asked("Hi"), _answer("resp_1", _message("To Bob.")), BOB)
    assert "To Ann." in str(store.get("resp_1", ANN))
    assert "To Bob." in str(store.get("resp_1", BOB))


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (_asked("Hi", store=False), _answer("resp_1")), (_asked("Hi"), _answer("resp_1", status="failed")),
        (_asked("Hi"), _answer("resp_1", error={"code": "server_error"})), (_asked("Hi"), _answer("")),
        (_asked("Hi"), {"error": {"message": "no"}}),
    ],
)  # fmt: skip
def test_nothing_is_kept_of_what_is_not_to_be_or_failed(body: dict[str, Any], answer: dict[str, Any]) -> None:
    store = ResponseStore()
    assert not store.remember(body, answer, ANN)
    assert len(store) == 0


def test_deleting_forgets_and_says_so() -> None:
    store = ResponseStore()
    store.remember(_asked("Hi"), _answer("resp_1", _message("A poet.")), ANN)
    assert store.delete("resp_1", ANN) == {"id": "resp_1", "object": "response", "deleted": True}
    assert len(store) == 0
    with pytest.raises(ApiError):
        store.get("resp_1", ANN)
    reference = {"type": "item_reference", "id": "msg_1"}
    assert store.expand(_asked([reference]), ANN)["input"] == [reference]


def test_the_longest_unused_goes_first() -> None:
    store = ResponseStore(max_responses=2)
    for i in (1, 2):
        store.remember(_asked("Hi"), _answer(f"resp_{i}"), ANN)
    store.get("resp_1", ANN)
    store.remember(_asked("Hi"), _answer("resp_3"), ANN)
    assert store.get("resp_1", ANN)
    with pytest.raises(ApiError):
        store.get("resp_2", ANN)


def test_no_more_is_kept_than_fits() -> None:
    store = ResponseStore(max_bytes=10_000)
    for i in range(50):
        store.remember(_asked("x" * 500), _answer(f"resp_{i}"), ANN)
    assert 1 < len(store) < 20
    assert not store.remember(_asked("x" * 20_000), _answer("resp_big"), ANN)
    assert store.get("resp_49", ANN)


def test_what_is_old_is_forgotten() -> None:
    now = 0.0
    store = ResponseStore(ttl=60, clock=lambda: now)
    store.remember(_asked("Hi"), _answer("resp_1"), ANN)
    now = 59
    store.remember(_asked("Hi"), _answer("resp_2"), ANN)
    assert store.get("resp_1", ANN)
    now = 61
    with pytest.raises(ApiError):
        store.get("resp_1", ANN)
    assert len(store) == 1


def test_the_id_that_was_gone_on_from_is_told_again() -> None:
    answer = _answer("resp_2", previous_response_id=None)
    assert put_back(answer, "resp_1")["previous_response_id"] == "resp_1"
    event = {"type": "response.created", "response": answer}
    assert put_back(event, "resp_1")["response"]["previous_response_id"] == "resp_1"
    assert put_back(answer, None) is answer
    delta = {"type": "response.output_text.delta", "delta": "a"}
    assert put_back(delta, "resp_1") == delta


def test_an_owner_does_not_tell_the_key() -> None:
    assert owner_of("secret-key") == owner_of("secret-key") != owner_of("other-key")
    assert "secret" not in owner_of("secret-key")


def test_the_bound_is_one_of_memory() -> None:
    """A conversation as objects takes some ten times its JSON."""
    store = ResponseStore(max_bytes=1_000_000)
    turn = {"role": "user", "content": [{"type": "input_text", "text": "Who ?"}]}
    tracemalloc.start()
    try:
        for i in range(2_000):
            answer = {"id": f"resp_{i}", "status": "completed", "output": [], "usage": {"input_tokens": i}}
            store.remember({"input": [dict(turn) for _ in range(8)]}, answer, "")
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(store) > 500
    assert taken < 3_000_000
