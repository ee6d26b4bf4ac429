"""From the model server's answer to the client's: watched on its way, and asked for again where it would tell."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

import anyio
import httpx
import orjson
import structlog
from anyio.to_thread import run_sync
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from classifiers.types import DetectorError
from guard.output import Hit
from guard.repeats import Watching
from guard.router import Finding
from server.answers import AsItCame, Release, Sink, Translating, Watched, released, spoken
from server.declined import Cut, Declined
from server.dialects import chat
from server.dialects.base import Answer, Dialect, Translated
from server.dialects.served import Served
from server.errors import ApiError, error_body
from server.guarding import Guarded
from server.passing import passed_headers
from server.phases import Phases
from server.sse import BrokenStream, event, events
from server.surfaces import Body
from server.upstream import Upstream, fault, read_whole
from server.upstream_faults import broken

log = structlog.get_logger("letheward.answering")

# Their streams end with [DONE]. Where a stream ends with its connection, nothing else tells an end from a fault.
_SAY_DONE = ("/v1/chat/completions", "/v1/completions")


@dataclass(frozen=True, slots=True)
class Way:
    """One request on its way: what it asked, in which form, and how its answer is watched.

    ``native``: the client's endpoint and body. ``carrier``: the endpoint at the model server; another one where the
    request was translated. ``watch``: a watch for an answer. ``again``: the request as it is to be sent after a hit.
    """

    native: Dialect
    asked: Body
    carrier: Dialect
    prompt: str
    headers: dict[str, str]
    request_id: str | None
    watch: Callable[[Guarded], Watching]
    again: Callable[[Hit], Any]  # an awaitable of ``Guarded``
    say: Callable[[Hit], Any]  # an awaitable of ``Guarded`` with ``say``
    hit: Callable[[Hit, str], None]  # counts one, with what came of it
    fallen: Callable[[Finding], Any]  # an awaitable of ``Guarded`` with ``say``, where the guard's text does not fit
    held: Callable[[int], None]  # notes the most characters of a stream that waited
    phases: Phases = field(default_factory=Phases)
    served: Served | None = None  # what a translated answer tells of the model

    @property
    def translated(self) -> Translated | None:
        """The client's endpoint, where the model server is asked at another."""
        return None if self.native is self.carrier else cast(Translated, self.native)

    def guardable(self) -> Way:
        """The same, asked where the model server can be guarded."""
        return replace(self, carrier=cast(Dialect, chat)) if hasattr(self.native, "to_chat") else self

    @property
    def streamed(self) -> bool:
        """Whether the client asked for a stream."""
        return bool(self.asked.get("stream"))


