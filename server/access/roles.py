"""Which role each route is for. A route that has no row here is not served: the application does not start.

What is not about one list (``{name}`` in its path) is closed to those who manage some lists only, but for the rows
of ``own``: those handlers show and touch only what ``Principal.manages`` allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from starlette.routing import BaseRoute, Mount, Route

from server.access.principal import Role


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may ask. ``kind`` "open": everybody; "client": who may ask the model; "staff": ``roles`` of the admin API."""

    kind: Literal["open", "client", "staff"]
    roles: frozenset[Role] = frozenset()
    own: bool = False  # the handler looks after lists itself


OPEN = Rule("open")
CLIENT = Rule("client", frozenset({"client", "operator", "admin"}))
READ = Rule("staff", frozenset({"auditor", "operator", "admin"}))
CHANGE = Rule("staff", frozenset({"operator", "admin"}))
AUDIT = Rule("staff", frozenset({"auditor", "admin"}))
ADMIN = Rule("staff", frozenset({"admin"}))
READ_OWN = replace(READ, own=True)
CHANGE_OWN = replace(CHANGE, own=True)

_V1 = "/admin/v1"
_LIST = f"{_V1}/lists/{{name}}"

TABLE: dict[str, Rule] = {
    "GET /health": OPEN,
    "GET /ready": OPEN,
    "GET /metrics": READ,
    "GET /ui": OPEN,  # empty until somebody signs in
    "GET /ui/static/*": OPEN,
    # what clients ask the model
    "POST /v1/chat/completions": CLIENT,
    "POST /v1/completions": CLIENT,
    "POST /v1/responses": CLIENT,
    "GET /v1/responses/{response_id}": CLIENT,
    "DELETE /v1/responses/{response_id}": CLIENT,
    "POST /v1/messages": CLIENT,
    "POST /v1/messages/count_tokens": CLIENT,
    "POST /v1/embeddings": CLIENT,
    "GET /v1/models": CLIENT,
    "POST /tokenize": CLIENT,
    "POST /detokenize": CLIENT,
    # signing in
    f"POST {_V1}/session": OPEN,
    f"GET {_V1}/session": READ_OWN,
    f"DELETE {_V1}/session": READ_OWN,
    f"GET {_V1}/oidc": OPEN,
    f"GET {_V1}/oidc/login": OPEN,
    f"GET {_V1}/oidc/callback": OPEN,
    # keys and the audit log
    f"GET {_V1}/keys": AUDIT,
    f"POST {_V1}/keys": ADMIN,
    f"PATCH {_V1}/keys/{{key_id}}": ADMIN,
    f"DELETE {_V1}/keys/{{key_id}}": ADMIN,
    f"POST {_V1}/keys/{{key_id}}/rotate": ADMIN,
    f"GET {_V1}/audit": AUDIT,
    f"GET {_V1}/audit/verify": AUDIT,
    # lists and entries
    f"GET {_V1}/lists": READ_OWN,
    f"GET {_LIST}": READ,
    f"PUT {_LIST}": CHANGE,
    f"PATCH {_LIST}": CHANGE,
    f"DELETE {_LIST}": CHANGE,
    f"GET {_LIST}/entries": READ,
    f"POST {_LIST}/entries": CHANGE,
    f"POST {_LIST}/entries/delete": CHANGE,
    f"GET {_LIST}/entries/{{entry_id}}": READ,
    f"PUT {_LIST}/entries/{{entry_id}}": CHANGE,
    f"PATCH {_LIST}/entries/{{entry_id}}": CHANGE,
    f"DELETE {_LIST}/entries/{{entry_id}}": CHANGE,
    f"POST {_LIST}/documents": CHANGE,
    f"POST {_LIST}/import": CHANGE,
    f"GET {_LIST}/export": READ,
    f"POST {_LIST}/calibrate": READ,
    f"GET {_LIST}/eco": READ,
    f"DELETE {_LIST}/eco": CHANGE,
    f"POST {_LIST}/eco/fit": CHANGE,
    # proof of deletion
    f"POST {_LIST}/verify": CHANGE,
    f"GET {_LIST}/schedule": READ,
    f"PUT {_LIST}/schedule": CHANGE,
    f"DELETE {_LIST}/schedule": CHANGE,
    f"GET {_V1}/verifications": READ_OWN,
    f"GET {_V1}/verifications/key": READ_OWN,
    f"GET {_V1}/verifications/{{verification_id}}": READ_OWN,
    f"GET {_V1}/verifications/{{verification_id}}/record": READ_OWN,
    f"DELETE {_V1}/verifications/{{verification_id}}": CHANGE_OWN,
    # over all lists
    f"GET {_V1}/revision": READ_OWN,
    f"GET {_V1}/workers": READ_OWN,
    f"GET {_V1}/revisions": READ_OWN,
    f"GET {_V1}/revisions/{{number}}": READ_OWN,
    f"POST {_V1}/rollback": CHANGE_OWN,
    f"GET {_V1}/openapi.json": READ_OWN,
    f"POST {_V1}/check": READ,
    f"POST {_V1}/playground": CHANGE,
    f"GET {_V1}/glance": READ_OWN,
    f"GET {_V1}/live": READ_OWN,
    f"POST {_V1}/replay": READ,
}


class RouteWithoutRole(RuntimeError):
    """A route that nobody said whom it is for."""


def names_of(route: BaseRoute) -> list[str]:
    """A route as the table names it, once for each of its methods.

    Raises:
        RouteWithoutRole: it is neither a route nor a folder of files.
    """
    if isinstance(route, Route):
        return [f"{method} {route.path}" for method in sorted(route.methods or ()) if method != "HEAD"]
    if isinstance(route, Mount):
        return [f"GET {route.path}/*"]
    raise RouteWithoutRole(f"{route!r} is of a kind for which server/access/roles.py has no rows")


def rule_of(route: BaseRoute, method: str, table: Mapping[str, Rule]) -> Rule | None:
    """The rule for a method of a route; None where there is none, and so nobody may."""
    method = "GET" if method == "HEAD" else method
    return next((table.get(name) for name in names_of(route) if name.startswith(f"{method} ")), None)


def check_routes(routes: Iterable[BaseRoute], table: Mapping[str, Rule]) -> None:
    """See that every route has a row.

    Raises:
        RouteWithoutRole: some have none.
    """
    missing = [name for route in routes for name in names_of(route) if name not in table]
    if missing:
        raise RouteWithoutRole(f"these routes have no row in server/access/roles.py: {', '.join(missing)}")
