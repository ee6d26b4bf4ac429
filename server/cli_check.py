"""`letheward check`: what the detector says of a text, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from server.client import AdminClient, Key, Proxy


def check(
    text: Annotated[str, typer.Argument(help="The text to judge, - for stdin.")],
    turns: Annotated[bool, typer.Option("--turns", help="Each line is a turn of one conversation.")] = False,
    url: Proxy = "http://127.0.0.1:8080",
    key: Key = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """What the detector says of TEXT, with evidence. Ends with 1 where it is flagged."""
    if text == "-":
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
    lines = [line for line in text.splitlines() if line.strip()]
    found = AdminClient(url, key).call("POST", "/check", json={"turns": lines} if turns else {"text": text})
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else "\n".join(_told(found, lines, turns)))
    raise typer.Exit(1 if found["flagged"] else 0)


def _told(found: dict[str, Any], lines: Sequence[str], turns: bool) -> Iterator[str]:
    if not turns:
        yield from _text(found)
        return
    for i, (line, own) in enumerate(zip(lines, found["turns"], strict=True), 1):
        yield f"{'' if i == 1 else chr(10)}turn {i}: {line[:100]!r}"
        yield from (f"  {told}" for told in _text(own))


def _text(found: dict[str, Any]) -> Iterator[str]:
    if not found["verdicts"]:
        yield "not flagged"
    for verdict in found["verdicts"]:
        yield (
            f"flagged by list {verdict['list']}, entry {verdict['entry']}: "
            f"score {verdict['score']:.3f} (threshold {verdict['threshold']:.2f})"
        )
        evidence = [(e["stage"], e["view"], f"{e['score']:.3f}") for e in verdict["evidence"]]
        yield from _table(("stage", "view", "score"), evidence)
        yield from (f"  span {s['start']}-{s['end']}  {s['text']!r}" for s in verdict["spans"])
    if found["nearest"]:
        yield "nearest entries"
        columns = ("score", "threshold", "name", "cosine", "described", "view")
        rows = [(f"{n['list']}/{n['entry']}", *(_number(n[c]) for c in columns)) for n in found["nearest"]]
        yield from _table(("entry", *columns), rows)
    yield f"time (ended at {found['ended_at']}, scorer {found['scorer']})"
    ms = found["latency_ms"]
    yield from _table((*ms, "total"), [(*(f"{v:.2f} ms" for v in ms.values()), f"{sum(ms.values()):.2f} ms")])


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