@dataclass(slots=True)
class Answering:
    """Answers requests. ``cut``: a text as the model's tokens; ``pace``: seconds between tokens of own answers."""

    upstream: Upstream
    cut: Cut
    pace: float = 0.0
    fail_open: bool = False

    async def answer(self, way: Way, guarded: Guarded) -> Response:
        """The client's response.

        Raises:
            ApiError: the upstream failed before anything was sent.
        """
        if guarded.say is not None:
            return self._spoken(way, guarded)
        watching = asyncio.ensure_future(self._watched(way, guarded))  # it reads the request while the model does
        watching.add_done_callback(_taken_note_of)
        try:
            return await self._answered(way, guarded, watching)
        finally:
            watching.cancel()

    async def _answered(self, way: Way, guarded: Guarded, watching: asyncio.Future[Watched]) -> Response:
        response = await self.upstream.send("POST", way.carrier.path, guarded.body, request_id=way.request_id)
        passed = passed_headers(response.headers) | way.headers
        if response.status_code != 200:
            raw = await read_whole(response)
            if not 400 <= response.status_code < 600:  # no answer of a model, and no error that a client understands
                raise _odd(response.status_code)
            if guarded.inserted and guarded.finding is not None and _too_long(response.status_code, raw):
                return self._spoken(way, await way.fallen(guarded.finding))
            return self._error(way, guarded, response.status_code, raw, passed)
        if "text/event-stream" in response.headers.get("content-type", ""):
            opened = [response]
            try:
                watched = await watching
            except BaseException:
                await response.aclose()
                raise
            return WatchedStream(self._streamed(way, watched, guarded, opened, retried=False), opened, passed)
        raw = await read_whole(response)
        return Response(await self._whole(way, guarded, watching, raw, retried=False), headers=passed)

    async def _whole(
        self, way: Way, guarded: Guarded, watching: Awaitable[Watched], raw: bytes, *, retried: bool
    ) -> bytes:
        answer = _object(raw)
        with way.phases("watch") as span:
            watched = await watching
            try:
                hit = await watched.whole(answer)
            except DetectorError as error:
                if not self.fail_open:
                    raise _unjudged(error) from error
                hit = None
            span.set({"letheward.answer.hit": hit is not None})
        if hit is not None:
            return await self._instead(way, hit, retried=retried)
        # Never the bytes that came: what goes out is what was read, where a key stood twice.
        read = _dumped(answer)
        pruned = await watched.pruned(read, answer)
        translated = way.translated
        if translated is not None:
            return _dumped(translated.from_chat(answer, way.asked, way.served))
        return _dumped(answer) if pruned else read

    async def _watched(self, way: Way, guarded: Guarded) -> Watched:
        make = partial(way.watch, guarded)
        return Watched(way.carrier, await run_sync(make), make)

    async def _instead(self, way: Way, hit: Hit, *, retried: bool) -> bytes:
        """A whole answer in place of one that would have told."""
        way = way.guardable()
        guarded: Guarded = await (way.say(hit) if retried else way.again(hit))
        if guarded.say is None:
            try:
                response = await self.upstream.send("POST", way.carrier.path, guarded.body, request_id=way.request_id)
                raw = await read_whole(response)
                if response.status_code == 200:
                    way.hit(hit, "again")
                    return await self._whole(way, guarded, self._watched(way, guarded), raw, retried=True)
            except ApiError as error:
                log.warning("asking_again_failed", status=error.status)
            guarded = await way.say(hit)
        way.hit(hit, "said")
        return orjson.dumps(self._own(way, guarded))

    async def _streamed(
        self, way: Way, watched: Watched, guarded: Guarded, opened: list[httpx.Response], *, retried: bool
    ) -> AsyncIterator[bytes]:
        release = Release(watched, way.carrier.ending(guarded.body), _sink(way))
        again = partial(self._restreamed, way, opened, retried=retried)
        span = way.phases.tracing.begin("letheward.watch")
        try:
            async for part in released(events(opened[-1].aiter_raw()), release, again):
                yield part
            way.held(release.longest)
            way.phases.took("watch", release.waited)
            if way.carrier.path in _SAY_DONE and not (release.done or release.watched.watch.hit):
                yield _error_event(way, broken("The model server's answer broke off."))
            if release.cut is not None:
                way.hit(release.cut, "cut")
        except httpx.TransportError as error:
            yield _error_event(way, fault(error))
        except BrokenStream as error:
            yield _error_event(way, broken(f"{error}."))
        except DetectorError as error:
            yield _error_event(way, _unjudged(error))
        except ApiError as error:
            yield _error_event(way, error)
        finally:
            span.set({"letheward.answer.held_characters": release.longest, "letheward.answer.cut": bool(release.cut)})
            span.end()

    async def _restreamed(
        self, way: Way, opened: list[httpx.Response], hit: Hit, *, retried: bool
    ) -> AsyncIterator[bytes]:
        """A stream in place of one that would have told, of which nothing was sent."""
        way = way.guardable()
        guarded: Guarded = await (way.say(hit) if retried else way.again(hit))
        if guarded.say is None:
            try:
                response = await self.upstream.send("POST", way.carrier.path, guarded.body, request_id=way.request_id)
                opened.append(response)
                if "text/event-stream" in response.headers.get("content-type", ""):
                    way.hit(hit, "again")
                    watched = await self._watched(way, guarded)
                    return self._streamed(way, watched, guarded, opened, retried=True)
            except ApiError as error:
                log.warning("asking_again_failed", status=error.status)
            guarded = await way.say(hit)
        way.hit(hit, "said")
        return spoken(self._declined(way, guarded).chunks(), _sink(way), self._pause)

    def _spoken(self, way: Way, guarded: Guarded) -> Response:
        if way.streamed:
            parts = spoken(self._declined(way, guarded).chunks(), _sink(way), self._pause)
            return StreamingResponse(parts, media_type="text/event-stream", headers=way.headers)
        body = orjson.dumps(self._own(way, guarded))
        return Response(body, media_type="application/json", headers=way.headers)

    def _own(self, way: Way, guarded: Guarded) -> Answer:
        whole = self._declined(way, guarded).whole()
        translated = way.translated
        return translated.from_chat(whole, way.asked, way.served) if translated else whole

    def _declined(self, way: Way, guarded: Guarded) -> Declined:
        in_chat = "messages" in guarded.body
        return Declined(guarded.body, guarded.say or "", way.prompt, self.cut, in_chat)

    async def _pause(self) -> None:
        if self.pace:
            await anyio.sleep(self.pace)

    def _error(self, way: Way, guarded: Guarded, status: int, raw: bytes, headers: dict[str, str]) -> Response:
        """An error of the upstream, as it came; one about text that was put in is told without that text."""
        told = raw.decode("utf-8", "replace")
        if _object_or_none(raw) is None:  # a gateway's page, which tells of the inside
            raw = bytes(_odd(status).response().body)
            headers = headers | {"content-type": "application/json"}
        if guarded.inserted and _mentions(told, guarded.inserted):
            raw = orjson.dumps(
                error_body(
                    "The model server refused the request.", type="invalid_request_error", code="upstream_refused"
                )
            )
        translated = way.translated
        if translated is None:
            return Response(raw, status_code=status, headers=headers)
        return translated.foreign_error(status, _object_or_none(raw), way.headers)


