"""Which lists whoever asks may manage, for routes that have no list in their path."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request

from server.access.principal import principal_of
from server.errors import ApiError


def scope(request: Request) -> Callable[[str], bool]:
    """Whether a list is among those that the sender may manage."""
    return principal_of(request).manages


def needs_list(request: Request, name: str) -> None:
    """See that the sender may manage a list.

    Raises:
        ApiError: 403 where it may not.
    """
    if not scope(request)(name):
        raise _forbidden(f"This key is not for the list {name!r}.")


def needs_all(request: Request) -> None:
    """See that the sender may manage every list.

    Raises:
        ApiError: 403 where it is for some only.
    """
    if principal_of(request).lists:
        raise _forbidden("This key is for some lists only: name one of them.")


def _forbidden(message: str) -> ApiError:
    return ApiError(403, message, type="permission_error", code="not_allowed")
