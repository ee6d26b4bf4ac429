"""Whom a request comes from, and what they may touch."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, get_args

from starlette.requests import Request

from guard.model import By
from server.clients import Client

Role = Literal["client", "auditor", "operator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

REASON_HEADER = "x-reason"
_LONGEST_REASON = 1000  # characters


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. ``lists``: patterns of the lists that they may manage; empty: all.

    ``tenant`` is the name by which lists are for a client, ``may_choose`` the lists that it may leave out. Of the
    two limits None is the server's default.
    """

    id: str
    name: str
    role: Role
    lists: tuple[str, ...] = ()
    may_choose: frozenset[str] = field(default_factory=frozenset)
    tenant: str | None = None
    requests_per_minute: int | None = None
    concurrent_requests: int | None = None

    def manages(self, list_name: str) -> bool:
        """Whether the list is among those that they may manage."""
        return not self.lists or any(fnmatchcase(list_name, pattern) for pattern in self.lists)

    def by(self, reason: str = "") -> By:
        """As the store keeps who makes a change."""
        return By(self.name or self.id, self.role, reason)

    def client(self) -> Client:
        """As the proxy knows who asks the model."""
        return Client("", self.tenant, self.may_choose)


ANYONE = Principal("anyone", "", "client")


def principal_of(request: Request) -> Principal:
    """Who the gate found a request to come from. Without a gate there is nobody: that is a fault of ours."""
    found = getattr(request.state, "principal", None)
    if not isinstance(found, Principal):
        raise RuntimeError("no gate stands before this route: see server/access/gate.py")
    return found


def by(request: Request) -> By:
    """Who makes a change by this request, and why: the header ``X-Reason``."""
    return principal_of(request).by(request.headers.get(REASON_HEADER, "")[:_LONGEST_REASON])


def reveals(request: Request) -> bool:
    """Whether an answer may tell what the guard did: to an admin, or to a client that brings the admin key as well."""
    return bool(getattr(request.state, "reveals", False))
