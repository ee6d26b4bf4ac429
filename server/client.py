"""A small client of the admin API, for the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
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

    def text(self, path: str) -> str:
        """The answer's text."""
        body: str = self._send("GET", path).text
        return body

    def events(self, method: str, path: str, **options: Any) -> Iterator[dict[str, Any]]:
        """The answer's JSON lines as they come, however far apart. One that breaks off ends the command."""
        import httpx

        headers = {"Authorization": f"Bearer {self._key}"}
        timeout = httpx.Timeout(30, read=None)
        try:
            with httpx.stream(
                method, self._url + path, headers=headers, timeout=timeout, trust_env=False, **options
            ) as response:
                if response.is_error:
                    response.read()
                    _refused(response)
                yield from map(json.loads, response.iter_lines())
        except httpx.TransportError as error:
            _unreachable(self._url, error)

    def _send(self, method: str, path: str, **options: Any) -> Any:
        import httpx

        headers = {"Authorization": f"Bearer {self._key}"}
        try:
            response = httpx.request(method, self._url + path, headers=headers, timeout=600, trust_env=False, **options)
        except httpx.TransportError as error:
            _unreachable(self._url, error)
        if response.is_error:
            _refused(response)
        return response


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
