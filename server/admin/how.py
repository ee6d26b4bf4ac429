"""How a change is asked for: who, why, on what condition, whether only to see what it would do."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Header, Query, Request

from guard.model import By
from server.access.principal import principal_of
from server.admin.etags import Match, read_match
from server.errors import ApiError


@dataclass(frozen=True, slots=True)
class How:
    """What the headers and the query of a changing request say.

    ``key``: its idempotency key, with a digest of who sent it before it; ``digest``: of the request itself.
    """

    by: By
    dry_run: bool = False
    wait: bool = False
    match: Match | None = None
    create_only: bool = False
    key: str | None = None
    digest: str = ""


DryRun = Annotated[bool, Query(description="Change nothing; tell what would change, and what recent requests would.")]
Wait = Annotated[Literal["all"] | None, Query(description="`all`: answer when the change is in force in every worker.")]
IfMatch = Annotated[
    str | None, Header(max_length=2000, description='Change only what is at this revision, e.g. `"r7"`; `*`: any.')
]
IfNoneMatch = Annotated[str | None, Header(max_length=2000, description="`*`: only create.")]
Idempotency = Annotated[
    str | None,
    Header(
        min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$",
        description="The same key with the same request gets the same answer, for 24 hours.",
    ),
]  # fmt: skip
Reason = Annotated[str | None, Header(max_length=1000, description="Kept in the history and the audit log.")]


async def how(
    request: Request,
    dry_run: DryRun = False,
    wait: Wait = None,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
    idempotency_key: Idempotency = None,
    x_reason: Reason = None,
) -> How:
    """Read it; for ``Depends``."""
    body = await request.body() if idempotency_key else b""
    return _how(request, dry_run, wait, if_match, if_none_match, idempotency_key, x_reason, body)


def how_streamed(
    request: Request,
    dry_run: DryRun = False,
    wait: Wait = None,
    if_match: IfMatch = None,
    idempotency_key: Idempotency = None,
    x_reason: Reason = None,
) -> How:
    """The same for a request whose body is read as it comes: of that the digest takes in the length alone."""
    length = request.headers.get("content-length", "").encode("latin-1")
    return _how(request, dry_run, wait, if_match, None, idempotency_key, x_reason, length)


def _how(
    request: Request, dry_run: bool, wait: str | None, if_match: str | None, if_none_match: str | None,
    key: str | None, reason: str | None, body: bytes,
) -> How:  # fmt: skip
    if if_none_match is not None and if_none_match.strip() != "*":
        raise ApiError(
            400, "Of If-None-Match only * is understood: create, and change nothing.", code="invalid_request"
        )
    principal = principal_of(request)
    return How(
        by=principal.by(_text(reason or "")),
        dry_run=dry_run,
        wait=wait == "all",
        match=read_match(if_match),
        create_only=if_none_match is not None,
        key=key and f"{_short(principal.id)}:{key}",
        digest=_digest(request, body),
    )


def _digest(request: Request, body: bytes) -> str:
    """Of all that makes it another request."""
    conditions = request.headers.get("if-match", ""), request.headers.get("if-none-match", "")
    told = [request.method, request.url.path, request.url.query, *conditions]
    start = "\0".join(told).encode("utf-8", "surrogateescape")
    return hashlib.sha256(start + b"\0" + body).hexdigest()


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def _text(header: str) -> str:
    """A header's value; it is UTF-8 where that can be."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeDecodeError:
        return header
