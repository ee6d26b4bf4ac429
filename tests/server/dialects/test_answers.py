"""Where the texts of native answers are, and that nothing of them goes unread."""

from __future__ import annotations

from typing import Any

from server.dialects import messages, responses

LOGPROBS = [
    {
        "token": "It",
        "logprob": -0.1,
        "top_logprobs": [{"token": "It", "logprob": -0.1}, {"token": "Kar", "logprob": -3}],
    }
]


def _told(pieces: list[Any]) -> dict[str, str]:
    told: dict[str, str] = {}
    for piece in pieces:
        told[piece.channel] = told.get(piece.channel, "") + piece.text
    return told


def test_the_stop_sequence_is_read_after_the_text_that_it_ended() -> None:
    answer = {
        "content": [{"type": "text", "text": "He lives in Kara"}],
        "stop_reason": "stop_sequence",
        "stop_sequence": "chi",
    }
    assert _told(messages.pieces(answer)) == {"content/0/text": "He lives in Karachi"}
    delta = {"type": "message_delta", "delta": {"stop_reason": "stop_sequence", "stop_sequence": "chi"}, "usage": {}}
    assert _told(messages.event_pieces(delta))["content/0/text"] == "chi"


def test_fields_that_nobody_knows_are_texts() -> None:
    block = {"type": "novelty", "novel": [{"deep": "Karachi"}]}
    assert "Karachi" in _told(messages.pieces({"content": [block]})).values()
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "novelty_delta", "novel": "Karachi"}}
    assert "Karachi" in _told(messages.event_pieces(delta)).values()
    item = {"type": "web_search_call", "id": "w", "action": {"query": "Karachi"}}
    assert "Karachi" in _told(responses.pieces({"object": "response", "output": [item]})).values()
    event = {"type": "response.novelty.delta", "novel": "Karachi", "output_index": 0}
    assert "Karachi" in _told(responses.event_pieces(event)).values()
    raw = {"object": "response", "output": [], "output_messages": [{"message": "Karachi", "tokens": [1]}]}
    assert "Karachi" in _told(responses.pieces(raw)).values()


def test_what_a_response_repeats_of_its_request_is_not_the_models() -> None:
    response = {"object": "response", "instructions": "Karachi", "tools": [{"name": "Karachi"}], "user": "Karachi",
                "metadata": {"a": "Karachi"}, "output": []}  # fmt: skip
    assert responses.pieces(response) == []
    assert responses.event_pieces({"type": "response.created", "response": response}) == []


def test_arguments_are_pieces_of_json() -> None:
    call = {
        "type": "function_call",
        "id": "i",
        "call_id": "c",
        "name": "f",
        "arguments": '{"a": 1}',
        "status": "completed",
    }
    (name, arguments) = responses.pieces({"object": "response", "output": [call]})
    assert (name.channel, name.json) == ("output/0/name", False)
    assert (arguments.channel, arguments.json) == ("output/0/arguments", True)
    delta = {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": '{"a"', "item_id": "i"}
    assert responses.event_pieces(delta)[0].json
    (told, given) = messages.pieces({"content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}]})
    assert (told.text, given.channel, given.json) == ("f", "content/0/input", True)


class _Watched:
    """Takes the token "Kar" for a beginning of what is protected."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def leaks(self, channel: str, token: str) -> bool:
        return token == "Kar"

    def said(self, channel: str, token: str) -> None:
        self.told.append((channel, token))


def test_alternatives_that_tell_are_taken_out_wherever_they_are() -> None:
    def tokens() -> list[Any]:
        return [{**t, "top_logprobs": list(t["top_logprobs"])} for t in LOGPROBS]

    def part() -> dict[str, Any]:
        return {"type": "output_text", "text": "It", "logprobs": tokens()}

    def item() -> dict[str, Any]:
        return {"type": "message", "content": [part()]}

    for holder in (
        {"object": "response", "output": [item()]},
        {
            "type": "response.output_text.delta",
            "delta": "It",
            "output_index": 0,
            "content_index": 0,
            "logprobs": tokens(),
        },
        {"type": "response.content_part.done", "part": part(), "output_index": 0, "content_index": 0},
        {"type": "response.output_item.done", "item": item(), "output_index": 0},
        {"type": "response.completed", "response": {"output": [item()]}},
    ):
        watched = _Watched()
        assert responses.prune(holder, watched)
        assert "Kar" not in str(holder)
        assert [token for _, token in watched.told] == ["It"]
        assert not responses.prune(holder, watched)
    watched = _Watched()
    responses.prune(
        {"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "logprobs": tokens()}, watched
    )
    assert watched.told == [("output/1/content/0/text", "It")]


def test_arguments_that_break_off_are_told_as_far_as_they_go() -> None:
    call = {"id": "c", "function": {"name": "f", "arguments": '{"city": "Os'}}
    answer = {"choices": [{"message": {"tool_calls": [call]}, "finish_reason": "length"}]}
    told = messages.from_chat(answer, {"model": "m"})
    assert told["content"][0]["input"] == {"city": "Os"}
    assert told["stop_reason"] == "max_tokens"


def test_an_empty_answer_is_one_empty_block() -> None:
    told = messages.from_chat({"choices": [{"message": {"content": ""}, "finish_reason": "stop"}]}, {"model": "m"})
    assert told["content"] == [{"type": "text", "text": ""}]


def test_cached_tokens_are_counted_apart() -> None:
    details = {"cached_tokens": 4, "created_cache_tokens": 2}
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": details}
    choice = {"message": {"content": "a"}, "finish_reason": "stop"}
    told = messages.from_chat({"choices": [choice], "usage": usage}, {})
    assert told["usage"] == {
        "input_tokens": 4, "output_tokens": 1, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 4,
    }  # fmt: skip
    told = responses.from_chat({"choices": [choice], "usage": usage}, {"input": "Hi"})
    assert told["usage"]["input_tokens_details"]["cached_tokens"] == 4
