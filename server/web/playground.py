"""POST /admin/v1/playground: the same conversation with and without the guard, and why."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from classifiers.types import DetectorError, TextTooLong
from guard.model import ForgetList
from guard.snapshot import SnapshotManager
from server.access.principal import principal_of
from server.checking import conversation
from server.clients import Client
from server.documented import documented
from server.errors import ApiError
from server.proxy import Proxy
from server.verifying.asking import Asker, Refused
from server.verifying.models import served


class Turn(BaseModel):
    """A message of the conversation."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str = Field(min_length=1, max_length=100_000)


class PlaygroundIn(BaseModel):
    """A conversation to try; its last message is the user's."""

    model_config = ConfigDict(extra="forbid")

    messages: Annotated[list[Turn], Field(min_length=1, max_length=100)]
    model: str | None = Field(None, min_length=1, max_length=512, description="default the first that is served")
    max_tokens: int = Field(128, ge=1, le=2048)
    tenant: str | None = Field(None, max_length=128, description="ask as this client would")


class AnswerOut(BaseModel):
    """One side. ``error``: why there is no text."""

    text: str | None
    action: str | None = None
    error: str | None = None


class PlaygroundOut(BaseModel):
    """Both answers, at temperature 0, and what the detector says of each message of the user."""

    model: str
    revision: int
    bare: AnswerOut
    guarded: AnswerOut
    turns: list[dict[str, Any]]


def add_playground(router: APIRouter, manager: SnapshotManager, proxy: Proxy) -> None:
    """The route."""

    @router.post("/playground", responses=documented(502))
    async def play(given: PlaygroundIn, request: Request) -> PlaygroundOut:
        """Ask the model through the guard and bare. The guarded side goes the way of a client's request."""
        principal_of(request)
        model = given.model or (await served(proxy.upstream, None, ForgetList("any"))).id
        asker = Asker(proxy, Client("", given.tenant), model, given.max_tokens, seed=0, probe=False)
        body = {"model": model, "max_tokens": given.max_tokens, "temperature": 0,
                "messages": [turn.model_dump() for turn in given.messages]}  # fmt: skip
        sides: dict[str, AnswerOut] = {}

        async def ask(name: str) -> None:
            try:
                reply = await (asker.live(body) if name == "guarded" else asker.bare(body))
                sides[name] = AnswerOut(text=reply.text, action=reply.action or None)
            except Refused as error:
                sides[name] = AnswerOut(text=None, error=_why(error.__cause__))
            except ApiError as error:
                sides[name] = AnswerOut(text=None, error=_why(error))

        async with anyio.create_task_group() as both:
            both.start_soon(ask, "bare")
            both.start_soon(ask, "guarded")
        snapshot = manager.current
        asked = [turn.content for turn in given.messages if turn.role == "user"]
        try:
            found = (await run_sync(conversation, snapshot.detector, asked))["turns"] if asked else []
        except TextTooLong as error:
            raise ApiError(400, f"The text cannot be judged: {error}.", code="text_too_long") from error
        except DetectorError as error:
            raise ApiError(503, f"The detector failed: {error}", type="server_error", code="detector_failed") from error
        return PlaygroundOut(model=model, revision=snapshot.revision, turns=found, **sides)


def _why(error: BaseException | None) -> str:
    return error.message if isinstance(error, ApiError) else "The request was refused."
