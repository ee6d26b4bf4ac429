"""What came of one request: as it should be, as it may be while the model server is away, or a fault."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from benchmarks.leaks.canaries import CANARIES
from benchmarks.leaks.reading import objects
from benchmarks.soak.client import Answer
from benchmarks.soak.traffic import Ask
from server.dialects.registry import create_dialect

Outcome = Literal[
    "answered", "guarded", "refused", "left", "busy", "away",  # as it should be; "away": the model server was
    "leak", "cut", "ill formed", "altered", "not guarded", "not refused", "wrong status", "not busy in form",
]  # fmt: skip
FAULTS: frozenset[Outcome] = frozenset(
    ("leak", "cut", "ill formed", "altered", "not guarded", "not refused", "wrong status", "not busy in form")
)

_SECRETS = tuple(canary.secret.casefold() for canary in CANARIES)
_AWAY = (502, 503, 504)
_ENDS = {"chat": b"data: [DONE]\n\n", "completions": b"data: [DONE]\n\n"}
_LAST = {"responses": "response.completed", "messages": "message_stop"}


def outcome(ask: Ask, answer: Answer, *, disturbed: bool) -> Outcome:
    """``disturbed``: whether the model server was killed while the request was under way."""
    found = _objects(ask, answer)
    told = _text(ask, _as_far_as_it_came(answer.body) if found is None else found)
    if _leaked(answer.body, told):
        return "leak"
    if answer.left:
        return "left"
    if not answer.whole:
        return "cut"
    if answer.status == 429:
        return "busy" if _busy(answer) else "not busy in form"
    if ask.bad:
        return "refused" if 400 <= answer.status < 500 and _error(answer.body) else "not refused"
    if answer.status in _AWAY and disturbed:
        return "away" if _error(answer.body) else "ill formed"
    if answer.status != 200:
        return "wrong status"
    return "ill formed" if found is None else _content(ask, answer, found, told, disturbed=disturbed)


def _leaked(body: bytes, told: str) -> bool:
    """Whether a protected fact can be read, in the bytes or in the text that they make."""
    texts = [text.casefold() for text in (body.decode("utf-8", "replace"), told)]
    return any(secret in text for secret in _SECRETS for text in texts)


def _content(ask: Ask, answer: Answer, found: Sequence[dict[str, Any]], told: str, *, disturbed: bool) -> Outcome:
    if ask.endpoint not in _ENDS and ask.endpoint not in _LAST:
        return "answered" if found[0].get("data") else "ill formed"
    if ask.streamed and not _ended(ask, answer.body, found):
        return "away" if disturbed and _broke(found[-1]) else "ill formed"
    if ask.guarded:
        return "guarded" if answer.headers.get("x-letheward-action") not in (None, "pass", "monitor") else "not guarded"
    if ask.story is not None and "".join(ask.story.pieces) != told:
        return "altered"
    return "answered"


def _objects(ask: Ask, answer: Answer) -> list[dict[str, Any]] | None:
    try:
        return objects(answer.body, streamed=ask.streamed and answer.status == 200)
    except ValueError:
        return None


def _as_far_as_it_came(body: bytes) -> list[dict[str, Any]]:
    """The events before the one in which a stream was left or broke."""
    end = body.rfind(b"\n\n")
    try:
        return objects(body[: end + 2], streamed=True) if end >= 0 else []
    except ValueError:
        return []


def _text(ask: Ask, found: Sequence[dict[str, Any]]) -> str:
    if ask.endpoint not in _ENDS and ask.endpoint not in _LAST:
        return ""
    dialect = create_dialect(ask.endpoint)
    read = dialect.event_pieces if ask.streamed else dialect.pieces
    return "".join(piece.text for item in found if "error" not in item for piece in read(item))


def _ended(ask: Ask, body: bytes, found: Sequence[dict[str, Any]]) -> bool:
    """Whether the stream's last event is the one that its API ends with."""
    if ask.endpoint in _ENDS:
        return body.endswith(_ENDS[ask.endpoint])
    return bool(found) and found[-1].get("type") == _LAST[ask.endpoint]


def _broke(last: dict[str, Any]) -> bool:
    """Whether a stream ended with an error that its client understands."""
    return bool(last.get("error")) or last.get("type") in ("error", "response.failed")


def _error(body: bytes) -> bool:
    """An error in OpenAI's shape or Anthropic's."""
    try:
        told = json.loads(body)
    except ValueError:
        return False
    error = told.get("error") if isinstance(told, dict) else None
    return isinstance(error, dict) and bool(error.get("message")) and bool(error.get("type"))


def _busy(answer: Answer) -> bool:
    return _error(answer.body) and answer.headers.get("retry-after", "").isdigit()
