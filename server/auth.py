"""Who a request comes from: bearer keys, compared in constant time."""

from __future__ import annotations

import hmac

from starlette.requests import Request

from server.errors import ApiError

ADMIN_HEADER = "x-letheward-admin-key"


def bearer(request: Request) -> str:
    """The bearer token of a request, or the empty string."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def same(given: str, expected: str) -> bool:
    """Whether two keys are equal, in a time that tells nothing about where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8"))


def admin_key_needed() -> ApiError:
    """The answer to whoever is not the admin."""
    return ApiError(
        401,
        "The admin key is needed: 'Authorization: Bearer KEY'.",
        type="authentication_error",
        code="invalid_admin_key",
        headers={"WWW-Authenticate": "Bearer"},
    )
