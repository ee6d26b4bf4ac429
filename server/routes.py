"""The client's routes. What is not here is not there: the model server's other routes are refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from guard.store import StoreError
from server.access.principal import principal_of
from server.client_docs import described
from server.clients import Client, client_key
from server.dialects.base import Dialect
from server.dialects.other import Other
from server.dialects.registry import DIALECTS, create_dialect
from server.embedding import embeddings
from server.errors import ApiError
from server.proxy import Proxy

Handler = Callable[[Request, Client], Awaitable[Response]]

_UNTOUCHED = ("/tokenize", "/detokenize", "/v1/messages/count_tokens")


def add_client_routes(app: FastAPI, proxy: Proxy, routes: Sequence[str] = ()) -> None:
    """The guarded endpoints, those that ask no model anything, and ``routes`` that the operator named."""

    def add(
        path: str, handler: Handler, method: str = "POST", told: Callable[[ApiError], Response] | None = None
    ) -> None:
        async def endpoint(request: Request) -> Response:
            try:
                return await handler(request, principal_of(request).client())
            except ApiError as error:
                if told is None:
                    raise
                return told(error)

        app.add_api_route(path, endpoint, methods=[method], response_model=None, **described(method, path))

    for name in DIALECTS:
        dialect = create_dialect(name)
        add(dialect.path, partial(_served, proxy, dialect), told=dialect.error)
    add("/v1/embeddings", partial(embeddings, proxy))
    add("/v1/models", proxy.models, "GET")
    messages = create_dialect("messages")
    for path in _UNTOUCHED:
        add(path, proxy.untouched, told=messages.error if path.startswith(messages.path) else None)
    add("/v1/responses/{response_id}", partial(_shown, proxy), "GET")
    add("/v1/responses/{response_id}", partial(_deleted, proxy), "DELETE")
    for path in routes:
        add(path, partial(_served, proxy, Other(path)))


def error_on(path: str, error: ApiError) -> Response:
    """The answer of a request that did not come as far as its route, in the shape of those who ask there."""
    for name in DIALECTS:
        dialect = create_dialect(name)
        if path == dialect.path or path.startswith(f"{dialect.path}/"):
            return dialect.error(error)
    return error.response()


async def _served(proxy: Proxy, dialect: Dialect, request: Request, client: Client) -> Response:
    return await proxy.serve(request, dialect, client)


async def _shown(proxy: Proxy, request: Request, client: Client) -> Response:
    return await _answered(proxy, proxy.responses.get, request)


async def _deleted(proxy: Proxy, request: Request, client: Client) -> Response:
    return await _answered(proxy, proxy.responses.delete, request)


async def _answered(proxy: Proxy, look: Callable[[str, str], Awaitable[dict[str, Any]]], request: Request) -> Response:
    owner = proxy.responses.owner(client_key(request) or None)
    try:
        return JSONResponse(await look(request.path_params["response_id"], owner))
    except StoreError as error:
        raise ApiError(
            503, "The response cannot be forgotten while the store is away; try again shortly.", type="server_error",
            code="store_failed", headers={"Retry-After": "2"},
        ) from error  # fmt: skip
