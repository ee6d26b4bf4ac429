"""Sessions of the web page: a sealed cookie that says which key or which person signed in, and no more."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from starlette.requests import Request
from starlette.responses import Response

COOKIE = "letheward_session"
CSRF_HEADER = "x-csrf-token"
_LONGEST_COOKIE = 3000  # characters


@dataclass(frozen=True, slots=True)
class Session:
    """Who signed in: a key by its ``key_id``, which is looked up at every request, or a ``person`` by OpenID Connect.

    ``person`` holds issuer, subject, name and role.
    """

    id: str
    key_id: str | None
    person: dict[str, str] | None
    began: float  # seconds since 1970
    ends: float

    @classmethod
    def begin(cls, seconds: float, *, key_id: str | None = None, person: dict[str, str] | None = None) -> Session:
        """A new one."""
        now = time.time()
        return cls(secrets.token_hex(16), key_id, person, now, now + seconds)


class Sessions:
    """Seals sessions and tells the tokens that changes must bring.

    All workers with the same ``secret`` understand them. It is the admin key: a new one ends all sessions.
    """

    def __init__(self, secret: str, clock: Callable[[], float] = time.time) -> None:
        self._box = Fernet(base64.urlsafe_b64encode(_derived(secret, b"letheward session")))
        self._csrf = _derived(secret, b"letheward csrf")
        self._clock = clock

    def seal(self, session: Session) -> str:
        """The cookie's value."""
        body = {"i": session.id, "k": session.key_id, "p": session.person, "b": session.began, "e": session.ends}
        return self.sealed("session", body)

    def open(self, value: str) -> Session | None:
        """The session of a cookie; None where it is forged, broken or over."""
        body = self.opened("session", value)
        if body is None or body["e"] <= self._clock():
            return None
        return Session(body["i"], body["k"], body["p"], body["b"], body["e"])

    def sealed(self, purpose: str, body: dict[str, Any]) -> str:
        """Something to be kept by a browser that it can neither read nor change, nor use for another purpose."""
        return self._box.encrypt(json.dumps([purpose, body], separators=(",", ":")).encode()).decode()

    def opened(self, purpose: str, value: str) -> dict[str, Any] | None:
        """What was ``sealed``, or None."""
        if len(value) > _LONGEST_COOKIE:
            return None
        try:
            found, body = json.loads(self._box.decrypt(value.encode("utf-8", "replace")))
        except InvalidToken:
            return None
        return dict(body) if found == purpose else None

    def csrf(self, session: Session) -> str:
        """What a change in this session must bring in ``X-CSRF-Token``."""
        return hmac.new(self._csrf, session.id.encode(), hashlib.sha256).hexdigest()


def set_cookie(response: Response, request: Request, value: str, seconds: int) -> None:
    """Give a browser its session; scripts cannot read it, and other sites' requests do not bring it."""
    response.set_cookie(
        COOKIE, value, max_age=seconds, path="/", httponly=True, samesite="strict", secure=is_https(request)
    )


def drop_cookie(response: Response, request: Request) -> None:
    """Take a browser's session away."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=is_https(request))


def is_https(request: Request) -> bool:
    """Whether the browser came by https; a proxy before us says so, which uvicorn believes where it trusts it."""
    return bool(request.scope["scheme"] == "https")


def _derived(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(secret.encode("utf-8", "replace"))
