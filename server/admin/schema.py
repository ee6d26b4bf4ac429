"""GET /admin/v1/openapi.json: the whole API, admin's and clients', with every status that it answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse, Response

from server.replay import ReplayIn

_ABOUT = (
    "Letheward stands before a vLLM server and makes it behave as if it had never learnt what is on the forget lists. "
    "Errors have OpenAI's shape. Changes take `dry_run`, `wait`, `If-Match`, `Idempotency-Key` and `X-Reason`."
)
_METHODS = frozenset({"get", "put", "post", "patch", "delete"})


def add_schema(router: APIRouter) -> None:
    """The route."""

    @router.get("/openapi.json", response_class=JSONResponse)
    async def schema(request: Request) -> Response:
        """This document."""
        return JSONResponse(document(request.app))


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of all routes; made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=_ABOUT, routes=app.routes)
        for operation in _operations(made):
            operation["responses"].pop("422", None)  # whatever is wrong with a request is answered with 400
            _faults_in_json(operation)
        schemas = made["components"]["schemas"]
        body = ReplayIn.model_json_schema(ref_template="#/components/schemas/{model}")  # it is read off the event loop
        schemas |= body.pop("$defs")
        content = {"application/json": {"schema": body}}
        made["paths"]["/admin/v1/replay"]["post"]["requestBody"] = {"required": True, "content": content}
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        made["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
        }
        made["security"] = [{"bearer": []}, {"x-api-key": []}]
        app.openapi_schema = made
    return app.openapi_schema


def _faults_in_json(operation: dict[str, Any]) -> None:
    """Faults are JSON also where the answer is a page or a file."""
    for status, told in operation["responses"].items():
        if status[:1] in "45" and len(told.get("content", {})) == 1:
            told["content"] = {"application/json": next(iter(told["content"].values()))}


def _operations(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in made["paths"].values():
        yield from (operation for method, operation in path.items() if method in _METHODS)
