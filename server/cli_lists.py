"""`letheward lists`: forget lists of a running proxy."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import quote

import typer

from server.cli_changes import DryRun, ForAll, Reason, asked, rehearsal
from server.cli_import import Keep, Policy, ensure, export, load
from server.client import AdminClient, Key, Proxy

app = typer.Typer(no_args_is_help=True, help="Show and change the forget lists of a running proxy.")

Name = Annotated[str, typer.Argument(help="The list's name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Sigma = Annotated[float | None, typer.Option(help="ECO's corruption strength.")]
Threshold = Annotated[float | None, typer.Option(help="Score from which a text is flagged, 0 to 1.")]

_URL = "http://127.0.0.1:8080"


app.command("import")(load)
app.command()(export)


@app.command()
def show(
    name: Annotated[str | None, typer.Argument(help="A list; without it all lists are shown.")] = None,
    url: Proxy = _URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show all lists, or one list's settings and entries."""
    client = AdminClient(url, key)
    if name is None:
        found = client.call("GET", "/lists")
        rows = [
            f"{i['name']:<24} {i['policy']:<8} {i['entries']:>8} entries{'' if i['enabled'] else '  (off)'}"
            for i in found["lists"]
        ]
        _say(found, as_json, "\n".join(rows) or "no lists")
        return
    settings = client.call("GET", f"/lists/{quote(name)}")
    entries = client.call("GET", f"/lists/{quote(name)}/entries", params={"limit": 10_000})["entries"]
    lines = [f"{k}: {v}" for k, v in settings.items()]
    lines += [f"  {e['id']}  [{e['subject'] or '-'}] {e['question'] or e['text'] or ''}" for e in entries]
    _say(settings | {"entries": entries}, as_json, "\n".join(lines))


@app.command()
def add(
    name: Name,
    question: Annotated[str | None, typer.Option(help="A question whose answer is to be forgotten.")] = None,
    answer: Annotated[str | None, typer.Option(help="Its answer.")] = None,
    subject: Annotated[str | None, typer.Option(help="Whom or what it is about.")] = None,
    alias: Annotated[list[str] | None, typer.Option(help="Another name; may be given again.")] = None,
    text: Annotated[str | None, typer.Option(help="A statement to be forgotten.")] = None,
    scope: Annotated[str | None, typer.Option(help="subject: naming it is enough; fact: this fact only.")] = None,
    policy: Policy = None,
    label: Annotated[list[str] | None, typer.Option(help="A label; may be given again.")] = None,
    source: Annotated[str | None, typer.Option(help="Where it comes from, such as a case number.")] = None,
    expires_at: Annotated[str | None, typer.Option(help="When it ends: 2030-01-31T00:00:00Z.")] = None,
    dry_run: DryRun = False,
    reason: Reason = None,
    wait: ForAll = False,
    url: Proxy = _URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Add one entry to a list, which is made if it is not there."""
    client = AdminClient(url, key)
    fields = {
        "question": question,
        "answer": answer,
        "subject": subject,
        "aliases": alias,
        "text": text,
        "scope": scope or ("subject" if subject and not (question or text) else None),
        "labels": label,
        "source": source,
        "expires_at": expires_at,
    }
    if not dry_run:
        ensure(client, name, policy)
    entry = {k: v for k, v in fields.items() if v}
    options = asked(dry_run, reason, wait)
    done = client.call("POST", f"/lists/{quote(name)}/entries", json={"entries": [entry]}, **options)
    told = rehearsal(done) if dry_run else f"{name}: entry {done['ids'][0]} is in force (revision {done['revision']})"
    _say(done, as_json, told)


@app.command()
def remove(
    name: Name,
    entry: Annotated[str | None, typer.Argument(help="The entry's id; without it the whole list.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before removing a whole list.")] = False,
    dry_run: DryRun = False,
    reason: Reason = None,
    wait: ForAll = False,
    url: Proxy = _URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Remove one entry, or a whole list."""
    client = AdminClient(url, key)
    if entry is None and not (yes or dry_run):
        typer.confirm(f"Remove the list {name} with all its entries?", abort=True)
    path = f"/lists/{quote(name)}" + (f"/entries/{quote(entry, safe='')}" if entry else "")
    done = client.call("DELETE", path, **asked(dry_run, reason, wait))
    told = rehearsal(done) if dry_run else f"removed {done['deleted']} (revision {done['revision']})"
    _say(done, as_json, told)


@app.command("set")
def change(
    name: Name,
    policy: Policy = None,
    sigma: Sigma = None,
    threshold: Threshold = None,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Whether the list is in force.")] = None,
    guideline: Annotated[str | None, typer.Option(help="What DRAGON's guard is told.")] = None,
    refusal: Annotated[str | None, typer.Option(help="What a refused prompt is answered.")] = None,
    fallback: Annotated[
        str | None, typer.Option(help="refuse, template or dragon, where the policy cannot be done.")
    ] = None,
    scorer: Annotated[
        str | None, typer.Option(help="head, rule, dragon, trained:NAME, dragon:NAME; '' for the server's.")
    ] = None,
    false_positive_rate: Annotated[float | None, typer.Option(help="What its threshold is calibrated to.")] = None,
    recall_floor: Annotated[float | None, typer.Option(help="A recall that goes before the rate.")] = None,
    keep: Keep = None,
    corruption: Annotated[
        str | None, typer.Option(help="How ECO corrupts; an unknown one is answered with all.")
    ] = None,
    dims: Annotated[int | None, typer.Option(help="On how many dimensions; 0 for all.")] = None,
    token_classifier: Annotated[
        str | None, typer.Option(help="A trained classifier of what else to corrupt; '' for none.")
    ] = None,
    template: Annotated[
        typer.FileText | None, typer.Option(help="File with the Jinja text of DRAGON's guard; empty for the default.")
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="For requests to this model only; '*' for all.")] = None,
    tenant: Annotated[list[str] | None, typer.Option(help="For this client only; '*' for all.")] = None,
    calibrated: Annotated[bool, typer.Option("--calibrated", help="Back to the calibrated threshold.")] = False,
    dry_run: DryRun = False,
    reason: Reason = None,
    wait: ForAll = False,
    url: Proxy = _URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Change a list's settings."""
    given = {
        "policy": policy,
        "sigma": sigma,
        "threshold": threshold,
        "enabled": enabled,
        "guideline": guideline,
        "refusal": refusal,
        "fallback": fallback,
        "scorer": scorer,
        "false_positive_rate": false_positive_rate,
        "recall_floor": recall_floor,
        "keep": keep,
        "corruption": corruption,
        "models": None if model is None else [m for m in model if m != "*"],
        "tenants": None if tenant is None else [t for t in tenant if t != "*"],
    }
    body: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
    body |= {"scorer": None} if scorer == "" else {}
    body |= {"dims": dims or None} if dims is not None else {}
    body |= {"token_classifier": token_classifier or None} if token_classifier is not None else {}
    body |= {"template": template.read() or None} if template is not None else {}
    body |= {"threshold": None} if calibrated else {}
    client = AdminClient(url, key)
    done = client.call("PATCH", f"/lists/{quote(name)}", json=body, **asked(dry_run, reason, wait))
    if dry_run:
        _say(done, as_json, rehearsal(done))
        return
    state = "on" if done["enabled"] else "off"
    _say(done, as_json, f"{name}: {done['policy']}, sigma {done['sigma']:g}, {state} (revision {done['revision']})")


def _say(value: object, as_json: bool, told: str) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False) if as_json else told)
