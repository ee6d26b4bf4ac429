"""A small client of the admin API, for the command line."""

from __future__ import annotations

from typing import Annotated, Any, NoReturn

import typer

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
        """The answer's JSON."""
        return self._send(method, path, **options).json()

    def text(self, path: str) -> str:
        """The answer's text."""
        body: str = self._send("GET", path).text
        return body

    def _send(self, method: str, path: str, **options: Any) -> Any:
        import httpx

        headers = {"Authorization": f"Bearer {self._key}"}
        try:
            response = httpx.request(method, self._url + path, headers=headers, timeout=600, trust_env=False, **options)
        except httpx.TransportError as error:
            _fail(f"{self._url} cannot be reached ({type(error).__name__}). Is `letheward serve` running?")
        if response.is_error:
            try:
                message = response.json()["error"]["message"]
            except (ValueError, KeyError, TypeError):
                message = response.text[:500]
            _fail(f"{response.status_code}: {message}")
        return response


def _kept_key() -> str:
    from server.keys import key_file
    from server.settings import Settings

    path = key_file(Settings())
    if not path.is_file():
        _fail(f"No admin key: pass --key, set LETHEWARD_ADMIN_KEY, or run where {path} is.")
    return path.read_text().strip()


def _fail(message: str) -> NoReturn:
    typer.secho(message, fg=typer.colors.RED, err=True)
    raise typer.Exit(2)
