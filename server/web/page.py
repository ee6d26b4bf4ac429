"""GET /ui: the operator's page. It is empty until somebody signs in; all that it shows comes from the admin API."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from server import __version__

PATH = "/ui"
_FOLDER = Path(__file__).parent
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-cache",  # asks again, by ETag, so that a new version is seen at once
}


class _Files(StaticFiles):
    """Files of the page, with its headers."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file."""
        response = await super().get_response(path, scope)
        response.headers.update(_HEADERS)
        return response


def add_page(app: FastAPI) -> None:
    """The page and its files."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"), autoescape=True, undefined=StrictUndefined
    )
    shell = environment.get_template("page.html").render(version=__version__)
    router = APIRouter()

    @router.get(PATH, response_class=HTMLResponse, include_in_schema=False)
    async def page() -> Response:
        """The page."""
        return HTMLResponse(shell, headers=_HEADERS)

    app.include_router(router)
    app.mount(f"{PATH}/static", _Files(directory=_FOLDER / "static"), name="page-files")
