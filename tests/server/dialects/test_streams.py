"""Streams in Anthropic's and OpenAI's words, out of chat chunks or ended early, read by their own clients."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import openai
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import Response

from server.dialects import messages, responses
from server.dialects.served import Served
from server.sse import Splitter
from tests.server.conftest import running

USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
TOOL = {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}, "strict": False}
CUSTOM = {"type": "custom", "name": "code"}
SPACE = {"type": "namespace", "name": "geo", "description": "", "tools": [TOOL]}
ASKED = {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": "Hi"}], "stream": True}
WANTED = {"model": "m", "input": "Hi", "stream": True, "tools": [TOOL, CUSTOM, SPACE]}


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **choice: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish, **choice}]
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}
    return {**base, "usage": USAGE if delta is None or finish else {**USAGE, "completion_tokens": 0}}


def call(index: int, arguments: str | None = None, **first: Any) -> dict[str, Any]:
    function = {k: v for k, v in (("name", first.get("name")), ("arguments", arguments)) if v is not None}
    return {"index": index, "function": function, **({"id": first["id"], "type": "function"} if first else {})}


BEGIN = chunk({"role": "assistant", "content": ""})
TEXT = [BEGIN, chunk({"content": "Hel"}), chunk({"content": "lo."}), chunk({"content": ""}, "stop"), chunk()]
THOUGHT = [
    BEGIN,
    chunk({"reasoning": "Let "}),
    chunk({"reasoning": "me."}),
    chunk({"content": "Yes."}, "stop"),
    chunk(),
]
CALLS = [
    BEGIN,
    chunk({"content": "I look."}),
    chunk({"tool_calls": [call(0, id="c0", name="get_weather")]}),
    chunk({"tool_calls": [call(0, '{"city": "O')]}),
    chunk({"tool_calls": [call(0, 'slo"}'), call(1, "{}", id="c1", name="get_weather")]}),
    chunk({}, "tool_calls"),
    chunk(),
]


def translated(dialect: Any, body: dict[str, Any], chunks: list[dict[str, Any]]) -> bytes:
    stream = dialect.translation(body)
    return b"".join([*(event for c in chunks for event in stream.chunk(c)), *stream.done()])


def events(raw: bytes) -> list[dict[str, Any]]:
    splitter = Splitter()
    found = splitter.feed(raw)
    assert splitter.rest() == b""
    for event in found:
        assert event.data is not None
        assert event.raw.startswith(b"event: " + event.data["type"].encode() + b"\n")
    return [event.data for event in found if event.data is not None]


@contextmanager
def answering(raw: bytes) -> Iterator[str]:
    """A server that answers every request with the stream ``raw``."""
    app = FastAPI()

    @app.post("/v1/{rest:path}")
    async def answer(rest: str) -> Response:
        return Response(raw, media_type="text/event-stream")

    with running(app) as url:
        yield url


def anthropics(raw: bytes) -> Any:
    with answering(raw) as url:
        client = anthropic.Anthropic(base_url=url, api_key="k", max_retries=0)
        hello: Any = [{"role": "user", "content": "Hi"}]
        with client.messages.stream(model="m", max_tokens=64, messages=hello) as stream:
            return stream.get_final_message()


def openais(raw: bytes) -> Any:
    with answering(raw) as url:
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0)
        with client.responses.stream(model="m", input="Hi") as stream:
            return stream.get_final_response()


def test_anthropics_client_reads_text() -> None:
    message = anthropics(translated(messages, ASKED, TEXT))
    assert [b.text for b in message.content] == ["Hello."]
    assert (message.id, message.stop_reason) == ("chatcmpl-1", "end_turn")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (7, 5)


def test_anthropics_client_reads_thoughts_before_text() -> None:
    thinking, text = anthropics(translated(messages, ASKED, THOUGHT)).content
    assert (thinking.type, thinking.thinking, text.text) == ("thinking", "Let me.", "Yes.")
    assert thinking.signature


def test_anthropics_client_reads_parallel_calls() -> None:
    message = anthropics(translated(messages, ASKED, CALLS))
    text, first, second = message.content
    assert text.text == "I look."
    assert (first.id, first.name, first.input) == ("c0", "get_weather", {"city": "Oslo"})
    assert (second.id, second.input) == ("c1", {})
    assert message.stop_reason == "tool_use"


@pytest.mark.parametrize(
    ("finish", "stop", "reason", "sequence"),
    [
        ("stop", None, "end_turn", None), ("stop", 2, "end_turn", None), ("stop", "###", "stop_sequence", "###"),
        ("length", None, "max_tokens", None), ("tool_calls", None, "tool_use", None),
    ],
)  # fmt: skip
def test_why_the_model_stopped_is_told(finish: str, stop: Any, reason: str, sequence: str | None) -> None:
    chunks = [BEGIN, chunk({"content": "a"}, finish, stop_reason=stop), chunk()]
    message = anthropics(translated(messages, ASKED, chunks))
    assert (message.stop_reason, message.stop_sequence) == (reason, sequence)
    choice = {"message": {"role": "assistant", "content": "a"}, "finish_reason": finish, "stop_reason": stop}
    whole = messages.from_chat({"id": "1", "model": "m", "choices": [choice], "usage": USAGE}, ASKED)
    assert (whole["stop_reason"], whole.get("stop_sequence")) == (reason, sequence)


def test_openais_client_reads_text() -> None:
    response = openais(translated(responses, WANTED, TEXT))
    assert response.output_text == "Hello."
    assert response.status == "completed"
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (7, 5, 12)


def test_openais_client_reads_thoughts_before_text() -> None:
    thought, message = openais(translated(responses, WANTED, THOUGHT)).output
    assert (thought.type, thought.content[0].text) == ("reasoning", "Let me.")
    assert message.content[0].text == "Yes."


def test_openais_client_reads_parallel_calls() -> None:
    message, first, second = openais(translated(responses, WANTED, CALLS)).output
    assert message.content[0].text == "I look."
    assert (first.call_id, first.name, first.arguments) == ("c0", "get_weather", '{"city": "Oslo"}')
    assert (second.call_id, second.arguments) == ("c1", "{}")


def test_an_answer_that_hit_the_limit_is_incomplete() -> None:
    response = openais(translated(responses, WANTED, [BEGIN, chunk({"content": "Hel"}, "length"), chunk()]))
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")


def test_custom_tools_and_namespaces_have_their_own_names_again() -> None:
    chunks = [
        BEGIN,
        chunk({"tool_calls": [call(0, '{"input": "print(\\"a', id="c0", name="code")]}),
        chunk({"tool_calls": [call(0, '\\u00e9\\"', ), call(0, ')"}')]}),
        chunk({"tool_calls": [call(1, "{}", id="c1", name="geo__get_weather")]}, "tool_calls"),
        chunk(),
    ]  # fmt: skip
    told = events(translated(responses, WANTED, chunks))
    code, weather = told[-1]["response"]["output"]
    assert (code["type"], code["name"], code["input"]) == ("custom_tool_call", "code", 'print("aé")')
    assert (weather["namespace"], weather["name"]) == ("geo", "get_weather")
    deltas = [e["delta"] for e in told if e["type"] == "response.custom_tool_call_input.delta"]
    assert "".join(deltas) == code["input"]


def test_a_refusal_is_told_as_one() -> None:
    chunks = [BEGIN, chunk({"refusal": "I do "}), chunk({"refusal": "not know."}, "stop"), chunk()]
    part = openais(translated(responses, WANTED, chunks)).output[0].content[0]
    assert (part.type, part.refusal) == ("refusal", "I do not know.")
    message = anthropics(translated(messages, ASKED, chunks))
    assert (message.content[0].text, message.stop_reason) == ("I do not know.", "refusal")


def test_log_probabilities_are_told_where_they_are_asked_for() -> None:
    token = {
        "token": "Hi",
        "logprob": -0.1,
        "bytes": [72, 105],
        "top_logprobs": [{"token": "Ho", "logprob": -2.0, "bytes": None}],
    }
    chunks = [BEGIN, chunk({"content": "Hi"}, "stop", logprobs={"content": [token]}), chunk()]
    asked = {**WANTED, "include": ["message.output_text.logprobs"], "top_logprobs": 1}
    told = events(translated(responses, asked, chunks))
    delta = next(e for e in told if e["type"] == "response.output_text.delta")
    assert delta["logprobs"] == [{"token": "Hi", "logprob": -0.1, "top_logprobs": [{"token": "Ho", "logprob": -2.0}]}]
    assert told[-1]["response"]["output"][0]["content"][0]["logprobs"] == [token]
    quiet = events(translated(responses, WANTED, chunks))
    assert quiet[-1]["response"]["output"][0]["content"][0]["logprobs"] is None


def test_the_limit_told_is_what_the_context_leaves() -> None:
    stream = responses.translation({"model": "m", "input": "Hi", "stream": True}, Served(max_model_len=2048))
    created = events(b"".join(stream.chunk(BEGIN)))[0]
    assert created["response"]["max_output_tokens"] == 2041


def test_a_fault_of_the_model_server_is_told_as_an_error() -> None:
    chunks = [
        BEGIN,
        chunk({"content": "Hel"}),
        {"error": {"message": "out of memory", "type": "InternalServerError", "code": 500}},
    ]
    with pytest.raises(anthropic.APIStatusError, match="out of memory"):
        anthropics(translated(messages, ASKED, chunks))
    with pytest.raises(openai.APIError, match="out of memory"):
        openais(translated(responses, WANTED, chunks))


# --- ended early ---


def cut(dialect: Any, body: dict[str, Any], chunks: list[dict[str, Any]], after: int) -> bytes:
    """The first ``after`` events of a stream, and what ends it."""
    whole = Splitter().feed(translated(dialect, body, chunks))
    ending = dialect.ending(body)
    for event in whole[:after]:
        ending.see(event.data or {})
    return b"".join([*(e.raw for e in whole[:after]), *ending.end()])


STREAMS = {"text": TEXT, "thought": THOUGHT, "calls": CALLS}


@pytest.mark.parametrize("name", STREAMS)
def test_anthropics_client_takes_a_stream_cut_anywhere_for_a_whole_one(name: str) -> None:
    for after in range(len(events(translated(messages, ASKED, STREAMS[name])))):
        raw = cut(messages, ASKED, STREAMS[name], after)
        well_formed_message(events(raw))
    message = anthropics(cut(messages, ASKED, CALLS, 6))  # within the first call's arguments
    assert message.stop_reason == "end_turn"
    assert message.content[1].input == {"city": "O"}


@pytest.mark.parametrize("name", STREAMS)
def test_openais_client_takes_a_stream_cut_anywhere_for_a_whole_one(name: str) -> None:
    count = len(events(translated(responses, WANTED, STREAMS[name])))
    for after in range(count):
        well_formed_response(events(cut(responses, WANTED, STREAMS[name], after)))
    response = openais(cut(responses, WANTED, STREAMS[name], count - 4))
    assert response.status == "completed"
    assert response.usage.output_tokens > 0


def test_a_stream_that_is_at_its_end_is_not_ended_again() -> None:
    for dialect, body in ((messages, ASKED), (responses, WANTED)):
        count = len(events(translated(dialect, body, TEXT)))
        assert len(events(cut(dialect, body, TEXT, count))) == count


def test_a_response_ended_early_tells_what_was_said() -> None:
    told = events(cut(responses, WANTED, TEXT, 5))  # after the first delta
    assert told[-1]["type"] == "response.completed"
    assert told[-1]["response"]["output"][0]["content"][0]["text"] == "Hel"
    assert told[-1]["response"]["id"] == told[0]["response"]["id"]


def test_an_item_of_an_unknown_kind_is_closed_as_it_is() -> None:
    ending = responses.ending(WANTED)
    begun = {"id": "resp_1", "object": "response", "output": [], "status": "in_progress"}
    ending.see({"type": "response.in_progress", "response": begun, "sequence_number": 0})
    search = {"type": "web_search_call", "id": "ws_1", "status": "in_progress"}
    ending.see({"type": "response.output_item.added", "item": search, "output_index": 0, "sequence_number": 1})
    done, completed = events(b"".join(ending.end()))
    assert done["item"] == {**search, "status": "completed"}
    assert [done["sequence_number"], completed["sequence_number"]] == [2, 3]


# --- well formed, whatever comes ---


def well_formed_message(told: list[dict[str, Any]]) -> None:
    kinds = [e["type"] for e in told]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("message_start") == kinds.count("message_delta") == kinds.count("message_stop") == 1
    open_index, following = None, 0
    for event in told[1:-2]:
        if event["type"] == "content_block_start":
            assert open_index is None
            assert event["index"] == following
            open_index, following = event["index"], following + 1
        else:
            assert event["index"] == open_index
            open_index = None if event["type"] == "content_block_stop" else open_index
    assert open_index is None


def well_formed_response(told: list[dict[str, Any]]) -> None:
    kinds = [e["type"] for e in told]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert [e["sequence_number"] for e in told] == list(range(len(told)))
    assert len({e["response"]["id"] for e in (told[0], told[1], told[-1])}) == 1
    output: list[Any] = []
    open_id = None
    for event in told[2:-1]:
        assert event["output_index"] == len(output)
        if event["type"] == "response.output_item.added":
            assert open_id is None
            open_id = event["item"]["id"]
        elif event["type"] == "response.output_item.done":
            assert event["item"]["id"] == open_id
            output.append(event["item"])
            open_id = None
        else:
            assert event["item_id"] == open_id
    assert open_id is None
    assert told[-1]["response"]["output"] == output


MANY = settings(deadline=None, max_examples=60)
PART = st.text(max_size=4)
DELTAS = st.one_of(
    st.builds(lambda t: {"content": t}, PART | st.none()),
    st.builds(lambda t: {"reasoning": t}, PART | st.none()),
    st.builds(lambda t: {"refusal": t}, PART),
    st.builds(
        lambda i, a, first: {"tool_calls": [call(i, a, **({"id": f"c{i}", "name": first} if first else {}))]},
        st.integers(0, 2), PART | st.none(), st.sampled_from([None, "get_weather", "code", "geo__get_weather"]),
    ),
    st.builds(
        lambda a, b, c: {"content": a, "reasoning": b, "tool_calls": [call(0, c, id="c0", name="f")]}, PART, PART, PART
    ),
)  # fmt: skip
CHUNKS = st.lists(
    st.builds(chunk, DELTAS, st.sampled_from([None, None, None, "stop", "length", "tool_calls"])) | st.just(chunk()),
    max_size=12,
)


@MANY
@given(CHUNKS)
def test_any_chunks_make_a_well_formed_message(chunks: list[dict[str, Any]]) -> None:
    well_formed_message(events(translated(messages, ASKED, chunks)))


@MANY
@given(CHUNKS)
def test_any_chunks_make_a_well_formed_response(chunks: list[dict[str, Any]]) -> None:
    well_formed_response(events(translated(responses, WANTED, chunks)))


@MANY
@given(CHUNKS, st.data())
def test_any_stream_can_be_ended_anywhere(chunks: list[dict[str, Any]], data: st.DataObject) -> None:
    for dialect, body, check in ((messages, ASKED, well_formed_message), (responses, WANTED, well_formed_response)):
        whole = Splitter().feed(translated(dialect, body, chunks))
        check(events(cut(dialect, body, chunks, data.draw(st.integers(0, len(whole))))))


@MANY
@given(CHUNKS)
def test_pieces_of_a_stream_are_all_that_the_model_said(chunks: list[dict[str, Any]]) -> None:
    said = [c["choices"][0]["delta"] for c in chunks if c["choices"]]
    for field, dialect, body, ends in (
        ("content", messages, ASKED, "/text"),
        ("reasoning", messages, ASKED, "/thinking"),
        ("content", responses, {**WANTED, "tools": []}, "/text"),
    ):
        pieces = [p for e in events(translated(dialect, body, chunks)) for p in dialect.event_pieces(e)]
        texts = "".join(p.text for p in pieces if p.channel.endswith(ends))
        for text in (d[field] for d in said if d.get(field)):
            assert text in texts


def test_pieces_of_a_whole_answer_and_of_its_stream_agree() -> None:
    function = {"name": "get_weather", "arguments": '{"city": "Oslo"}'}
    said = {
        "role": "assistant",
        "reasoning": "Let me.",
        "content": "Yes.",
        "tool_calls": [{"id": "c0", "function": function}],
    }
    answer = {"id": "1", "model": "m", "usage": USAGE, "choices": [{"message": said, "finish_reason": "tool_calls"}]}
    chunks = [
        BEGIN, chunk({"reasoning": "Let me."}), chunk({"content": "Yes."}),
        chunk({"tool_calls": [call(0, '{"city": ', id="c0", name="get_weather")]}),
        chunk({"tool_calls": [call(0, '"Oslo"}')]}, "tool_calls"), chunk(),
    ]  # fmt: skip
    for dialect, body in ((messages, ASKED), (responses, WANTED)):
        whole: dict[str, str] = {}
        streamed: dict[str, str] = {}
        for piece in dialect.pieces(dialect.from_chat(answer, body)):
            whole[piece.channel] = whole.get(piece.channel, "") + piece.text
        for event in events(translated(dialect, body, chunks)):
            for piece in dialect.event_pieces(event):
                streamed[piece.channel] = streamed.get(piece.channel, "") + piece.text
        parsed = [{c: json.loads(t) if t.startswith("{") else t for c, t in told.items()} for told in (whole, streamed)]
        assert parsed[0] == parsed[1]
        assert len(whole) == 4
