"""What a native request is in chat's words, and what it cannot be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.dialects import messages, responses
from server.errors import ApiError

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"type": "function", "name": "f", "description": "d", "parameters": SCHEMA, "strict": True}


def _messages(*said: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return messages.to_chat({"model": "m", "max_tokens": 9, "messages": list(said), **fields})


def _responses(given: Any, **fields: Any) -> dict[str, Any]:
    return responses.to_chat({"model": "m", "input": given, **fields})


def _user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def test_sampling_goes_over_as_it_is() -> None:
    chat = _messages(_user(_text("Hi")), temperature=0, top_p=0.5, top_k=3, stop_sequences=["a"], stream=True)
    assert chat == {
        "model": "m", "temperature": 0, "top_p": 0.5, "top_k": 3, "max_completion_tokens": 9, "stop": ["a"],
        "messages": [{"role": "user", "content": "Hi"}], "stream": True,
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
    }  # fmt: skip
    chat = _responses("Hi", temperature=0, seed=1, max_output_tokens=5, stop="a", top_logprobs=2)
    assert chat == {
        "model": "m", "temperature": 0, "seed": 1, "max_completion_tokens": 5, "stop": "a",
        "messages": [{"role": "user", "content": "Hi"}],
    }  # fmt: skip


def test_system_blocks_are_put_together_and_the_billing_header_left_out() -> None:
    system = [_text("x-anthropic-billing-header: 1"), _text("Be brief. "), _text("Be kind.")]
    assert _messages(_user(_text("Hi")), system=system)["messages"][0] == {
        "role": "system",
        "content": "Be brief. Be kind.",
    }


def test_results_of_tools_become_messages_before_the_users_own_words() -> None:
    call = {"type": "tool_use", "id": "t1", "name": "f", "input": {"city": "Oslo"}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [_text("Snow"), _text("-3")]}
    turn = {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm", "signature": "s"}, call]}
    _, assistant, tool, user = _messages(_user(_text("Hi")), turn, _user(result, _text("So?")))["messages"]
    assert assistant["reasoning"] == "Hm"
    (made,) = assistant["tool_calls"]
    assert (made["id"], made["function"]["name"]) == ("t1", "f")
    assert json.loads(made["function"]["arguments"]) == {"city": "Oslo"}
    assert "content" not in assistant
    assert tool == {"role": "tool", "tool_call_id": "t1", "content": "Snow\n-3"}
    assert user == {"role": "user", "content": "So?"}


def test_images_go_over_as_urls() -> None:
    inline = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QQ=="}}
    linked = {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}
    parts = _messages(_user(_text("See"), inline, linked))["messages"][0]["content"]
    assert [p.get("image_url", {}).get("url") for p in parts] == [None, "data:image/png;base64,QQ==", "https://x/y.png"]


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ({"type": "auto"}, "auto"), ({"type": "any"}, "required"), ({"type": "none"}, "none"),
        ({"type": "tool", "name": "f"}, {"type": "function", "function": {"name": "f"}}), (None, "auto"),
    ],
)  # fmt: skip
def test_anthropics_tool_choices(choice: Any, wanted: Any) -> None:
    tool = {"name": "f", "description": "d", "input_schema": {"properties": {}}}
    chat = _messages(_user(_text("Hi")), tools=[tool], tool_choice=choice)
    assert chat["tool_choice"] == wanted
    assert chat["tools"][0]["function"]["parameters"] == {"properties": {}, "type": "object"}


def test_tools_that_system_messages_add_and_remove() -> None:
    tools = [{"name": n, "input_schema": {"type": "object"}} for n in "ab"]
    more = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": {**tools[0], "name": "c"}}}
    less = {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "a"}}
    chat = _messages(_user(_text("Hi")), {"role": "system", "content": [more, less]}, tools=tools)
    assert [t["function"]["name"] for t in chat["tools"]] == ["b", "c"]


def test_structured_output_and_thinking() -> None:
    chat = _messages(
        _user(_text("Hi")), output_config={"format": {"type": "json_schema", "schema": SCHEMA}, "effort": "low"},
        thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=2000,
    )  # fmt: skip
    assert chat["response_format"]["json_schema"]["schema"] == SCHEMA
    assert (chat["reasoning_effort"], chat["thinking_token_budget"]) == ("low", 1024)
    assert _messages(_user(_text("Hi")), thinking={"type": "disabled"})["reasoning_effort"] == "none"
    form = {"type": "json_schema", "name": "c", "schema": SCHEMA, "strict": True}
    chat = _responses("Hi", text={"format": form}, reasoning={"effort": "low"})
    assert chat["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "c", "schema": SCHEMA, "strict": True},
    }
    assert chat["reasoning_effort"] == "low"


def test_items_of_one_turn_become_one_message() -> None:
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Ask."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Wait."}]},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}", "namespace": "n"},
        {"type": "custom_tool_call", "call_id": "b", "name": "code", "input": "é"},
        {"type": "function_call_output", "call_id": "a", "output": "Snow"},
        {"type": "custom_tool_call_output", "call_id": "b", "output": [{"type": "input_text", "text": "1"}]},
    ]
    user, assistant, snow, one = _responses(items, instructions="Be brief.")["messages"][1:]
    assert user == {"role": "user", "content": [{"type": "text", "text": "Weather?"}]}
    assert (assistant["reasoning"], assistant["content"]) == ("Ask.", "Wait.")
    assert [c["function"] for c in assistant["tool_calls"]] == [
        {"name": "n__f", "arguments": "{}"}, {"name": "code", "arguments": '{"input": "é"}'},
    ]  # fmt: skip
    assert snow == {"role": "tool", "tool_call_id": "a", "content": "Snow"}
    assert one["content"] == [{"type": "text", "text": "1"}]


def test_an_answer_that_is_not_whole_is_gone_on_with() -> None:
    begun = {
        "type": "message",
        "role": "assistant",
        "status": "incomplete",
        "content": [{"type": "output_text", "text": "It"}],
    }
    chat = _responses([{"role": "user", "content": "Hi"}, begun])
    assert (chat["add_generation_prompt"], chat["continue_final_message"]) == (False, True)


def test_tools_of_responses() -> None:
    space = {"type": "namespace", "name": "n", "tools": [FUNCTION]}
    chat = _responses("Hi", tools=[FUNCTION, {"type": "custom", "name": "code"}, space], tool_choice="required")
    assert [t["function"]["name"] for t in chat["tools"]] == ["f", "code", "n__f"]
    assert chat["tools"][1]["function"]["parameters"]["required"] == ["input"]
    assert chat["tool_choice"] == "required"
    chat = _responses("Hi", tools=[space], tool_choice={"type": "function", "name": "f"})
    assert chat["tool_choice"] == {"type": "function", "function": {"name": "n__f"}}


def test_tools_that_the_model_server_would_run_are_left_out() -> None:
    hosted = [{"type": "web_search"}, {"type": "mcp", "server_label": "s"}]
    assert [t["function"]["name"] for t in _responses("Hi", tools=[*hosted, FUNCTION])["tools"]] == ["f"]
    assert not {"tools", "tool_choice"} & _responses("Hi", tools=hosted).keys()
    with pytest.raises(ApiError, match="can call none"):
        _responses("Hi", tools=hosted, tool_choice="required")


def test_log_probabilities_are_asked_for() -> None:
    chat = _responses("Hi", include=["message.output_text.logprobs"], top_logprobs=2)
    assert (chat["logprobs"], chat["top_logprobs"]) == (True, 2)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"background": True}, "background"), ({"prompt": {"id": "p"}}, "prompt"),
        ({"previous_input_messages": [{"role": "user"}]}, "previous_input_messages"),
        ({"enable_response_messages": True}, "enable_response_messages"),
        ({"tools": [FUNCTION], "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []}}, "tool_choice"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input"),
        ({"input": [{"type": "reasoning", "summary": [], "encrypted_content": "x"}]}, "input"),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]}, "input"),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_is_refused_with_what_to_change(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(ApiError) as refused:
        responses.to_chat({"model": "m", "input": "Hi", **fields})
    error = refused.value
    assert (error.status, error.code, error.param) == (400, "unsupported_parameter", param)
    assert ": " in error.message


@pytest.mark.parametrize(
    "fields",
    [
        {"max_tokens": 0}, {"max_tokens": None}, {"messages": []}, {"messages": [{"role": "tool", "content": "a"}]},
        {"messages": [_user({"type": "document", "source": {}})]}, {"tools": [{"type": "web_search", "name": "w"}]},
        {"thinking": {"type": "enabled", "budget_tokens": 5000}},
    ],
)  # fmt: skip
def test_what_vllm_refuses_of_messages_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as refused:
        messages.to_chat({"model": "m", "max_tokens": 9, "messages": [_user(_text("Hi"))], **fields})
    assert refused.value.status == 400


def test_errors_have_the_shape_of_their_api() -> None:
    error = ApiError(429, "Slow down.", headers={"Retry-After": "1"})
    told = messages.error(error)
    assert (told.status_code, told.headers["retry-after"]) == (429, "1")
    assert json.loads(told.body) == {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down."}}
    assert json.loads(responses.error(error).body)["error"]["message"] == "Slow down."
    theirs = {"error": {"message": "Too long.", "type": "BadRequestError", "param": "input", "code": 400}}
    assert json.loads(messages.foreign_error(400, theirs).body)["error"] == {
        "type": "invalid_request_error", "message": "Too long.",
    }  # fmt: skip
    assert json.loads(responses.foreign_error(400, theirs).body)["error"]["message"] == "Too long."
    assert messages.foreign_error(502, b"no json").status_code == 502
