"""A small client of the admin API, for the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import typer

from server.cli_fail import fail

Proxy = Annotated[str, typer.Option("--url", envvar="LETHEWARD_URL", help="The running proxy.")]
Key = Annotated[
    str | None,
    typer.Option("--key", envvar="LETHEWARD_ADMIN_KEY", help="Admin key; default the one kept in the cache folder."),
]


class AdminClient:
    """Calls the admin API of a running proxy; a fault ends the command with what to do."""

    def __init__(self, url: str, key: str | None) -> None:
        self._url = url.rstrip("/") + "/admin/v1"
        self._key = key or _kept_key()

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The answer's JSON; None where it is empty."""
        response = self._send(method, path, **options)
        return response.json() if response.content else None

    def find(self, path: str) -> Any | None:
        """The answer's JSON; None where there is nothing."""
        response = self._send("GET", path, missing_ok=True)
        return None if response.status_code == 404 else response.json()

    def text(self, path: str) -> str:
        """The answer's text."""
        body: str = self._send("GET", path).text
        return body

    def download(self, path: str, **options: Any) -> Iterator[bytes]:
        """The answer as it comes."""
        with self._opened("GET", path, **options) as response:
            yield from response.iter_bytes()

    def events(self, method: str, path: str, **options: Any) -> Iterator[dict[str, Any]]:
        """The answer's JSON lines as they come, however far apart. One that breaks off ends the command."""
        with self._opened(method, path, **options) as response:
            yield from map(json.loads, response.iter_lines())

    @contextmanager
    def _opened(self, method: str, path: str, **options: Any) -> Iterator[Any]:
        import httpx

        timeout = httpx.Timeout(30, read=None)
        headers = self._headers(options)
        try:
            with httpx.stream(
                method, self._url + path, headers=headers, timeout=timeout, trust_env=False, **options
            ) as response:
                if response.is_error:
                    response.read()
                    _refused(response)
                yield response
        except httpx.TransportError as error:
            _unreachable(self._url, error)

    def _send(self, method: str, path: str, *, missing_ok: bool = False, **options: Any) -> Any:
        import httpx

        headers = self._headers(options)
        try:
            response = httpx.request(method, self._url + path, headers=headers, timeout=600, trust_env=False, **options)
        except httpx.TransportError as error:
            _unreachable(self._url, error)
        if response.is_error and not (missing_ok and response.status_code == 404):
            _refused(response)
        return response

    def _headers(self, options: dict[str, Any]) -> dict[str, Any]:
        more: dict[str, Any] = options.pop("headers", {})
        return {"Authorization": f"Bearer {self._key}"} | more


def _refused(response: Any) -> NoReturn:
    try:
        message = response.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = response.text[:500]
    raise fail(f"{response.status_code}: {message}")


def _unreachable(url: str, error: Exception) -> NoReturn:
    raise fail(f"{url} cannot be reached ({type(error).__name__}). Is `letheward serve` running?")


def _kept_key() -> str:
    from server.keys import key_file
    from server.settings import Settings

    path = key_file(Settings())
    if not path.is_file():
        raise fail(f"No admin key: pass --key, set LETHEWARD_ADMIN_KEY, or run where {path} is.")
    return path.read_text().strip()
