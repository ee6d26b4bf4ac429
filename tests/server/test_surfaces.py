"""What the proxy reads of a request."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.types import Span
from server.errors import ApiError
from server.surfaces import Limits, chat_surfaces, check_shape, completion_surfaces

SECRET = "Zorvan Pelk"


def _chat(*messages: object, **fields: object) -> dict[str, object]:
    return {"model": "m", "messages": list(messages), **fields}


@pytest.mark.parametrize(
    "body",
    [
        _chat({"role": "user", "content": SECRET}),
        _chat({"role": "system", "content": SECRET}, {"role": "user", "content": "hi"}),
        _chat({"role": "user", "content": [{"type": "text", "text": SECRET}]}),
        _chat({"role": "tool", "tool_call_id": "1", "content": SECRET}),
        _chat({"role": "user", "name": SECRET, "content": "hi"}),
        _chat(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "1", "type": "function", "function": {"name": "f", "arguments": json.dumps({"q": SECRET})}}
                ],
            }
        ),
        _chat(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "1",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"q": "\\u005aorvan Pelk"}'},
                    }
                ],
            }
        ),
        _chat(
            {"role": "user", "content": "hi"},
            tools=[{"type": "function", "function": {"name": "f", "description": SECRET}}],
        ),
        _chat(
            {"role": "user", "content": "hi"},
            response_format={
                "type": "json_schema",
                "json_schema": {"schema": {"properties": {SECRET: {"type": "string"}}}},
            },
        ),
        _chat({"role": "user", "content": "hi"}, guided_choice=[SECRET]),
        _chat({"role": "user", "content": [{"type": "text", "text": "Zorvan "}, {"type": "text", "text": "Pelk"}]}),
    ],
)
def test_every_place_that_a_model_reads_is_a_surface(body: dict[str, object]) -> None:
    assert any(SECRET in s.text for s in chat_surfaces(body))


def test_token_ids_are_judged_as_the_text_they_stand_for() -> None:
    body: dict[str, object] = {"prompt": [[1, 2], [3]]}
    surfaces = completion_surfaces(body, lambda ids: f"<{'-'.join(map(str, ids))}>")
    assert [s.text for s in surfaces] == ["<1-2>", "<3>"]
    assert body["prompt"] == ["<1-2>", "<3>"]


def test_token_ids_without_a_tokenizer_are_refused() -> None:
    with pytest.raises(ApiError, match="token ids"):
        completion_surfaces({"prompt": [1, 2]}, None)


@pytest.mark.parametrize("prompt", [None, [], 5, {"a": 1}, ["a", 1], [[]], [True], [["x"]]])
def test_a_prompt_of_another_kind_is_refused(prompt: object) -> None:
    with pytest.raises(ApiError):
        completion_surfaces({"prompt": prompt}, str)


@pytest.mark.parametrize(
    "body",
    [
        {"prompt_embeds": "AA=="},
        {"messages": [{"role": "user", "content": [{"type": "prompt_embeds", "data": "AA=="}]}]},
        {"messages": [{"role": "user", "content": [{"prompt_embeds": "AA=="}]}]},
        {"extra": {"prompt_token_ids": [1]}},
    ],
)
def test_embeddings_of_the_clients_own_are_refused(body: dict[str, object]) -> None:
    with pytest.raises(ApiError, match="not accepted"):
        check_shape(body, Limits())


def test_depth_and_number_of_parts_are_limited() -> None:
    deep: object = "x"
    for _ in range(100):
        deep = [deep]
    with pytest.raises(ApiError, match="deeper"):
        check_shape({"a": deep}, Limits())
    with pytest.raises(ApiError, match="items"):
        check_shape({"a": ["x"] * 5000}, Limits())


def test_spans_over_a_join_reach_both_parts() -> None:
    body = _chat({"role": "user", "content": [{"type": "text", "text": "Zorvan "}, {"type": "text", "text": "Pelk"}]})
    joined = next(s for s in chat_surfaces(body) if s.text == SECRET)
    assert [(seg.text, spans) for seg, spans in joined.locate([Span(0, 11)])] == [
        ("Zorvan ", (Span(0, 7),)),
        ("Pelk", (Span(0, 4),)),
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values, json_values)
def test_any_json_gives_surfaces_or_a_client_error(messages: object, tools: object) -> None:
    body = {"messages": messages, "tools": tools}
    try:
        check_shape(body, Limits())
        chat_surfaces(body)
    except ApiError as error:
        assert 400 <= error.status < 500  # noqa: PT017 - either outcome is right
