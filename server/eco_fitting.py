"""/admin/v1/lists/{name}/eco: corruption strengths fitted to the served model."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import anyio
import httpx
import orjson
from anyio.streams.memory import MemoryObjectSendStream
from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from classifiers.types import DetectorError
from guard.corruptions.registry import CORRUPTIONS
from guard.eco import Eco, EcoUnavailable
from guard.in_force import Snapshot
from guard.model import EcoFit, ForgetList
from guard.snapshot import SnapshotManager
from guard.store import NotFound, StoreError
from guard.zeroth_order import SearchConfig
from server import eco_fit_questions as asking
from server.documented import documented
from server.eco_fit_job import METRIC, Event, Job, Target, Way
from server.eco_fit_state import FitKey, FitState
from server.errors import ApiError, error_body
from server.judging import Judge
from server.list_name import ListName
from server.served_models import served_model
from server.upstream import Endpoint, Upstream

T = TypeVar("T")

MOST = 1e6  # the largest sigma of a list
_WAITING = 16  # events that the client has not read yet
_CONNECT, _READ = 5.0, 600.0  # seconds, to a retained model


class RetainedIn(BaseModel):
    """A model that was trained without the list."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(pattern=r"^https?://", max_length=2000)
    model: str = Field(min_length=1, max_length=512)
    key: SecretStr | None = None

    @field_validator("url")
    @classmethod
    def _base_url(cls, value: str) -> str:
        try:
            if not httpx.URL(value).host:
                raise ValueError("names no host")
        except httpx.InvalidURL as error:
            raise ValueError(str(error)) from error
        return value.rstrip("/").removesuffix("/v1")


class FitIn(BaseModel):
    """How to fit. Without ``target`` and ``retained``, questions about made-up names say what is wanted.

    ``sigma0``, ``c``, ``eta``, ``floor`` default to those of ``SearchConfig`` times the embedding rows' loudness.
    """

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(None, min_length=1, max_length=512, description="default the first that is served")
    n: int = Field(32, ge=1, le=2000, description="questions at most")
    seed: int = Field(0, ge=0, lt=2**32)
    target: float | None = Field(None, ge=0, le=1)
    retained: RetainedIn | None = None
    max_tokens: int = Field(48, ge=1, le=1024)
    at_once: int = Field(8, ge=1, le=64)
    steps: int = Field(10, ge=1, le=100)
    tolerance: float = Field(0.02, ge=0, lt=1)
    sigma0: float | None = Field(None, gt=0, le=MOST)
    c: float | None = Field(None, gt=0, le=MOST)
    eta: float | None = Field(None, gt=0, le=1e12)
    floor: float | None = Field(None, ge=0, le=MOST)
    restart: bool = Field(False, description="forget what a stopped fit has measured")
    dry_run: bool = Field(False, description="store nothing")


class FittedOut(BaseModel):
    """A strength that was fitted to a model."""

    model: str
    sigma: float
    corruption: str
    dims: int | None
    provenance: dict[str, Any]


class EcoOut(BaseModel):
    """The list's own strength, and those fitted to models, which go before it."""

    list_name: str = Field(serialization_alias="list")
    sigma: float
    corruption: str
    dims: int | None
    fits: list[FittedOut]


class ForgottenOut(BaseModel):
    """The model whose fitted strength is gone."""

    deleted: str
    list_name: str = Field(serialization_alias="list")
    revision: int


_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events as JSON lines", "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}
}


@dataclass(frozen=True, slots=True)
class Fitting:
    """What fits need of the server; ``running``: the lists that are fitted now."""

    manager: SnapshotManager
    judge: Judge
    upstream: Upstream | None = None
    eco: Eco | None = None
    folder: Path | None = None  # for what stopped fits have measured
    running: set[str] = field(default_factory=set)


