"""Nothing that a model could read of a native request is left unjudged."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.dialects import messages, responses
from server.errors import ApiError
from server.surfaces import Limits, check_shape

SECRET = "Zorvan Pelk"
BLOCKS: dict[str, Any] = {
    "text": {"type": "text", "text": SECRET},
    "citations": {"type": "text", "text": "a", "citations": [{"type": "char_location", "cited_text": SECRET}]},
    "thinking": {"type": "thinking", "thinking": SECRET, "signature": "s"},
    "tool input": {"type": "tool_use", "id": "t", "name": "f", "input": {"q": [{"deep": SECRET}]}},
    "tool input key": {"type": "tool_use", "id": "t", "name": "f", "input": {SECRET: 1}},
    "tool input that looks like the protocol": {"type": "tool_use", "id": "t", "name": "f", "input": {"type": SECRET}},
    "tool input that looks like a medium": {
        "type": "tool_use", "id": "t", "name": "f", "input": {"type": "base64", "data": SECRET, "format": "wav"},
    },
    "tool name": {"type": "tool_use", "id": "t", "name": SECRET, "input": {}},
    "tool id": {"type": "tool_use", "id": SECRET, "name": "f", "input": {}},
    "tool result": {"type": "tool_result", "tool_use_id": "t", "content": SECRET},
    "tool result blocks": {
        "type": "tool_result", "tool_use_id": "t",
        "content": [{"type": "text", "text": "a"}, {"type": "text", "text": SECRET}],
    },
    "search result in a tool result": {
        "type": "tool_result", "tool_use_id": "t",
        "content": [{"type": "search_result", "title": SECRET, "source": "u", "content": []}],
    },
    "document text": {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": SECRET}},
    "document blocks": {
        "type": "document", "source": {"type": "content", "content": [{"type": "text", "text": SECRET}]}, "title": "t",
    },
    "document title": {"type": "document", "source": {"type": "url", "url": "u"}, "title": SECRET},
    "image url": {"type": "image", "source": {"type": "url", "url": f"https://x/{SECRET}"}},
    "unknown block": {"type": "novelty", "novel": {"novel": SECRET}},
    "a bare string": SECRET,
}  # fmt: skip
FIELDS: dict[str, Any] = {
    "system": SECRET,
    "system blocks": [{"type": "text", "text": SECRET}],
    "stop_sequences": ["a", SECRET],
    "metadata": {"user_id": SECRET},
    "chat_template_kwargs": {"greeting": SECRET},
    "output_config": {"format": {"type": "json_schema", "schema": {"properties": {"role": {"description": SECRET}}}}},
    "tools": [{"name": "f", "description": SECRET, "input_schema": {"type": "object"}}],
    "tools by schema": [{"name": "f", "input_schema": {"properties": {"type": {"enum": [SECRET]}}}}],
    "tools by type": [{"name": "f", "type": SECRET}],
    "tool_choice": {"type": "tool", "name": SECRET},
    "mcp_servers": [{"name": SECRET}],
    "novelty": [[SECRET]],
}
ITEMS: dict[str, Any] = {
    "message": {"role": "user", "content": SECRET},
    "parts": {"role": "user", "content": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": SECRET}]},
    "answer": {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": SECRET}]},
    "answer's second part": {
        "type": "message", "role": "assistant",
        "content": [{"type": "output_text", "text": "a"}, {"type": "output_text", "text": SECRET}],
    },
    "refusal": {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": SECRET}]},
    "annotation": {
        "type": "message", "role": "assistant",
        "content": [{"type": "output_text", "text": "a", "annotations": [{"type": "file", "filename": SECRET}]}],
    },
    "reasoning": {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": SECRET}]},
    "summary": {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": SECRET}],
    },
    "call": {"type": "function_call", "call_id": "c", "name": "f", "arguments": json.dumps({"q": SECRET})},
    "call with escapes": {
        "type": "function_call", "call_id": "c", "name": "f", "arguments": '{"q": "\\u005aorvan Pelk"}',
    },
    "call output": {"type": "function_call_output", "call_id": "c", "output": SECRET},
    "call output parts": {
        "type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": SECRET}],
    },
    "custom call": {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": SECRET},
    "custom output": {"type": "custom_tool_call_output", "call_id": "c", "output": SECRET},
    "file name": {"role": "user", "content": [{"type": "input_file", "filename": SECRET, "file_id": "f"}]},
    "reference": {"type": "item_reference", "id": SECRET},
    "web search": {"type": "web_search_call", "id": "w", "action": {"type": "search", "query": SECRET}},
    "mcp call": {"type": "mcp_call", "id": "m", "name": "f", "server_label": "s", "arguments": "{}", "output": SECRET},
    "computer": {"type": "computer_call", "action": {"type": "type", "text": SECRET}},
    "unknown item": {"type": "novelty", "novel": [SECRET]},
    "a bare string": SECRET,
}  # fmt: skip
OPTIONS: dict[str, Any] = {
    "instructions": SECRET,
    "instructions as items": [{"role": "system", "content": SECRET}],
    "stop": [SECRET],
    "metadata": {"a": SECRET},
    "user": SECRET,
    "text": {"format": {"type": "json_schema", "name": "a", "schema": {"properties": {SECRET: {"type": "string"}}}}},
    "structured_outputs": {"choice": [SECRET]},
    "chat_template_kwargs": {"a": SECRET},
    "tools": [{"type": "function", "name": "f", "description": SECRET, "parameters": {}}],
    "tools by parameters": [{"type": "function", "name": "f", "parameters": {"properties": {"model": {"a": SECRET}}}}],
    "tools in a namespace": [{"type": "namespace", "name": "n", "tools": [{"type": "function", "name": SECRET}]}],
    "tools by grammar": [{"type": "custom", "name": "c", "format": {"type": "grammar", "definition": SECRET}}],
    "tool_choice": {"type": "function", "name": SECRET},
    "reasoning": {"effort": SECRET},
    "novelty": {"novel": SECRET},
}  # fmt: skip


def _field(name: str) -> str:
    return name.split(" ")[0]


def _read(body: dict[str, Any], dialect: Any) -> None:
    check_shape(body, Limits())
    dialect.surfaces(body, None)


def _told(body: dict[str, Any], dialect: Any) -> list[str]:
    before = copy.deepcopy(body)
    found = [s.text for s in dialect.surfaces(body, None)]
    assert body == before
    return found


@pytest.mark.parametrize("role", ["user", "assistant", "system"])
@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_of_a_message_is_judged(name: str, role: str) -> None:
    said = [{"role": "user", "content": "Hi"}, {"role": role, "content": [{"type": "text", "text": "x"}, BLOCKS[name]]}]
    assert any(SECRET in text for text in _told({"model": "m", "max_tokens": 9, "messages": said}, messages))


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_beside_the_messages_is_judged(name: str) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], _field(name): FIELDS[name]}
    assert any(SECRET in text for text in _told(body, messages))


@pytest.mark.parametrize("name", ITEMS)
def test_every_input_item_is_judged(name: str) -> None:
    body = {"model": "m", "input": [{"role": "user", "content": "Hi"}, ITEMS[name]]}
    assert any(SECRET in text for text in _told(body, responses))


@pytest.mark.parametrize("name", OPTIONS)
def test_every_field_beside_the_input_is_judged(name: str) -> None:
    for said in ("Hi", [{"role": "user", "content": "Hi"}]):
        body = {"model": "m", "input": said, _field(name): OPTIONS[name]}
        assert any(SECRET in text for text in _told(body, responses))


def test_a_plain_question_has_one_surface() -> None:
    said = [{"role": "user", "content": "Hi there"}]
    assert _told({"model": "m", "max_tokens": 9, "messages": said}, messages) == ["Hi there"]
    assert _told({"model": "m", "input": "Hi there", "temperature": 0}, responses) == ["Hi there"]


def test_turns_are_surfaces_of_the_chat_request() -> None:
    said = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": [{"type": "text", "text": "He."}]}]
    for dialect, body in (
        (messages, {"model": "m", "max_tokens": 9, "system": "Be kind.", "messages": said}),
        (responses, {"model": "m", "instructions": "Be kind.", "input": said}),
    ):
        turns = {s.message: s.text for s in dialect.surfaces(body, None) if s.message is not None}
        assert turns == {0: "Be kind.", 1: "Who?", 2: "He."}
        chat = dialect.to_chat(body)["messages"]
        assert [m["content"] for m in chat] == list(turns.values())
        assert dialect.conversation(body) == chat


def test_what_cannot_be_carried_is_still_a_turn() -> None:
    call = {"type": "web_search_call", "id": "w", "action": {"query": SECRET}}
    body = {"model": "m", "input": [{"role": "user", "content": "Hi"}, call]}
    assert any(s.message == 1 and SECRET in s.text for s in responses.surfaces(body, None))
    with pytest.raises(ApiError) as refused:
        responses.to_chat(body)
    assert (refused.value.status, refused.value.code) == (400, "unsupported_parameter")


def test_media_are_told_and_not_read_as_text() -> None:
    pixels = base64.b64encode(bytes(range(256)) * 4).decode()
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": pixels}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [image]}
    body = {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "See"}, image, result]}]}
    assert messages.media(body) == ["messages/0/content/1", "messages/0/content/2/content/0"]
    assert not any(pixels[:64] in text for text in _told(body, messages))
    part = {"type": "input_image", "image_url": f"data:image/png;base64,{pixels}"}
    body = {"model": "m", "input": [{"role": "user", "content": [{"type": "input_text", "text": "See"}, part]}]}
    assert responses.media(body) == ["input/0/content/1"]
    assert not any(pixels[:64] in text for text in _told(body, responses))


def test_arguments_and_schemas_are_no_media() -> None:
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {"type": "image", "data": "A" * 100}}
    body = {"model": "m", "messages": [{"role": "assistant", "content": [call]}], "tools": [{"type": "image"}]}
    assert messages.media(body) == []
    assert any("A" * 100 in text for text in _told(body, messages))


@pytest.mark.parametrize(
    "beside",
    [
        {"previous_input_messages": [{"type": "raw_message_tokens", "message": "", "tokens": [1, 2]}]},
        {"kv_transfer_params": {"do_remote_prefill": True}}, {"ec_transfer_params": {"a": 1}},
        {"input": [{"role": "user", "content": [{"type": "prompt_embeds", "data": "AA=="}]}]},
        {"prompt_embeds": "AA=="}, {"prompt_token_ids": [1]},
    ],
)  # fmt: skip
def test_token_ids_and_tensors_are_refused(beside: dict[str, Any]) -> None:
    body = {"model": "m", "input": "Hi", "messages": [{"role": "user", "content": "Hi"}]} | beside
    for dialect in (responses, messages):
        with pytest.raises(ApiError) as refused:
            _read(body, dialect)
        assert refused.value.status == 400


TEXT = st.text(st.characters(), max_size=12)
KEYS = TEXT | st.sampled_from(
    """type role content text input id name arguments call_id output summary source data tools tool definition
    input_schema format schema thinking tool_use_id status namespace""".split()
)
WORDS = TEXT | st.sampled_from(
    """user assistant system message text tool_use tool_result thinking image document function_call
    function_call_output custom_tool_call reasoning item_reference input_text function namespace custom json_schema
    incomplete tool_addition tool_removal auto tool""".split()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)
FIELDS_OF_ALL_KINDS = """messages input instructions system tool_choice max_tokens text reasoning output_config thinking
    include stop_sequences previous_input_messages""".split()
FIELD = st.dictionaries(KEYS | st.sampled_from(FIELDS_OF_ALL_KINDS), JSON, max_size=6)


@settings(deadline=None)
@given(FIELD, st.lists(JSON, max_size=4) | JSON, st.lists(JSON, max_size=3) | JSON)
def test_any_body_gives_surfaces_or_a_clients_error(body: dict[str, Any], turns: Any, tools: Any) -> None:
    for dialect, key in ((messages, "messages"), (responses, "input")):
        given_body = {"max_tokens": 8, **body, key: turns, "tools": tools}
        for act in (lambda b, d=dialect: d.surfaces(b, None), dialect.to_chat, dialect.media):
            try:
                act(given_body)
            except ApiError as error:
                assert error.status == 400  # noqa: PT017 - either outcome is right
