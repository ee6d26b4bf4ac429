"""Whatever a client sends, the fault is told to be the client's: no answer is a 5xx, and each has OpenAI's shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.conftest import ADMIN_KEY, House

AUTH = {"Authorization": f"Bearer {ADMIN_KEY}"}
CHECK, REPLAY, CHAT, COMPLETIONS = "/admin/v1/check", "/admin/v1/replay", "/v1/chat/completions", "/v1/completions"
PATHS = (CHECK, REPLAY, CHAT, COMPLETIONS)

TEXT = st.text(st.characters(), max_size=40)  # with halves of surrogate pairs, NUL and all else
NAMED = st.builds(lambda a, b: f"{a}Zorvan Pelk{b}", TEXT, TEXT)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | NAMED
KEYS = TEXT | st.sampled_from(
    ["messages", "prompt", "text", "turns", "requests", "change", "list", "add", "remove", "threshold", "id", "role",
     "content", "type", "name", "tools", "stream", "n", "echo", "model", "prompt_embeds", "suffix", "stream_options"]
)  # fmt: skip
JSON = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4))
ITEMS = st.lists(JSON | st.fixed_dictionaries({}, optional={"text": TEXT | NAMED, "id": JSON}), max_size=4)
ROLES = st.sampled_from(["user", "system", "assistant", "tool"]) | JSON
PARTS = st.lists(st.fixed_dictionaries({"type": st.just("text") | JSON, "text": NAMED | JSON}) | JSON, max_size=4)
MESSAGE = st.fixed_dictionaries({"role": ROLES, "content": NAMED | PARTS | JSON}, optional={"tool_calls": JSON})
ENTRY = st.fixed_dictionaries(
    {}, optional={"subject": TEXT, "question": TEXT, "aliases": JSON, "id": TEXT, "scope": JSON}
)
CHANGE = st.fixed_dictionaries(
    {"list": st.sampled_from(["facts", "new"]) | TEXT},
    optional={"add": st.lists(ENTRY | JSON, max_size=3), "remove": st.lists(TEXT, max_size=2) | JSON,
              "threshold": st.floats() | JSON, "enabled": JSON, "policy": JSON},
)  # fmt: skip
EXTRA = {"stream": JSON, "n": JSON, "echo": JSON, "tools": JSON, "model": JSON, "stream_options": JSON, "stop": JSON}
IDS = st.integers(-2, 40) | st.integers()
BODIES = {
    CHECK: st.fixed_dictionaries({}, optional={"text": NAMED | JSON, "turns": st.lists(NAMED | TEXT) | JSON}),
    REPLAY: st.fixed_dictionaries({"requests": ITEMS | st.lists(MESSAGE) | JSON}, optional={"change": CHANGE | JSON}),
    CHAT: st.fixed_dictionaries({"messages": st.lists(MESSAGE, min_size=1, max_size=4) | JSON}, optional=EXTRA),
    COMPLETIONS: st.fixed_dictionaries(
        {"prompt": NAMED | st.lists(NAMED, max_size=3) | st.lists(IDS, max_size=9) | JSON}, optional=EXTRA
    ),
}
MANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def _holds(house: House, path: str, content: bytes) -> None:
    response = house.client.post(path, headers=AUTH, content=content)
    assert response.status_code < 500, (response.text, content)
    if response.status_code >= 400:
        error = response.json()["error"]
        assert error["message"]
        assert set(error) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("policy", ["eco", "refuse", "dragon"])
@pytest.mark.parametrize("path", PATHS)
def test_bodies_that_are_nearly_right(house: House, path: str, policy: str) -> None:
    house.policy(policy)

    @MANY
    @given(BODIES[path])
    def holds(body: Any) -> None:
        _holds(house, path, json.dumps(body).encode())

    holds()


@pytest.mark.parametrize("path", PATHS)
def test_any_json_and_any_bytes(house: House, path: str) -> None:
    @MANY
    @given(st.builds(lambda value: json.dumps(value).encode(), JSON) | st.binary(max_size=60))
    def holds(content: bytes) -> None:
        _holds(house, path, content)

    holds()


def _deep(depth: int) -> bytes:
    return b'{"messages": [{"role": "user", "content": ' + b"[" * depth + b"]" * depth + b"}]}"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"0", b"[]", b"{}", b'"\\ud800"', b'{"text": "\\ud800"}', b'{"prompt": "\\udfff"}',
        b'{"messages": [{"role": "user", "content": "\\ud800"}]}', b"[" * 200_000, b'{"a":' * 100_000,
        *(_deep(d) for d in (60, 200, 900, 5000)), b'{"requests": [' + b"[" * 900 + b"]" * 900 + b"]}",
        json.dumps({"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}] * 10_000}]}).encode(),
        json.dumps({"prompt": ["x"] * 10_000}).encode(), json.dumps({"prompt": [0] * 10_000}).encode(),
        json.dumps({"turns": ["x"] * 10_000}).encode(), json.dumps({"requests": [{"text": "x"}] * 10_000}).encode(),
        json.dumps({"text": "x" * 990_000}).encode(), json.dumps({"requests": [{"text": "x y " * 5_000}]}).encode(),
        json.dumps({"messages": [{"role": "user", "tool_calls": [{"arguments": '["\\ud800 Zorvan"]'}]}]}).encode(),
        b'{"prompt": 1e999}', b'{"prompt": NaN}', b'{"prompt": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_bodies_that_have_been_trouble(house: House, path: str, content: bytes) -> None:
    _holds(house, path, content)


@MANY
@given(name=TEXT.filter(lambda t: t.strip("./")))
def test_any_path(house: House, name: str) -> None:
    raw = name.encode("utf-8", "surrogatepass")
    path = "/admin/v1/lists/" + "".join(f"%{byte:02x}" for byte in raw)
    for suffix in ("", "/entries", "/export", "/entries/" + path.rpartition("/")[2]):
        response = house.client.request("DELETE" if "/entries/" in suffix else "GET", path + suffix, headers=AUTH)
        assert response.status_code in (400, 404, 405), response.text


@MANY
@given(value=st.text(st.characters(max_codepoint=255), max_size=20))
def test_any_header(house: House, value: str) -> None:
    safe = "".join(c for c in value if c.isprintable()).strip().encode("latin-1")
    headers = {"x-request-id": safe, "x-letheward-admin-key": safe, "authorization": b"Bearer x" + safe}
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    assert house.client.post(CHAT, json=body, headers=headers).status_code == 200  # type: ignore[arg-type]
