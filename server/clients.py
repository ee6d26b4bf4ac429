"""Who asks: the key of a request, the client's name, and which lists it may choose."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from starlette.requests import Request

from guard.scope import Asker
from server.auth import bearer
from server.errors import ApiError

LISTS_HEADER = "x-letheward-lists"
_MOST_CHOSEN = 64


@dataclass(frozen=True, slots=True)
class Client:
    """One client. ``may_choose``: lists that its requests may leave out, by a header that names the others."""

    key: str
    name: str | None = None
    may_choose: frozenset[str] = frozenset()


ANYONE = Client("")


def client_key(request: Request) -> str:
    """The key that a request brings: OpenAI's clients send a bearer token, Anthropic's ``x-api-key``."""
    return bearer(request) or request.headers.get("x-api-key", "").strip()


def asker(client: Client, request: Request, model: object) -> Asker:
    """What decides which lists are for this request.

    Raises:
        ApiError: 403 where the client names lists that it may not choose.
    """
    named = request.headers.get(LISTS_HEADER)
    chosen: frozenset[str] | None = None
    if named is not None:
        chosen = frozenset(unquote(name.strip()) for name in named.split(",", _MOST_CHOSEN) if name.strip())
        if not chosen <= client.may_choose:
            raise ApiError(
                403,
                f"This client may not choose lists by '{LISTS_HEADER}', or not these.",
                type="permission_error",
                code="lists_not_allowed",
            )
    return Asker(model if isinstance(model, str) else "", client.name, client.may_choose, chosen)
