"""`letheward replay`: what a change of a list would do to past traffic, before it is made."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, BinaryIO

import typer

from server.cli_fail import fail
from server.client import AdminClient, Key, Proxy
from server.traffic import Line, NoRequest, read_line

_REQUESTS, _BYTES = 200, 1_000_000  # of one batch, so that there is progress and no batch takes long
_WIDTH = 160


@dataclass(slots=True)
class _Found:
    """What has come back so far. Texts are kept of the requests that are shown, and of no other."""

    results: list[dict[str, Any]] = field(default_factory=list)
    changed: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    revision: int | None = None


def replay(
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="Requests, bodies or texts, one a line; - for stdin.")],
    name: Annotated[str | None, typer.Option("--list", help="The list to change; it may be new.")] = None,
    add: Annotated[typer.FileBinaryRead | None, typer.Option(help="JSON lines of entries to add.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="An entry's id; may be given again.")] = None,
    threshold: Annotated[float | None, typer.Option(help="Score from which a text is flagged, 0 to 1.")] = None,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Whether the list is in force.")] = None,
    show: Annotated[int, typer.Option(min=0, help="How many changed prompts to show.")] = 10,
    fail_on_new_above: Annotated[
        float | None, typer.Option(min=0, max=1, help="End with 1 where a greater share is newly flagged.")
    ] = None,
    url: Proxy = "http://127.0.0.1:8080",
    key: Key = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, which holds no text of FILE.")] = False,
) -> None:
    """Judge past traffic by the lists in force and by the lists with a change. The change is not made."""
    change = _change(name, add, remove, threshold, enabled)
    found = _Found()
    client = AdminClient(url, key)
    with _progress(file) as advance:
        for batch, failed, size in _batches(file):
            found.results += failed
            if batch:
                _judge(client, batch, change, found, show)
            advance(size)
    from server.replay_summary import differs, summary

    told = summary(found.results)
    if not found.results:
        raise fail("There are no requests in the file.")
    if as_json:
        changed = [r for r in found.results if differs(r)]
        errors = [r for r in found.results if "error" in r]
        value = {"revision": found.revision, "change": change is not None, "summary": told}
        typer.echo(json.dumps(value | {"changed": changed, "errors": errors}, indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(_told(told, found, change is not None)))
    share = told["newly_flagged"]["share"] or 0.0
    if fail_on_new_above is not None and share > fail_on_new_above:
        typer.secho(f"{share:.2%} are newly flagged, over {fail_on_new_above:.2%}.", fg=typer.colors.RED, err=True)
        raise typer.Exit(1)


def _change(
    name: str | None, add: BinaryIO | None, remove: list[str] | None, threshold: float | None, enabled: bool | None
) -> dict[str, Any] | None:
    given = {"remove": remove or None, "threshold": threshold, "enabled": enabled}
    change: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
    if add is not None:
        try:
            change["add"] = [json.loads(line) for line in add.read().splitlines() if line.strip()]
        except (ValueError, RecursionError) as error:
            raise fail(f"{add.name}: not JSON lines: {error}") from error
    if change and name is None:
        raise fail("Which list is to change? Give --list NAME.")
    return {"list": name, **change} if change else None


def _batches(file: BinaryIO) -> Iterator[tuple[list[Line], list[dict[str, Any]], int]]:
    """Lines that hold requests, results for those that hold none, and how many bytes that was."""
    lines: list[Line] = []
    failed: list[dict[str, Any]] = []
    size = 0
    for number, raw in enumerate(file, 1):
        if lines and (len(lines) >= _REQUESTS or size + len(raw) > _BYTES):
            yield lines, failed, size
            lines, failed, size = [], [], 0
        size += len(raw)
        if not raw.strip():
            continue
        try:
            lines.append(read_line(number, raw))
        except NoRequest as error:
            failed.append({"line": number, "error": {"message": str(error), "code": "no_request"}})
    yield lines, failed, size


def _judge(client: AdminClient, lines: Sequence[Line], change: dict[str, Any] | None, found: _Found, show: int) -> None:
    from server.replay_summary import differs

    body: dict[str, Any] = {"requests": [line.item for line in lines]} | ({"change": change} if change else {})
    raw = json.dumps(body).encode()  # ASCII: whatever the file holds can be sent
    answer = client.call("POST", "/replay", content=raw)
    found.revision = answer["revision"]
    for line, result in zip(lines, answer["results"], strict=True):
        own = {"line": line.number} | {k: v for k, v in result.items() if k != "index"}
        found.results.append(own)
        worth_showing = differs(own) if change else "error" not in own and own["after"]["lists"]
        if worth_showing and len(found.changed) < show:
            found.changed.append((own, line.shown))


def _told(told: dict[str, Any], found: _Found, dry_run: bool) -> Iterator[str]:
    yield f"{told['n']} requests judged at revision {found.revision}" + (", the change was not made" if dry_run else "")
    if told["errors"]:
        yield f"{told['errors']} lines could not be judged:"
        wrong = [r for r in found.results if "error" in r]
        yield from (f"  line {r['line']}: {r['error']['message']}" for r in wrong[:5])
    yield ""
    rows = [("all lists", told), *told["lists"].items()]
    kinds = ["flagged_before", "flagged_after", "newly_flagged", "no_longer_flagged"] if dry_run else ["flagged_before"]
    for name, own in rows:
        yield name
        yield from (f"  {kind.removesuffix('_before' if not dry_run else '').replace('_', ' '):<18} {_rate(own[kind])}"
                    for kind in kinds)  # fmt: skip
    if found.changed:
        yield ""
        yield f"the first {len(found.changed)} that {'change' if dry_run else 'are flagged'}:"
    for result, text in found.changed:
        before, after = result["before"], result["after"]
        caught = after if after["entry"] else before
        named = f" ({result['id']})" if "id" in result else ""
        way = f"{before['action']} -> {after['action']}" if dry_run else after["action"]
        yield f"  line {result['line']}{named}: {way}, {caught['list']}/{caught['entry']}, score {caught['score']:.3f}"
        yield f"    {text[:_WIDTH]!r}"


def _rate(rate: dict[str, Any]) -> str:
    if not rate["n"]:
        return "-"
    return f"{rate['hits']:>7} of {rate['n']}  {rate['share']:.2%} (95 % {rate['low']:.2%} to {rate['high']:.2%})"


@contextmanager
def _progress(file: BinaryIO) -> Iterator[Any]:
    """A bar over the file's bytes, where it is a file."""
    try:
        length = os.fstat(file.fileno()).st_size
    except OSError:
        length = 0
    if not length:
        yield lambda _: None
        return
    with typer.progressbar(length=length, label="judging", file=sys.stderr) as bar:
        yield bar.update
