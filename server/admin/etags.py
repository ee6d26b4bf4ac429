"""Entity tags: ``"r7"`` for what revision 7 changed last, and what ``If-Match`` says of it (RFC 9110, 13.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from guard.store import Conflict
from server.errors import ApiError

_TAG = re.compile(r'\s*(?P<weak>W/)?"(?P<value>[^"]*)"\s*(?:,|$)')
_OURS = re.compile(r"r(\d{1,10})")


@dataclass(frozen=True, slots=True)
class Match:
    """``If-Match``: any state that there is, or one of some revisions."""

    anything: bool = False
    revisions: frozenset[int] = frozenset()


def etag(revision: int) -> str:
    """The tag of what was last changed at ``revision``."""
    return f'"r{revision}"'


def read_match(value: str | None) -> Match | None:
    """What the header ``If-Match`` says. Tags of other servers and weak ones match nothing.

    Raises:
        ApiError: 400 where it is no list of tags.
    """
    if value is None:
        return None
    if value.strip() == "*":
        return Match(anything=True)
    at, found = 0, set()
    while at < len(value):
        tag = _TAG.match(value, at)
        if tag is None:
            raise ApiError(400, 'If-Match must be * or a list of tags such as "r7".', code="invalid_if_match")
        own = _OURS.fullmatch(tag["value"])
        if own and not tag["weak"]:
            found.add(int(own[1]))
        at = tag.end()
    return Match(revisions=frozenset(found))


def expected(match: Match | None, *, create_only: bool, now: int | None, what: str) -> int | None:
    """The revision that a change is to find, for the store to see to; 0 for nothing there, None for whatever is.

    Args:
        match: ``If-Match``, if there is any.
        create_only: ``If-None-Match: *``.
        now: the revision that last changed ``what``; None where it is not there.
        what: for messages.

    Raises:
        Conflict: it is not so already now.
    """
    if create_only:
        if now is not None:
            raise Conflict(f"{what} is there already", now)
        return 0
    if match is None:
        return None
    if now is None:
        raise Conflict(f"{what} is not there")
    if match.anything:
        return None
    if now not in match.revisions:
        raise Conflict(f"{what} was changed meanwhile: it is at revision {now}", now)
    return now
