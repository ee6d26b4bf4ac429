"""`letheward audit`: the audit log of a running proxy, of its store, or of an export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli_fail import fail
from server.client import AdminClient, Key, Proxy

if TYPE_CHECKING:
    from guard.audit_check import Checkpoint, Report

app = typer.Typer(no_args_is_help=True, help="Check and export the audit log.")

_URL = "http://127.0.0.1:8080"
_PAGE = 5000


@app.command()
def verify(
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="File with an earlier end of the log; where all holds, the new end is written to it."),
    ] = None,
    file: Annotated[Path | None, typer.Option(help="Check an export instead of the proxy's log.")] = None,
    database_url: Annotated[str | None, typer.Option(help="Check this store, without asking the proxy.")] = None,
    url: Proxy = _URL,
    key: Key = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Whether no event was changed, removed or moved, and none cut off since the checkpoint. Ends with 1 where not.

    A checkpoint belongs where who can write to the store cannot: without one, a log written wholly anew looks sound.
    """
    known = _known(checkpoint)
    if file is not None:
        found = _told(_of_file(file, known))
    elif database_url is not None:
        found = _told(_of_store(database_url, known))
    else:
        given = {} if known is None else {"checkpoint": str(known)}
        found = AdminClient(url, key).call("GET", "/audit/verify", params=given)
    if checkpoint is not None and found["holds"]:
        checkpoint.write_text(found["checkpoint"] + "\n")
    typer.echo(json.dumps(found, indent=2) if as_json else "\n".join(_lines(found)))
    raise typer.Exit(0 if found["holds"] else 1)


@app.command()
def export(
    after: Annotated[int, typer.Option(help="Only events after this number.")] = 0,
    url: Proxy = _URL,
    key: Key = None,
) -> None:
    """Print the events as JSON lines, the oldest first."""
    client = AdminClient(url, key)
    at: int | None = after
    while at is not None:
        page = client.call("GET", "/audit", params={"after": at, "limit": _PAGE})
        for event in page["events"]:
            typer.echo(json.dumps(event, ensure_ascii=False))
        at = page["next"]


def _known(file: Path | None) -> Checkpoint | None:
    from guard.audit_check import Checkpoint

    if file is None or not file.exists():
        return None
    try:
        return Checkpoint.read(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise fail(f"{file}: {error}") from error


def _of_file(file: Path, known: Checkpoint | None) -> Report:
    from guard.audit_check import Event, check

    def events() -> Iterator[Event]:
        with file.open(encoding="utf-8") as lines:
            yield from (Event.read(json.loads(line)) for line in lines if line.strip())

    try:
        return check(events(), checkpoint=known)
    except OSError as error:
        raise fail(f"{file}: {error}") from error


def _of_store(url: str, known: Checkpoint | None) -> Report:
    from guard.audit_check import verify as look
    from guard.store import Store, StoreError

    try:
        store = Store.open(url)
        try:
            with store.reading() as session:
                return look(session, known)
        finally:
            store.close()
    except StoreError as error:
        raise fail(str(error)) from error


def _told(report: Report) -> dict[str, Any]:
    faults = [asdict(fault) for fault in report.faults]
    return {"holds": report.holds, "events": report.events, "checkpoint": str(report.end), "faults": faults}


def _lines(found: dict[str, Any]) -> Iterator[str]:
    if found["holds"]:
        yield f"{found['events']} events, and each follows the one before. The end: {found['checkpoint']}"
        return
    yield f"{found['events']} events, and the log does not hold:"
    yield from (f"  event {fault['seq']}: {fault['message']}" for fault in found["faults"])
