"""POST /admin/v1/replay: past traffic judged by the lists in force, and by the lists with a change that is not made."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import anyio
import orjson
import structlog
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from classifiers.types import DetectorError, TextTooLong
from guard.importer import EntryIn, entries
from guard.in_force import Snapshot
from guard.model import Policy
from guard.snapshot import SnapshotManager
from guard.store import Invalid
from guard.what_if import Change, what_if
from server.dialects import chat, completions
from server.dialects.base import Dialect
from server.dialects.registry import create_dialect
from server.documented import documented
from server.errors import ApiError, problems
from server.incoming import read_body, unless_disconnected
from server.judging import Judge, Prompt
from server.list_name import ListName
from server.list_settings import ListSettings
from server.replay_summary import Result, summary
from server.surfaces import Body

log = structlog.get_logger("letheward.replay")

MAX_REQUESTS = 2000
MAX_CHARACTERS = 8_000_000  # of the body's JSON
_CHUNK = 4  # requests judged in a row; between them live requests get their turn
_LONGEST_ID = 200


class ChangeIn(BaseModel):
    """A change of one list, which may be new."""

    model_config = ConfigDict(extra="forbid")

    list_name: ListName = Field(alias="list")
    add: list[EntryIn] = Field(default_factory=list, max_length=10_000)
    remove: list[str] = Field(default_factory=list, max_length=10_000)
    policy: Policy | None = None
    threshold: float | None = Field(None, ge=0, le=1)
    enabled: bool | None = None
    settings: ListSettings | None = Field(None, description="any settings, as PATCH of the list takes them")

    def change(self) -> Change:
        """What it asks for; a threshold of null is the list's own, unlike one that is not given."""
        given = self.model_dump(include={"policy", "threshold", "enabled"}, exclude_unset=True)
        settings = self.settings.changes() if self.settings else {}
        settings |= {k: v for k, v in given.items() if v is not None or k == "threshold"}
        return Change(self.list_name, entries(self.add, self.list_name), list(dict.fromkeys(self.remove)), settings)


class RateOut(BaseModel):
    """A share with Wilson's 95 % interval; null of nothing."""

    hits: int
    n: int
    share: float | None
    low: float
    high: float


class ComparedOut(BaseModel):
    """How many requests are flagged, before and after the change."""

    flagged_before: RateOut
    flagged_after: RateOut
    newly_flagged: RateOut
    no_longer_flagged: RateOut


class SummaryOut(ComparedOut):
    """Over all lists, and of each."""

    n: int
    errors: int
    actions: dict[Literal["before", "after"], dict[str, int]]
    lists: dict[str, ComparedOut]


class SideOut(BaseModel):
    """What is done with a request, and because of what."""

    action: str
    list_name: str | None = Field(serialization_alias="list")
    entry: str | None
    score: float
    lists: list[str]


class ItemError(BaseModel):
    """Why a request could not be judged."""

    message: str
    code: str


class ResultOut(BaseModel):
    """One request: either judged twice, or an error."""

    index: int
    id: str | int | None = None
    before: SideOut | None = None
    after: SideOut | None = None
    error: ItemError | None = None


class ReplayOut(BaseModel):
    """What the lists in force, and those with the change, say of the requests."""

    revision: int
    dry_run: bool
    summary: SummaryOut
    results: list[ResultOut]


class ReplayIn(BaseModel):
    """Requests, as clients send them: with ``messages``, with ``prompt``, or a ``text`` alone; and an ``id``."""

    model_config = ConfigDict(extra="forbid")

    requests: list[Any] = Field(min_length=1, max_length=MAX_REQUESTS)
    change: ChangeIn | None = None


def add_replay(router: APIRouter, manager: SnapshotManager, judge: Judge, max_body_bytes: int) -> None:
    """The route. Replays take turns with each other in one worker of their own."""
    worker = anyio.CapacityLimiter(1)

    @router.post("/replay", response_model=ReplayOut, responses=documented(415, 499))
    async def replay(request: Request) -> Response:
        """Judge requests before and after a change. Nothing is stored, sent on or echoed."""
        raw = await read_body(request, min(max_body_bytes, MAX_CHARACTERS))
        given = await run_sync(_parsed, raw)
        answer = await unless_disconnected(request, _run(manager.current, given, judge, worker))
        return Response(await run_sync(orjson.dumps, answer), media_type="application/json")


