"""The HTTP application: which paths exist, and that nothing else does."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from anyio.to_thread import run_sync
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from guard.selection import TokenSelectors
from guard.snapshot import SnapshotManager
from server import __version__
from server.access.roles import CLIENT, OPEN, TABLE, check_routes
from server.access.setup import AccessConfig, add_access
from server.admin import admin_router
from server.correlation import Correlate
from server.documented import documented
from server.eco_fitting import Fitting
from server.errors import ApiError, openai_error, problems
from server.health import health_router
from server.incoming import LimitBodies
from server.last_resort import exhausts, out_of_memory
from server.metrics import CountRequests, Metrics
from server.proxy import Proxy
from server.routes import add_client_routes, error_on
from server.upstream import Upstream
from server.web.page import add_page
from server.web.routes import watching_router
from server.worker_routes import WorkerCollector, worker_router
from server.workers import Workers

log = structlog.get_logger("letheward.app")


def create_app(
    *,
    proxy: Proxy,
    upstream: Upstream,
    manager: SnapshotManager,
    access: AccessConfig,
    max_body_bytes: int,
    metrics_public: bool = False,
    fitting: Fitting | None = None,
    routes: Sequence[str] = (),
    selectors: TokenSelectors | None = None,
    workers: Workers | None = None,
    documents_by_model: bool = False,
    require_if_match: bool = False,
) -> FastAPI:
    """The application over its ready parts; what it does not list answers 404 in OpenAI's shape.

    Raises:
        StoreError: the keys cannot be read.
        RouteWithoutRole: nobody said whom a route is for.
    """
    app = FastAPI(
        title="Letheward",
        version=__version__,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    add_client_routes(app, proxy, routes)  # first: each request is compared with the routes in their order
    table = {f"POST {path}": CLIENT for path in routes} | TABLE
    if metrics_public:
        table |= {"GET /metrics": OPEN}
    app.state.access = add_access(app, manager.store, access, table=table, shape=error_on, admission=proxy.admission)
    app.add_middleware(LimitBodies, limit=max_body_bytes, prefix="/admin/")
    app.add_middleware(CountRequests, metrics=proxy.metrics)
    app.add_middleware(Correlate, tracing=proxy.tracing)
    app.include_router(
        admin_router(
            manager,
            max_body_bytes=max_body_bytes,
            judge=proxy.judge,
            fitting=fitting,
            selectors=selectors,
            recent=proxy.recent,
            workers=workers,
            upstream=upstream,
            documents_by_model=documents_by_model,
            require_if_match=require_if_match,
        )
    )
    app.include_router(watching_router(manager, proxy))
    add_page(app)
    app.include_router(health_router(upstream, manager, enforcing=proxy.enforcing, workers=workers))
    if workers is not None:
        app.include_router(worker_router(manager, workers))
        proxy.metrics.add(WorkerCollector(manager, workers))
    _add_metrics(app, proxy.metrics)
    add_error_shapes(app)
    check_routes(app.routes, table)
    return app


def _add_metrics(app: FastAPI, metrics: Metrics) -> None:
    @app.get("/metrics", response_class=PlainTextResponse, responses=documented(401, 403, 429))
    async def scraped() -> Response:
        """Prometheus' text format."""
        return Response(await run_sync(metrics.render), media_type=CONTENT_TYPE_LATEST)


def add_error_shapes(app: FastAPI) -> None:
    """Answer every error in OpenAI's shape."""

    @app.exception_handler(ApiError)
    async def api_error(_: Request, error: ApiError) -> Response:
        return error.response()

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return openai_error(404, f"Unknown path: {request.url.path}", code="unknown_url")
        if error.status_code == 405:
            return openai_error(
                405,
                f"{request.method} is not allowed here.",
                code="method_not_allowed",
                headers=dict(error.headers or {}),
            )
        return openai_error(error.status_code, str(error.detail), headers=dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def bad_request(_: Request, error: RequestValidationError) -> Response:
        return openai_error(400, problems(error.errors()), code="invalid_request")

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        if exhausts(error):
            return error_on(request.url.path, out_of_memory())
        log.error("internal_error", kind=type(error).__name__)
        return openai_error(
            500, "Internal error; the request was not sent on.", type="server_error", code="internal_error"
        )
