"""`letheward import`, `export` and `documents`: many entries at once, into a list of a running proxy and out of it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO
from urllib.parse import quote

import typer

from server.cli_changes import DryRun, ForAll, Reason, asked, rehearsal
from server.client import AdminClient, Key, Proxy

_URL = "http://127.0.0.1:8080"
_PIECE = 64 * 1024  # bytes that are sent at a time
_SHOWN = 20  # lines that cannot be read

Name = Annotated[str, typer.Argument(help="The list's name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Csv = Annotated[bool, typer.Option("--csv", help="CSV under a row that names the fields; else JSON lines.")]
Policy = Annotated[str | None, typer.Option(help="eco, dragon, icul, template, refuse or monitor.")]
Keep = Annotated[str | None, typer.Option(help="text, or vectors: store no text of an entry, and no name.")]


def load(
    name: Name,
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="Entries, one a line; - for stdin.")],
    policy: Policy = None,
    keep: Keep = None,
    as_csv: Csv = False,
    skip: Annotated[bool, typer.Option("--skip", help="Go on after a line that cannot be read.")] = False,
    from_line: Annotated[int, typer.Option(min=1, help="Go on from this line of an import that broke off.")] = 1,
    dry_run: DryRun = False,
    reason: Reason = None,
    wait: ForAll = False,
    url: Proxy = _URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Add the entries of FILE to a list, which is made if it is not there. The same file again changes nothing."""
    client = AdminClient(url, key)
    if not dry_run:
        ensure(client, name, policy, keep)
    options = asked(dry_run, reason, wait)
    options["params"] |= {"on_error": "skip" if skip else "stop", "from_line": str(from_line)}
    options["headers"]["Content-Type"] = "text/csv" if as_csv or _is_csv(file) else "application/x-ndjson"
    with _progress(file, f"importing into {name}") as advance:
        done = client.call("POST", f"/lists/{quote(name)}/import", content=_sent(file, advance), **options)
    if as_json:
        typer.echo(json.dumps(done, indent=2, ensure_ascii=False))
        return
    for problem in done["errors"][:_SHOWN]:
        typer.secho(f"line {problem['line']}: {problem['message']}", fg=typer.colors.YELLOW, err=True)
    if done["failed"]:
        typer.secho(f"{done['failed']} lines were passed over.", fg=typer.colors.YELLOW, err=True)
    if dry_run:
        typer.echo(rehearsal(done))
    else:
        typer.echo(f"{name}: {done['added']} added, {done['updated']} updated (revision {done['revision']})")


def export(
    name: Name,
    as_csv: Csv = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; default stdout.")] = None,
    url: Proxy = _URL,
    key: Key = None,
) -> None:
    """Print a list's entries as JSON lines or CSV that `import` takes."""
    pieces = AdminClient(url, key).download(
        f"/lists/{quote(name)}/export", params={"format": "csv" if as_csv else "jsonl"}
    )
    if out is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        return
    with out.open("wb") as file:
        file.writelines(pieces)


def documents(
    name: Name,
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="A text; - for stdin.")],
    title: Annotated[str | None, typer.Option(help="Whom or what it is about.")] = None,
    source: Annotated[str | None, typer.Option(help="Where it comes from, such as a case number.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="May be given again.")] = None,
    by_model: Annotated[bool, typer.Option("--by-model", help="Let the served model find facts as well.")] = False,
    policy: Policy = None,
    dry_run: DryRun = False,
    reason: Reason = None,
    wait: ForAll = False,
    url: Proxy = _URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Split a text into facts, and add them to a list, which is made if it is not there."""
    client = AdminClient(url, key)
    if not dry_run:
        ensure(client, name, policy)
    body: dict[str, Any] = {"text": file.read().decode("utf-8", "replace"), "how": "model" if by_model else "rules"}
    body |= {k: v for k, v in {"title": title, "source": source, "labels": label}.items() if v}
    done = client.call("POST", f"/lists/{quote(name)}/documents", json=body, **asked(dry_run, reason, wait))
    if as_json:
        typer.echo(json.dumps(done, indent=2, ensure_ascii=False))
        return
    told = [f"  {f['id']}  [{f['subject'] or '-'}] {f['question'] or ''} {f['text'] or ''}" for f in done["facts"]]
    end = rehearsal(done) if dry_run else f"{name}: {done['added']} added, {done['updated']} updated"
    typer.echo("\n".join([*told, end]))


def ensure(client: AdminClient, name: str, policy: str | None, keep: str | None = None) -> None:
    """Make the list if it is not there, with what is given of its settings."""
    settings = {k: v for k, v in {"policy": policy, "keep": keep}.items() if v}
    if client.find(f"/lists/{quote(name)}") is None:
        client.call("PUT", f"/lists/{quote(name)}", json=settings)
    elif settings:
        client.call("PATCH", f"/lists/{quote(name)}", json=settings)


def _is_csv(file: BinaryIO) -> bool:
    return str(getattr(file, "name", "")).lower().endswith(".csv")


def _sent(file: BinaryIO, advance: Any) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
        advance(len(piece))


@contextmanager
def _progress(file: BinaryIO, label: str) -> Iterator[Any]:
    """A bar over the file's bytes, where it is a file: the proxy takes them as fast as they are in force."""
    try:
        length = os.fstat(file.fileno()).st_size
    except OSError:
        length = 0
    if not length:
        yield lambda _: None
        return
    with typer.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield bar.update
