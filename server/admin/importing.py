"""POST /admin/v1/lists/{name}/import: entries from JSON lines or CSV, taken in while they come.

A chunk of lines is one revision. Ids follow from what entries say, so that lines that come again change nothing, and
an import that broke off can be sent again from the line after the last that was taken in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from guard.importer import EntryIn, Problem, entries
from guard.keeping import as_kept
from guard.model import Entry
from guard.store import Added, Done, Store
from server.admin.changing import Changing, Outcome
from server.admin.entries import AddedOut, differences, listed
from server.admin.faults import off_loop
from server.admin.how import How, how_streamed
from server.admin.lines import Read, csv_rows, json_lines
from server.admin.shown import DryRunOut, InForce
from server.documented import documented
from server.errors import ApiError, error_body
from server.list_name import ListName

CHUNK_LINES = 500
CHUNK_BYTES = 1_000_000
_MOST_ERRORS = 1000  # that are told
_MOST_IDS = 10_000  # that are told, and entries of a dry run
_JSON_LINES = "application/x-ndjson"
_CSV = "text/csv"

OnError = Annotated[
    Literal["stop", "skip"],
    Query(description="`stop`: from the chunk with a bad line on nothing is taken in; `skip`: all but bad lines is."),
]
FromLine = Annotated[int, Query(ge=1, le=2**31, description="Pass over the lines before this one.")]


class LineError(BaseModel):
    """What is wrong with a line."""

    line: int
    message: str


class ImportedOut(AddedOut):
    """What came of an import. ``errors`` are the first 1000 of ``failed``, ``ids`` the first 10,000."""

    lines: int = Field(description="of the body")
    last_line: int = Field(description="up to which everything is in force: send the rest from the next")
    failed: int
    errors: list[LineError]


class ImportRehearsal(DryRunOut):
    """What an import would do."""

    lines: int
    last_line: int
    failed: int
    errors: list[LineError]


class Progress(BaseModel):
    """A line of the answer while it goes on; the last is an ``ImportedOut`` with ``event`` "done", or an error."""

    event: Literal["progress", "done", "error"]
    line: int
    added: int
    updated: int
    errors: int
    in_force: InForce | None = None


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            _JSON_LINES: {"schema": {"type": "string", "description": "one entry a line"}},
            _CSV: {"schema": {"type": "string", "description": "under a row that names the fields"}},
        },
    }
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": ImportRehearsal,
        "description": "A dry run, or with `Accept: application/x-ndjson` the progress line by line",
        "content": {_JSON_LINES: {"schema": Progress.model_json_schema()}},
    }
}


def add_import(router: APIRouter, changing: Changing) -> None:
    """The route."""

    @router.post(
        "/lists/{name}/import", status_code=201, response_model=ImportedOut, openapi_extra=_BODY,
        responses=_ANSWERS | documented(404, 409, 412, 415),
    )  # fmt: skip
    async def load(
        name: ListName,
        request: Request,
        asked: Annotated[How, Depends(how_streamed)],
        on_error: OnError = "stop",
        from_line: FromLine = 1,
    ) -> Response:
        """Add entries from JSON lines or, with ``Content-Type: text/csv``, rows of CSV, as they come."""
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise ApiError(415, "Compressed request bodies are not accepted.", code="unsupported_encoding")
        expect = await off_loop(partial(listed, changing.manager.store, name, asked))
        read = csv_rows if request.headers.get("content-type", "").lower().startswith(_CSV) else json_lines
        job = _Import(changing, name, asked, expect, on_error == "skip", from_line)
        if asked.dry_run:
            return JSONResponse(await job.rehearsed(read(request.stream())))
        if _JSON_LINES in request.headers.get("accept", ""):
            done = await changing.claimed(asked)
            return _Events(job, read(request.stream())) if done is None else _again(done)
        return await changing.once(asked, partial(_finished, job, read(request.stream())))


async def _finished(job: _Import, reads: AsyncIterator[Read]) -> Outcome:
    async for _ in job.progress(reads):
        pass
    return await job.outcome()


def _again(done: Done) -> Response:
    """What a request with the same idempotency key came to."""
    line = orjson.dumps({"event": "done"} | done.answer["body"]) + b"\n"
    return Response(line, media_type=_JSON_LINES, headers={"Idempotency-Replayed": "true"})


@dataclass(slots=True)
class _Import:
    """One import under way. ``expect``: the revision of the list's settings that it is for."""

    changing: Changing
    name: str
    asked: How
    expect: int | None
    skips: bool
    from_line: int
    lines: int = 0
    last_line: int = 0
    added: int = 0
    updated: int = 0
    revision: int | None = None
    failed: int = 0
    errors: list[Problem] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    stopped: bool = False

    async def progress(self, reads: AsyncIterator[Read]) -> AsyncIterator[dict[str, Any]]:
        """Take the lines in; a mark after every chunk.

        Raises:
            ApiError: a line is bad, and none is to be skipped; chunks before it are in force.
        """
        try:
            async for chunk in self._chunks(reads):
                await self._take(chunk)
                yield {"line": self.last_line, "added": self.added, "updated": self.updated, "errors": self.failed}
            if self.stopped:
                raise self._bad_lines()
        except ApiError as error:
            raise self._resumable(error) from error

    async def rehearsed(self, reads: AsyncIterator[Read]) -> dict[str, Any]:
        """What it would do."""
        found: dict[str, Entry] = {}
        async for chunk in self._chunks(reads):
            made = await off_loop(partial(self._made, chunk))
            found |= {entry.entry_id: entry for entry in made}
            if len(found) > _MOST_IDS:
                raise ApiError(400, f"A dry run is for {_MOST_IDS} entries at most.", code="too_many_lines")
        if self.stopped:
            raise self._bad_lines()
        changes = await off_loop(partial(differences, self.changing.manager.store, self.name, found))
        return await self.changing.rehearsed(changes) | self._told()

    async def outcome(self) -> Outcome:
        """What came of it."""
        revision = self.changing.manager.current.revision if self.revision is None else self.revision
        body = {"added": self.added, "updated": self.updated, "ids": self.ids, "revision": revision} | self._told()
        return Outcome(body | await self.changing.in_force(self.asked, revision), revision, status=201)

    async def _chunks(self, reads: AsyncIterator[Read]) -> AsyncIterator[list[EntryIn]]:
        """Entries, some at a time; after a bad line none, where none is to be skipped."""
        chunk: list[EntryIn] = []
        size = 0
        try:
            async for read in reads:
                self.lines = read.last
                if read.number < self.from_line or read.found is None:
                    continue
                if isinstance(read.found, Problem):
                    self._note(read.found)
                    continue
                chunk.append(read.found)
                size += read.size
                if len(chunk) >= CHUNK_LINES or size >= CHUNK_BYTES:
                    if not self.stopped:
                        yield chunk
                    chunk, size = [], 0
        except ClientDisconnect as error:
            raise ApiError(499, "The client closed the connection.", type="client_closed") from error
        if not self.lines:
            raise ApiError(400, "The body has no lines.", code="invalid_lines")
        if not self.stopped:
            if chunk:
                yield chunk
            self.last_line = self.lines

    async def _take(self, chunk: list[EntryIn]) -> None:
        done, _ = await off_loop(partial(self.changing.manager.change, partial(self._put, await self._ready(chunk))))
        self.last_line = self.lines
        self.added += done.added
        self.updated += done.updated
        self.revision = done.revision
        if self.asked.key is not None:
            await off_loop(partial(self.changing.manager.store.renew, self.asked.key))

    async def _ready(self, chunk: list[EntryIn]) -> list[Entry]:
        made = await off_loop(partial(self._made, chunk))
        self.ids += [entry.entry_id for entry in made][: _MOST_IDS - len(self.ids)]
        return made

    def _made(self, chunk: list[EntryIn]) -> list[Entry]:
        return as_kept(self.changing.manager, self.name, entries(chunk, self.name))

    def _put(self, made: list[Entry], store: Store) -> Added:
        return store.put_entries(self.name, made, by=self.asked.by, expect_list=self.expect)

    def _note(self, problem: Problem) -> None:
        self.failed += 1
        self.stopped = not self.skips
        if len(self.errors) < _MOST_ERRORS:
            self.errors.append(problem)

    def _told(self) -> dict[str, Any]:
        errors = [{"line": p.line, "message": p.message} for p in self.errors]
        return {"lines": self.lines, "last_line": self.last_line, "failed": self.failed, "errors": errors}

    def _bad_lines(self) -> ApiError:
        shown = "; ".join(f"line {p.line}: {p.message}" for p in self.errors[:10])
        return ApiError(400, f"{self.failed} lines cannot be read: {shown}", code="invalid_lines")

    def _resumable(self, error: ApiError) -> ApiError:
        """``error``, and where to go on."""
        if not self.last_line:
            return error
        told = f"Up to line {self.last_line} all is in force: go on with from_line={self.last_line + 1}. "
        return ApiError(error.status, told + error.message, type=error.type, code=error.code, headers=error.headers)


class _Events(Response):
    """An import's progress as JSON lines, written while the body is still read.

    Starlette's own streaming listens for the client's going away, and would read the body in doing so.
    """

    media_type = _JSON_LINES

    def __init__(self, job: _Import, reads: AsyncIterator[Read]) -> None:
        super().__init__(status_code=200)
        self._job = job
        self._reads = reads
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the lines in, and tell of it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

        async def tell(event: str, **values: Any) -> None:
            line = orjson.dumps({"event": event} | values) + b"\n"
            await send({"type": "http.response.body", "body": line, "more_body": True})

        try:
            async with self._job.changing.claim(self._job.asked) as finish:
                async for mark in self._job.progress(self._reads):
                    await tell("progress", **mark)
                outcome = await self._job.outcome()
                await finish(outcome)
            await tell("done", **outcome.body)
        except ApiError as error:
            told = error_body(error.message, type=error.type, code=error.code, param=error.param)
            await tell("error", status=error.status, last_line=self._job.last_line, **told)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
