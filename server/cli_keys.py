"""`letheward keys`: API keys of a running proxy."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

import typer

from server.cli_fail import fail
from server.client import AdminClient, Key, Proxy

app = typer.Typer(no_args_is_help=True, help="Make, show, rotate and revoke API keys of a running proxy.")

_URL = "http://127.0.0.1:8080"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
KeyId = Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose it is; for clients the name that lists' tenants hold.")],
    role: Annotated[str, typer.Option(help="client, auditor, operator or admin.")] = "client",
    allow: Annotated[
        list[str] | None, typer.Option("--list", help="Pattern of lists that it may manage; may be given again.")
    ] = None,
    may_choose: Annotated[
        list[str] | None, typer.Option(help="List that a client may leave out; may be given again.")
    ] = None,
    requests_per_minute: Annotated[int | None, typer.Option(help="Default: the server's.")] = None,
    concurrent_requests: Annotated[int | None, typer.Option(help="Default: the server's.")] = None,
    expires: Annotated[str | None, typer.Option(help="After how long it ends: 90d, 12h, 30m.")] = None,
    url: Proxy = _URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Make a key, and print it: nobody can show it again."""
    body: dict[str, Any] = {
        "name": name,
        "role": role,
        "lists": allow or [],
        "may_choose": may_choose or [],
        "requests_per_minute": requests_per_minute,
        "concurrent_requests": concurrent_requests,
        "expires_at": None if expires is None else (datetime.now(UTC) + _span(expires)).isoformat(),
    }
    _made(AdminClient(url, key).call("POST", "/keys", json=body), as_json)


@app.command("list")
def show(
    every: Annotated[bool, typer.Option("--all", help="Those that ended as well.")] = False,
    url: Proxy = _URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show the keys, without their texts."""
    found = [k for k in AdminClient(url, key).call("GET", "/keys")["keys"] if every or k["works"]]
    rows = [
        f"{k['id']}  {k['role']:<8}  {k['name']:<24}  {_state(k):<27}  {', '.join(k['lists']) or 'all lists'}"
        for k in found
    ]
    typer.echo(json.dumps({"keys": found}, indent=2) if as_json else "\n".join(rows) or "no keys")


@app.command()
def revoke(key_id: KeyId, url: Proxy = _URL, key: Key = None, as_json: AsJson = False) -> None:
    """End a key at once."""
    done = AdminClient(url, key).call("DELETE", f"/keys/{quote(key_id, safe='')}")
    typer.echo(json.dumps(done, indent=2) if as_json else f"{done['id']} ({done['name']}) is revoked")


@app.command()
def rotate(
    key_id: KeyId,
    grace: Annotated[str, typer.Option(help="For how long the old key goes on: 0s, 30m, 24h, 7d.")] = "0s",
    url: Proxy = _URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Make a key in the place of another, and print it."""
    body = {"grace": int(_span(grace).total_seconds())}
    _made(AdminClient(url, key).call("POST", f"/keys/{quote(key_id, safe='')}/rotate", json=body), as_json)


@app.command()
def init() -> None:
    """Make the admin key where there is none, and print where it is kept."""
    from server.keys import key_file, make_admin_key
    from server.settings import Settings

    settings = Settings()
    make_admin_key(settings)
    typer.echo(str(key_file(settings)))


def _made(made: dict[str, Any], as_json: bool) -> None:
    typer.echo(json.dumps(made, indent=2) if as_json else made["key"])
    if not as_json:
        typer.secho(f"{made['id']}: {made['role']} {made['name']}. Keep it now: it is not shown again.", err=True)


def _state(key: dict[str, Any]) -> str:
    if key["revoked_at"]:
        return f"revoked {key['revoked_at'][:10]}"
    if key["expires_at"]:
        return f"{'until' if key['works'] else 'ended'} {key['expires_at'][:16]}"
    return "no end"


def _span(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})([smhd])", text.strip())
    if found is None:
        raise fail(f"{text!r} is no time such as 30m, 12h or 90d.")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])