def add_eco(router: APIRouter, fitting: Fitting) -> None:
    """The routes."""

    @router.get("/lists/{name}/eco", response_model=EcoOut, responses=documented(404))
    async def shown(name: ListName) -> Response:
        """The list's own strength, and those fitted to models, which go before it."""
        item, fits = await _answered(run_sync(_kept, fitting.manager, name))
        told = [{k: v for k, v in asdict(fit).items() if k != "list_name"} for fit in fits]
        own = {"list": name, "sigma": item.sigma, "corruption": item.corruption, "dims": item.dims}
        return JSONResponse(own | {"fits": told})

    @router.delete("/lists/{name}/eco", response_model=ForgottenOut, responses=documented(404))
    async def removed(name: ListName, model: Annotated[str, Query(min_length=1, max_length=512)]) -> Response:
        """Forget a fitted strength: the list's own is in force again."""
        change = partial(fitting.manager.change, lambda store: store.remove_fit(name, model))
        _, revision = await _answered(run_sync(change))
        return JSONResponse({"deleted": model, "list": name, "revision": revision})

    @router.post("/lists/{name}/eco/fit", response_model=None, responses=_EVENTS | documented(404, 409, 502, 504))
    async def fit(request: Request, name: ListName, given: FitIn) -> Response:
        """Fit, or go on with a fit that was stopped: its events as JSON lines, the last "done" or "error"."""
        if name in fitting.running:
            raise ApiError(409, f"The list {name!r} is being fitted; one fit at a time.", code="fit_running")
        fitting.running.add(name)
        held = AsyncExitStack()
        held.callback(fitting.running.discard, name)
        try:
            job = await _answered(_prepared(fitting, name, given, held))
            job = replace(job, stopping=getattr(request.app.state, "stopping", job.stopping))
        except BaseException:
            await held.aclose()
            raise
        return _Events(job, held)


