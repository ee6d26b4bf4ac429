"""Stands before every route: finds who asks, holds them to their role, their lists and their limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.access.admission import Admission
from server.access.limits import Allowance, Limits
from server.access.principal import ANYONE, Principal
from server.access.roles import TABLE, Rule, rule_of
from server.access.secret_keys import carries_key
from server.access.who import Who, address_of
from server.auth import admin_key_needed
from server.errors import ApiError

Shape = Callable[[str, ApiError], Response]

_NAMES_OF_KEYS = frozenset({"key", "api_key", "api-key", "apikey", "access_token", "admin_key"})


class Gate:
    """ASGI middleware. What comes through has ``request.state.principal``; an unknown path goes on to its 404.

    ``shape`` makes the answer of an error on a path, as its clients understand it.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routed: Starlette,
        who: Who,
        limits: Limits,
        table: Mapping[str, Rule] = TABLE,
        shape: Shape = lambda _, error: error.response(),
        admission: Admission | None = None,
    ) -> None:
        self._app = app
        self._routed = routed
        self._who = who
        self._table = table
        self._shape = shape
        self._limits = limits
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route, found = _matched(self._routed.routes, scope)
        if route is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            rule = rule_of(route, scope["method"], self._table)
            principal = await self._admitted(request, rule, found.get("path_params", {}))
            if rule is not None and rule.kind == "client":
                request.state.reveals = principal.role == "admin" or await self._who.brings_admin_key(request)
                await self._limited(principal, request, receive, send)
            else:
                await self._app(scope, receive, _unkept(send, scope["path"]))
        except Refused as refused:
            scope["route"] = route  # for the metrics
            await self._shape(scope["path"], refused.error)(scope, receive, send)

    async def _admitted(self, request: Request, rule: Rule | None, params: Mapping[str, Any]) -> Principal:
        try:
            principal = await self._principal(request, rule)
            if rule is not None and rule.kind == "staff":
                _check_lists(principal, rule, params)
        except ApiError as error:
            raise Refused(error) from error
        request.state.principal = principal
        return principal

    async def _principal(self, request: Request, rule: Rule | None) -> Principal:
        if carries_key(request.scope["query_string"].decode("latin-1")):
            raise _key_in_url()
        if rule is None:
            raise ApiError(403, "Nobody may do this.", type="permission_error", code="no_role")
        if rule.kind == "open":
            return ANYONE
        found = await (self._who.asks(request) if rule.kind == "client" else self._who.manages(request))
        if found is None and not _NAMES_OF_KEYS.isdisjoint(request.query_params):
            raise _key_in_url()
        if found is None or (found.role == "client" and "client" not in rule.roles):
            raise _client_key_needed() if rule.kind == "client" else admin_key_needed()
        if found.role not in rule.roles:
            needed = " or ".join(sorted(rule.roles))
            raise _forbidden(f"This is for the role {needed}, and yours is {found.role}.", "role_not_allowed")
        return found

    async def _limited(self, principal: Principal, request: Request, receive: Receive, send: Send) -> None:
        """Pass a client's request on within its limits; those without a key have them by address."""
        allowance = Allowance(principal.requests_per_minute, principal.concurrent_requests)
        name = f"address {address_of(request)}" if principal is ANYONE else principal.id
        with ExitStack() as taken:
            try:
                told = self._enter(name, allowance, taken)
            except ApiError as error:
                raise Refused(error) from error
            await self._app(request.scope, receive, _with_headers(send, told) if told else send)

    def _enter(self, name: str, allowance: Allowance, taken: ExitStack) -> dict[str, str]:
        if self._admission is not None:
            self._admission.enter()
            taken.callback(self._admission.leave)
        told = self._limits.enter(name, allowance)
        taken.callback(self._limits.leave, name)
        return told


class Refused(Exception):
    """A request that does not come through; faults of the application behind are not caught with it."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(error.message)
        self.error = error


def _matched(routes: list[BaseRoute], scope: Scope) -> tuple[BaseRoute | None, Scope]:
    """The route that the router will choose; none where it answers 404 or 405."""
    for route in routes:
        match, found = route.matches(scope)
        if match is Match.FULL:
            return route, found
    return None, {}


def _check_lists(principal: Principal, rule: Rule, params: Mapping[str, Any]) -> None:
    if not principal.lists or rule.own:
        return
    name = params.get("name")
    if name is None:
        raise _forbidden("This is about all lists, and your key is for some.", "list_not_allowed")
    if not principal.manages(str(name)):
        raise _forbidden(f"Your key is not for the list {name!r}.", "list_not_allowed")


def _with_headers(send: Send, told: Mapping[str, str]) -> Send:
    """Adds headers where the answer does not have them."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message.get("headers", ())))
            for name, value in told.items():
                headers.setdefault(name, value)
            message = {**message, "headers": headers.raw}
        await send(message)

    return sent


def _unkept(send: Send, path: str) -> Send:
    """What the admin API tells is kept by no cache."""
    return _with_headers(send, {"cache-control": "no-store"}) if path.startswith("/admin/") else send


def _forbidden(message: str, code: str) -> ApiError:
    return ApiError(403, message, type="permission_error", code=code)


def _client_key_needed() -> ApiError:
    return ApiError(
        401,
        "A valid API key is needed: 'Authorization: Bearer KEY'.",
        type="authentication_error",
        code="invalid_api_key",
    )


def _key_in_url() -> ApiError:
    return ApiError(
        400,
        "A key never goes into a URL, where logs keep it: send 'Authorization: Bearer KEY', and replace this one.",
        code="key_in_url",
    )
