"""Routes under /admin/v1/keys: API keys made, changed, rotated and revoked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from server.access.keystore import Key
from server.access.known_keys import KnownKeys
from server.access.principal import Role, by
from server.admin.faults import off_loop
from server.documented import ALWAYS, documented
from server.errors import ApiError

_MOST_GRACE = 30 * 24 * 3600
_Pattern = Annotated[str, Field(min_length=1, max_length=128)]
KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$", description="The key's id, which is no secret.")]


class KeyChange(BaseModel):
    """What may be changed of a key; what is left out stays, null takes a limit or the expiry away."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", min_length=1, max_length=128, description="whose it is; for clients, the lists' tenant")
    lists: list[_Pattern] = Field(
        default_factory=list, max_length=100, description="patterns of the lists that it may manage; empty: all"
    )
    may_choose: list[_Pattern] = Field(
        default_factory=list, max_length=1000, description="lists that a client may leave out by X-Letheward-Lists"
    )
    requests_per_minute: int | None = Field(None, ge=1, le=1_000_000, description="null: the server's default")
    concurrent_requests: int | None = Field(None, ge=1, le=100_000, description="null: the server's default")
    expires_at: AwareDatetime | None = Field(None, description="when it ends; null: never")

    @field_validator("name")
    @classmethod
    def _printable(cls, value: str) -> str:
        if not value.isprintable() or not value.strip():
            raise ValueError("must be printable")
        return value

    @field_validator("lists", "may_choose")
    @classmethod
    def _patterns(cls, values: list[str]) -> list[str]:
        if any(re.search(r"[\x00-\x1f\ud800-\udfff]", value) for value in values):
            raise ValueError("must be printable")
        return values

    @field_validator("expires_at")
    @classmethod
    def _to_come(cls, value: datetime | None) -> datetime | None:
        if value is not None and value <= datetime.now(UTC):
            raise ValueError("must be in the future; DELETE ends a key now")
        return value

    def given(self) -> dict[str, Any]:
        """The settings that were given."""
        return self.model_dump(exclude_unset=True, exclude={"role"})


class KeyIn(KeyChange):
    """A key to make."""

    name: str = Field(min_length=1, max_length=128, description="whose it is; for clients, the lists' tenant")
    role: Role

    @model_validator(mode="after")
    def _fits(self) -> KeyIn:
        if self.lists and self.role in ("client", "admin"):
            raise ValueError(f"lists are for operators and auditors, not for the role {self.role}")
        if self.may_choose and self.role != "client":
            raise ValueError("may_choose is for clients")
        return self


class RotateIn(BaseModel):
    """How long the old key goes on."""

    model_config = ConfigDict(extra="forbid")

    grace: int = Field(0, ge=0, le=_MOST_GRACE, description="seconds")


class KeyOut(BaseModel):
    """A key without its text."""

    id: str
    name: str
    role: Role
    lists: list[str]
    may_choose: list[str]
    requests_per_minute: int | None
    concurrent_requests: int | None
    expires_at: datetime | None
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    rotated_from: str | None
    works: bool


class KeyMade(KeyOut):
    """A new key. ``key`` is its text, which nobody can tell again."""

    key: str


class KeysOut(BaseModel):
    """All keys, also those that ended."""

    keys: list[KeyOut]


def key_router(known: KnownKeys) -> APIRouter:
    """The routes; ``known`` takes in each change at once."""
    router = APIRouter(prefix="/admin/v1", tags=["keys"], responses=documented(*ALWAYS))

    async def changed(key: Key) -> Key:
        await off_loop(known.read)
        return key

    @router.get("/keys")
    async def keys() -> KeysOut:
        """Every key that there ever was, without its text."""
        return KeysOut(keys=[KeyOut(**_told(key)) for key in await off_loop(known.keys.all)])

    @router.post("/keys", status_code=201, responses=documented(413))
    async def create(given: KeyIn, request: Request) -> KeyMade:
        """Make a key. The answer is the only place where its text is told."""
        key, text = await off_loop(partial(known.keys.create, given.role, given.given(), by(request)))
        return KeyMade(key=text, **_told(await changed(key)))

    @router.patch("/keys/{key_id}", responses=documented(404, 413))
    async def change(key_id: KeyId, given: KeyChange, request: Request) -> KeyOut:
        """Change whose a key is, what it is for, its limits or its expiry."""
        settings = given.given()
        await off_loop(partial(_check, known, key_id, settings))
        return KeyOut(**_told(await changed(await off_loop(partial(known.keys.change, key_id, settings, by(request))))))

    @router.delete("/keys/{key_id}", responses=documented(404))
    async def revoke(key_id: KeyId, request: Request) -> KeyOut:
        """End a key: here at once, in every other worker within a second."""
        return KeyOut(**_told(await changed(await off_loop(partial(known.keys.revoke, key_id, by(request))))))

    @router.post("/keys/{key_id}/rotate", status_code=201, responses=documented(404, 413))
    async def rotate(key_id: KeyId, request: Request, given: RotateIn | None = None) -> KeyMade:
        """Make a key like another in its place, which goes on for ``grace`` seconds."""
        grace = timedelta(seconds=given.grace if given else 0)
        key, text = await off_loop(partial(known.keys.rotate, key_id, grace, by(request)))
        return KeyMade(key=text, **_told(await changed(key)))

    return router


def _check(known: KnownKeys, key_id: str, settings: dict[str, Any]) -> None:
    key = next((k for k in known.keys.all() if k.id == key_id), None)
    if key is None:
        return  # the change itself says so
    if settings.get("lists") and key.role in ("client", "admin"):
        raise ApiError(400, f"lists are for operators and auditors, not for the role {key.role}.", code="invalid_key")
    if settings.get("may_choose") and key.role != "client":
        raise ApiError(400, "may_choose is for clients.", code="invalid_key")


def _told(key: Key) -> dict[str, Any]:
    told = {name: getattr(key, name) for name in KeyOut.model_fields if name != "works"}
    return told | {
        "lists": list(key.lists), "may_choose": list(key.may_choose), "works": key.works(datetime.now(UTC)),
    }  # fmt: skip