async def _run(before: Snapshot, given: ReplayIn, judge: Judge, worker: anyio.CapacityLimiter) -> dict[str, Any]:
    started = time.perf_counter()
    after = await run_sync(_changed, before, given.change, limiter=worker) if given.change else before
    results: list[Result] = []
    for at in range(0, len(given.requests), _CHUNK):
        some = given.requests[at : at + _CHUNK]
        results += await run_sync(partial(_judged, judge, before, after, some, at), limiter=worker)
    told = await run_sync(summary, results)
    log.info(
        "replay",
        n=told["n"],
        errors=told["errors"],
        newly_flagged=told["newly_flagged"]["hits"],
        forget_list=given.change.list_name if given.change else None,
        ms=round((time.perf_counter() - started) * 1000),
    )
    return {"revision": before.revision, "dry_run": given.change is not None, "summary": told, "results": results}


def _parsed(raw: bytes) -> ReplayIn:
    """The body. Halves of surrogate pairs, which logs hold, are let through here and are errors of their item."""
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError:
        try:
            data = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise ApiError(400, f"The body is not valid JSON: {error}", code="invalid_json") from error
    if not isinstance(data, dict):
        raise ApiError(400, "The body must be a JSON object.", code="invalid_json")
    try:
        return ReplayIn.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise ApiError(400, problems(found), code="invalid_request") from error


def _changed(before: Snapshot, given: ChangeIn) -> Snapshot:
    try:
        return what_if(before, given.change())
    except Invalid as error:
        raise ApiError(400, str(error), param="change", code="invalid_request") from error
    except DetectorError as error:
        raise ApiError(503, f"The detector failed: {error}", type="server_error", code="detector_failed") from error


def _judged(judge: Judge, before: Snapshot, after: Snapshot, items: Sequence[Any], first: int) -> list[Result]:
    return [_result(judge, before, after, item, first + i) for i, item in enumerate(items)]


def _result(judge: Judge, before: Snapshot, after: Snapshot, item: Any, index: int) -> Result:
    about: Result = {"index": index} | _id(item)
    try:
        body, dialect = _body(item)
        prompt = judge.read(body, dialect)
        orjson.dumps(body)
        old = _side(judge, before, prompt)
        return about | {"before": old, "after": old if after is before else _side(judge, after, prompt)}
    except ApiError as error:
        return about | {"error": {"message": error.message, "code": error.code or "invalid_request"}}
    except TextTooLong as error:
        return about | {"error": {"message": f"It cannot be judged: {error}.", "code": "text_too_long"}}
    except DetectorError as error:
        return about | {"error": {"message": f"The detector failed: {error}", "code": "detector_failed"}}
    except orjson.JSONEncodeError as error:
        return about | {"error": {"message": f"It cannot be sent as JSON: {error}", "code": "invalid_json"}}


def _side(judge: Judge, snapshot: Snapshot, prompt: Prompt) -> dict[str, Any]:
    found = judge.judge(snapshot, prompt)
    decided = judge.decide(snapshot, prompt, found.verdicts)
    verdict = decided.decisive.verdict if decided.decisive else None
    return {
        "action": decided.action,
        "list": verdict.list_name if verdict else None,
        "entry": verdict.entry_id if verdict else None,
        "score": round(verdict.score if verdict else max(found.scores.values(), default=0.0), 4),
        "lists": sorted(found.flagged),
    }


def _body(item: Any) -> tuple[Body, Dialect]:
    """An item as the body that a client would have sent, and where to."""
    if isinstance(item, dict):
        body = {k: v for k, v in item.items() if k != "id"}
        if "messages" in body:
            return body, chat
        if "prompt" in body:
            return body, completions
        if "input" in body:
            return body, create_dialect("responses")
        if isinstance(body.get("text"), str):
            return {"messages": [{"role": "user", "content": body["text"]}]}, chat
    raise ApiError(
        400, "An item must be an object with 'messages', 'prompt', 'input' or a 'text'.", code="invalid_request"
    )


def _id(item: Any) -> dict[str, str | int]:
    found = item.get("id") if isinstance(item, dict) else None
    if isinstance(found, str):
        return {"id": found[:_LONGEST_ID].encode("utf-8", "replace").decode()}
    return {"id": found} if isinstance(found, int) and abs(found) < 2**53 else {}