class _Events(StreamingResponse):
    """A job's events as JSON lines. The job ends when the client goes away; what it holds is given back."""

    def __init__(self, job: Job, held: AsyncExitStack) -> None:
        self._job = job
        self._held = held
        self._put, self._events = anyio.create_memory_object_stream[Event](_WAITING)
        super().__init__(self._lines(), media_type="application/x-ndjson")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the job beside its stream."""
        async with self._held, self._events, anyio.create_task_group() as group:
            group.start_soon(_carried_out, self._job, self._put)
            await super().__call__(scope, receive, send)
            group.cancel_scope.cancel()

    async def _lines(self) -> AsyncIterator[bytes]:
        async for event in self._events:
            yield orjson.dumps(event) + b"\n"


async def _carried_out(job: Job, put: MemoryObjectSendStream[Event]) -> None:
    async with put:
        try:
            await _answered(job.run(put.send))
        except ApiError as error:
            body = error_body(error.message, type=error.type, code=error.code, param=error.param)
            await put.send({"event": "error", "status": error.status} | body)


async def _prepared(fitting: Fitting, name: str, given: FitIn, held: AsyncExitStack) -> Job:
    """The job, after everything was checked that can be checked beforehand."""
    snapshot = fitting.manager.current
    item = await run_sync(fitting.manager.store.get_list, name)
    eco, upstream = fitting.eco, fitting.upstream
    if eco is None or upstream is None:
        raise ApiError(
            400,
            "The served model's weights are not at hand, so its embeddings cannot be corrupted: start the proxy with "
            "--model-path FOLDER, where the model's tokenizer.json and safetensors are.",
            code="eco_unavailable",
        )
    questions, unflagged = await _questions(fitting, snapshot, item, given)
    model = await served_model(upstream, given.model)
    unit = await run_sync(asking.loudness, questions, eco)
    way = Way(_search(given, unit), unit, given.seed, given.max_tokens, given.at_once, given.dry_run)
    target = await _target(given, questions, snapshot, name, model, upstream, held)
    sent = await run_sync(_sent, questions[0], item, snapshot, eco, way.search.sigma0)
    key = FitKey((name, model), *_determining(item, questions, way, target, sent))
    state = await run_sync(partial(FitState.open, fitting.folder, key, restart=given.restart))
    return Job(
        fitting.manager, snapshot, item, model, questions, unflagged, target, eco, upstream, state, way
    )  # fmt: skip


async def _questions(
    fitting: Fitting, snapshot: Snapshot, item: ForgetList, given: FitIn
) -> tuple[list[asking.Question], int]:
    """What to ask, and how many questions are left out since the guard does not flag them."""
    if item.corruption not in CORRUPTIONS or not CORRUPTIONS[item.corruption].sigma:
        fitted = ", ".join(k for k, way in CORRUPTIONS.items() if way.sigma)
        raise ApiError(
            400, f"The corruption {item.corruption!r} has no strength to fit; these have: {fitted}.", code="no_strength"
        )
    if not item.enabled:
        raise ApiError(400, f"The list {item.name!r} is off: switch it on to fit it.", code="list_off")
    entries = asking.sample(asking.pairs(snapshot, item.name), given.n, given.seed)
    if not entries:
        raise ApiError(
            400,
            f"The list {item.name!r} has no entry with a question and an answer to measure by: add some, or set the "
            "list's sigma by hand.",
            code="no_pairs",
        )
    found = await run_sync(asking.flagged, snapshot, fitting.judge, item.name, entries)
    if not found:
        raise ApiError(
            400,
            f"None of the {len(entries)} questions is flagged, so nothing would be corrupted: lower the threshold.",
            code="nothing_flagged",
        )
    return found, len(entries) - len(found)


def _search(given: FitIn, unit: float) -> SearchConfig:
    own = {k: v for k in ("sigma0", "c", "eta", "floor") if (v := getattr(given, k)) is not None}
    try:
        scaled = SearchConfig(steps=given.steps, tolerance=given.tolerance).scaled(unit)
        return SearchConfig(**(scaled.plain() | {"ceiling": min(scaled.ceiling, MOST)} | own))
    except ValueError as error:
        raise ApiError(400, f"The search cannot be made so: {error}.", code="invalid_request") from error


async def _target(
    given: FitIn, questions: list[asking.Question], snapshot: Snapshot, name: str, model: str, upstream: Upstream,
    held: AsyncExitStack,
) -> Target:  # fmt: skip
    if given.target is not None and given.retained is not None:
        raise ApiError(400, "Give a target or a retained model, not both.", param="target")
    if given.target is not None:
        return Target("given", given.target)
    if given.retained is not None:
        key = given.retained.key.get_secret_value() if given.retained.key else None
        endpoint = Endpoint(given.retained.url, key)
        other = Upstream(lambda: endpoint, connect_timeout=_CONNECT, read_timeout=_READ)
        held.push_async_callback(other.close)
        return Target("retained", None, asking.bare(questions), other, given.retained.model, given.retained.url)
    asks = await run_sync(asking.unknowable, questions, snapshot, name, given.seed)
    if not asks:
        raise ApiError(
            400,
            "No question names its entry's subject, so none can be asked about a made-up name: give a target or a "
            "retained model.",
            code="no_target",
        )
    return Target("made-up names", None, asks, upstream, model)


def _sent(question: asking.Question, item: ForgetList, snapshot: Snapshot, eco: Eco, sigma: float) -> str:
    """A digest of a corrupted request: other weights, or another way to corrupt, make another. Blocking."""
    fit = EcoFit(item.name, "", sigma, item.corruption, item.dims)
    body = asking.corrupted(question, item, snapshot, fit, eco)
    return hashlib.blake2b(orjson.dumps(body), digest_size=8).hexdigest()


def _determining(
    item: ForgetList, questions: list[asking.Question], way: Way, target: Target, sent: str
) -> tuple[Any, Any]:
    """What is asked, and how: all that figures follow from."""
    entries = [
        [e.entry_id, e.question, e.answer, e.subject, list(e.aliases),
         [[[s.start, s.end] for v in own for s in v.spans] for own in q.verdicts]]
        for q in questions for e in [q.entry]
    ]  # fmt: skip
    told = [METRIC, way.search.plain(), way.seed, way.max_tokens, target.source, target.value]
    told += [target.model, target.url, item.corruption, item.dims, item.token_classifier, sent]
    return entries, told


def _kept(manager: SnapshotManager, name: str) -> tuple[ForgetList, list[EcoFit]]:
    return manager.store.get_list(name), manager.store.fits(name)


async def _answered(work: Awaitable[T]) -> T:
    """``work``'s result, its faults as answers."""
    try:
        return await work
    except NotFound as error:
        raise ApiError(404, str(error).capitalize() + ".", code="not_found") from error
    except EcoUnavailable as error:
        raise ApiError(400, str(error), code="eco_unavailable") from error
    except (StoreError, DetectorError, OSError) as error:
        raise ApiError(503, str(error), type="server_error", code="fit_failed") from error
