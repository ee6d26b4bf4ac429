"""`letheward entries`: the entries of a list of a running proxy."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import quote

import typer

from server.cli_changes import DryRun, ForAll, Reason, asked, entry, rehearsal
from server.client import AdminClient, Key, Proxy

app = typer.Typer(no_args_is_help=True, help="Search, show and change the entries of a list of a running proxy.")

_URL = "http://127.0.0.1:8080"

Name = Annotated[str, typer.Argument(help="The list's name.")]
EntryId = Annotated[str, typer.Argument(help="The entry's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def search(
    name: Name,
    text: Annotated[str | None, typer.Argument(help="In a name, a text, a label or the source.")] = None,
    label: Annotated[str | None, typer.Option(help="With this label.")] = None,
    kind: Annotated[str | None, typer.Option(help="forget or allow.")] = None,
    action: Annotated[str | None, typer.Option(help="With this action of its own.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The most that are shown.")] = 50,
    after: Annotated[str | None, typer.Option(help="What the page before named as next.")] = None,
    url: Proxy = _URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show entries for which all that is asked holds."""
    asked_for = {"q": text, "label": label, "kind": kind, "action": action, "limit": limit, "after": after}
    query = {k: v for k, v in asked_for.items() if v is not None}
    found = AdminClient(url, key).call("GET", f"/lists/{quote(name)}/entries", params=query)
    lines = [f"{e['id']}  {entry(e)}{_marks(e)}" for e in found["entries"]]
    lines.append(f"{len(found['entries'])} of {found['total']}" + (f", next: {found['next']}" if found["next"] else ""))
    _say(found, as_json, "\n".join(lines))


@app.command()
def show(name: Name, entry_id: EntryId, url: Proxy = _URL, key: Key = None, as_json: AsJson = False) -> None:
    """Show one entry with all that is known of it."""
    found = AdminClient(url, key).call("GET", _path(name, entry_id))
    _say(found, as_json, "\n".join(f"{k}: {v}" for k, v in found.items() if v not in (None, [])))


@app.command("set")
def change(
    name: Name,
    entry_id: EntryId,
    subject: Annotated[str | None, typer.Option(help="Whom or what it is about.")] = None,
    alias: Annotated[list[str] | None, typer.Option(help="Other names in place of all; may be given again.")] = None,
    question: Annotated[str | None, typer.Option(help="A question whose answer is to be forgotten.")] = None,
    answer: Annotated[str | None, typer.Option(help="Its answer.")] = None,
    text: Annotated[str | None, typer.Option(help="A statement to be forgotten.")] = None,
    scope: Annotated[str | None, typer.Option(help="subject: naming it is enough; fact: this fact only.")] = None,
    action: Annotated[str | None, typer.Option(help="In place of the list's policy; '' for that.")] = None,
    sigma: Annotated[float | None, typer.Option(help="ECO's corruption strength in place of the list's.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="Labels in place of all; may be given again.")] = None,
    source: Annotated[str | None, typer.Option(help="Where it comes from; '' for nowhere.")] = None,
    expires_at: Annotated[str | None, typer.Option(help="When it ends: 2030-01-31T00:00:00Z; '' for never.")] = None,
    dry_run: DryRun = False,
    reason: Reason = None,
    wait: ForAll = False,
    url: Proxy = _URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Change some of an entry."""
    given = {
        "subject": subject, "aliases": alias, "question": question, "answer": answer, "text": text, "scope": scope,
        "action": action, "sigma": sigma, "labels": label, "source": source, "expires_at": expires_at,
    }  # fmt: skip
    body: dict[str, Any] = {k: (None if v == "" else v) for k, v in given.items() if v is not None}
    done = AdminClient(url, key).call("PATCH", _path(name, entry_id), json=body, **asked(dry_run, reason, wait))
    told = rehearsal(done) if dry_run else f"{name}/{done['id']}: {entry(done)} (revision {done['revision']})"
    _say(done, as_json, told)


@app.command()
def remove(
    name: Name,
    ids: Annotated[list[str], typer.Argument(help="Ids of entries.")],
    dry_run: DryRun = False,
    reason: Reason = None,
    wait: ForAll = False,
    url: Proxy = _URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Remove entries."""
    options = asked(dry_run, reason, wait)
    done = AdminClient(url, key).call("POST", f"/lists/{quote(name)}/entries/delete", json={"ids": ids}, **options)
    if dry_run:
        _say(done, as_json, rehearsal(done))
        return
    missing = f", not there: {', '.join(done['missing'])}" if done["missing"] else ""
    _say(done, as_json, f"{name}: {len(done['deleted'])} removed{missing} (revision {done['revision']})")


def _marks(item: dict[str, Any]) -> str:
    marks = [item["kind"] if item["kind"] != "forget" else "", item["action"] or "", *item["labels"]]
    told = ", ".join(filter(None, marks))
    return f"  ({told})" if told else ""


def _path(name: str, entry_id: str) -> str:
    return f"/lists/{quote(name)}/entries/{quote(entry_id, safe='')}"


def _say(value: object, as_json: bool, told: str) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False) if as_json else told)