class WatchedStream(StreamingResponse):
    """A watched stream; every connection to the upstream that it opened is closed however the client's ends."""

    def __init__(self, parts: AsyncIterator[bytes], opened: list[httpx.Response], headers: dict[str, str]) -> None:
        super().__init__(parts, headers=headers)
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream, then close the connections."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                for response in self._opened:
                    await response.aclose()


def _taken_note_of(watching: asyncio.Future[Watched]) -> None:
    """Where no answer came that is to be watched, nobody else asks how the watch failed."""
    if not watching.cancelled():
        watching.exception()


def _sink(way: Way) -> Sink:
    translated = way.translated
    return Translating(translated.translation(way.asked, way.served)) if translated else AsItCame()


def _error_event(way: Way, problem: ApiError) -> bytes:
    body = error_body(problem.message, type=problem.type, code=problem.code)
    translation = getattr(way.native, "translation", None)
    if translation is not None:
        return b"".join(translation(way.asked).chunk(body))
    return b"\n\n" + event(body).raw


def _unjudged(error: DetectorError) -> ApiError:
    log.error("answer_not_judged", error=str(error))
    return ApiError(503, "The answer could not be judged.", type="server_error", code="detector_failed")


def _object(raw: bytes) -> Answer:
    found = _object_or_none(raw)
    if found is None:
        raise broken("The model server's answer is no JSON object.")
    return found


def _odd(status: int) -> ApiError:
    return broken(f"The model server answered with status {status}.")


def _dumped(answer: Answer) -> bytes:
    try:
        return orjson.dumps(answer)
    except TypeError as error:  # deeper than any answer, or a number beyond all
        raise broken("The model server's answer cannot be passed on.") from error


def _object_or_none(raw: bytes) -> Answer | None:
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        try:
            found = json.loads(raw)  # it takes NaN, which vLLM's own log-probabilities can hold
        except (ValueError, RecursionError):
            return None
    return found if isinstance(found, dict) else None


def _too_long(status: int, raw: bytes) -> bool:
    """Whether a request did not fit the model any more: without the guard's text it might have."""
    told = raw.lower()
    return status == 400 and (b"context length" in told or b"max_model_len" in told)


def _mentions(told: str, inserted: tuple[str, ...]) -> bool:
    return any(text[:40] in told for text in inserted) or "prompt_embeds" in told
