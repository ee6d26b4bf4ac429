"""`letheward revisions` and `letheward rollback`: what was changed in a running proxy, and the way back."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from server.cli_changes import DryRun, ForAll, Reason, asked, change, rehearsal
from server.client import AdminClient, Key, Proxy

_URL = "http://127.0.0.1:8080"

OfList = Annotated[str | None, typer.Option("--list", help="Of this list only.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def revisions(
    number: Annotated[int | None, typer.Argument(help="Show what this one changed.")] = None,
    name: OfList = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The most that are shown.")] = 20,
    before: Annotated[int | None, typer.Option(help="Only older ones.")] = None,
    url: Proxy = _URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show what was changed, by whom and why: the newest revisions, or one with all its changes."""
    client = AdminClient(url, key)
    if number is not None:
        found = client.call("GET", f"/revisions/{number}", params={"limit": limit if as_json else 1000})
        lines = [_line(found), *map(change, found["changes"][:limit])]
        more = len(found["changes"]) - limit
        lines += [f"  and {more} more"] if more > 0 else []
    else:
        query = {k: v for k, v in {"list": name, "before": before, "limit": limit}.items() if v is not None}
        found = client.call("GET", "/revisions", params=query)
        lines = [_line(info) for info in found["revisions"]]
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else "\n".join(lines) or "no revisions")


def rollback(
    to: Annotated[int, typer.Argument(min=0, help="The revision to go back to.")],
    name: OfList = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before.")] = False,
    dry_run: DryRun = False,
    reason: Reason = None,
    wait: ForAll = False,
    url: Proxy = _URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Bring a list, or everything, back to what it was at a revision. That is a revision too, with its own way back."""
    client = AdminClient(url, key)
    body: dict[str, Any] = {"to": to} | ({"list": name} if name else {})
    if not (yes or dry_run):
        planned = client.call("POST", "/rollback", json=body, **asked(dry_run=True))
        typer.echo(rehearsal(planned), err=True)
        typer.confirm("Go back?", abort=True, err=True)
    done = client.call("POST", "/rollback", json=body, **asked(dry_run, reason, wait))
    if as_json:
        typer.echo(json.dumps(done, indent=2, ensure_ascii=False))
    elif dry_run:
        typer.echo(rehearsal(done))
    else:
        typer.echo(f"{done['changed']} settings and entries are as at revision {to} (revision {done['revision']})")


def _line(info: dict[str, Any]) -> str:
    counts = ", ".join(f"{n} {what}" for what, n in info["counts"].items())
    about = " ".join(filter(None, (info["action"], info["list"], f"({counts})" if counts else "")))
    why = f"  {info['reason']}" if info["reason"] else ""
    return f"{info['revision']:>7}  {info['at'][:19]}  {info['actor']:<16}  {about}{why}"
