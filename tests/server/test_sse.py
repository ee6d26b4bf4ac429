"""Events come out whole, and as they read, wherever the stream was cut."""

from __future__ import annotations

import json
import time

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.sse import MAX_EVENT, BrokenStream, Splitter

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(deadline=None)
@given(
    texts=st.lists(_TEXT, min_size=1, max_size=6),
    cuts=st.lists(st.integers(0, 400), max_size=12),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    named=st.booleans(),
)
def test_any_split_gives_the_same_events(texts: list[str], cuts: list[int], line_end: str, named: bool) -> None:
    head = f"event: x{line_end}" if named else ""
    whole = b"".join(
        f"{head}data: {json.dumps({'t': t}, ensure_ascii=False)}{line_end}{line_end}".encode() for t in texts
    )
    splitter = Splitter()
    found = []
    at = 0
    for cut in sorted({min(c, len(whole)) for c in cuts} | {len(whole)}):
        found += splitter.feed(whole[at:cut])
        at = cut
    assert splitter.rest() == b""
    name = b"event: x\n" if named else b""
    assert [e.data for e in found] == [{"t": t} for t in texts]
    assert [e.raw for e in found] == [name + b"data: " + orjson.dumps({"t": t}) + b"\n\n" for t in texts]


def test_what_is_no_json_object_has_no_data() -> None:
    found = Splitter().feed(b": a comment\n\ndata: [DONE]\n\ndata: 1\n\ndata: [1]\n\ndata: words\n\n")
    assert [e.data for e in found] == [None] * 5


@pytest.mark.parametrize(
    "data",
    [b"{broken", b'{"a": 1}}', b'{"a": "\xff"}', b'"\\ud800"', b"[" * 100_000, b'{"a":' * 300 + b"1" + b"}" * 300],
)
def test_what_begins_as_json_and_cannot_be_read_breaks_the_stream(data: bytes) -> None:
    with pytest.raises(BrokenStream):
        Splitter().feed(b"data: " + data + b"\n\n")


@pytest.mark.parametrize(
    ("came", "goes"),
    [
        (b'{"a": 1, "a": {"b": 2, "b": 3}}', b'{"a":{"b":3}}'),
        (b'["\\u004b", NaN]', b'["K",null]'),
        (b' {"\\u0061": "\\u004b"} ', b'{"a":"K"}'),
        (b"[DONE] ", b"[DONE]"),
    ],
)
def test_what_goes_on_is_what_was_read(came: bytes, goes: bytes) -> None:
    (found,) = Splitter().feed(b"id: 7\r\ndata: " + came + b"\r\n\r\n")
    assert found.raw == b"id: 7\ndata: " + goes + b"\n\n"


def test_data_over_several_lines_is_one_value() -> None:
    (found,) = Splitter().feed(b'data: {"a":\ndata: 1}\n\n')
    assert found.data == {"a": 1}


def test_nothing_goes_on_beside_data_that_nobody_reads() -> None:
    told = b": Zorvan\nevent: delta\ndata: {}\nsecret: Zorvan\n\nevent: Zorvan Pelk\ndata: {}\n\n: Zorvan\n\n"
    assert [e.raw for e in Splitter().feed(told)] == [b"event: delta\ndata: {}\n\n", b"data: {}\n\n", b":\n\n"]


def test_an_event_without_end_is_not_collected_for_ever() -> None:
    splitter = Splitter()
    splitter.feed(b"x" * MAX_EVENT)
    with pytest.raises(BrokenStream):
        splitter.feed(b"x")


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_many_events_in_one_chunk_take_each_no_longer(line_end: bytes) -> None:
    def took(events: int) -> float:
        chunk = (b'data: {"a": 1}' + 2 * line_end) * events
        taken = []
        for _ in range(3):
            began = time.thread_time()
            assert len(Splitter().feed(chunk)) == events
            taken.append(time.thread_time() - began)
        return min(taken)

    assert took(16_000) < 64 * took(1000)  # 16 times as many; were each looked for to the end, 256 times as long
