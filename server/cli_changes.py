"""What commands that change lists have in common: `--dry-run`, `--reason`, and how a dry run is told."""

from __future__ import annotations

from typing import Annotated, Any

import typer

DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; tell what would change.")]
Reason = Annotated[str | None, typer.Option(help="Why; kept in the history and the audit log.")]
ForAll = Annotated[bool, typer.Option("--wait", help="Until the change is in force in every worker.")]
_SHOWN = 20  # changes


def asked(dry_run: bool = False, reason: str | None = None, wait: bool = False) -> dict[str, Any]:
    """The options of a changing call."""
    query: dict[str, str] = ({"dry_run": "true"} if dry_run else {}) | ({"wait": "all"} if wait else {})
    return {"params": query, "headers": {"X-Reason": reason.encode()} if reason else {}}


def rehearsal(done: dict[str, Any]) -> str:
    """What a change would do, for people."""
    impact = done["impact"]
    lines = [f"{done['total']} changes, none of which was made:", *map(change, done["changes"][:_SHOWN])]
    lines += [f"  and {done['total'] - _SHOWN} more"] if done["total"] > _SHOWN else []
    if not impact["requests"]:
        return "\n".join([*lines, "no recent requests to try it on: `letheward replay` tries it on a file"])
    lines.append(
        f"of the last {impact['requests']} requests {impact['flagged_after']} would be flagged, and "
        f"{impact['flagged_before']} are: {impact['newly_flagged']} new, {impact['no_longer_flagged']} no longer, "
        f"{impact['other_action']} treated otherwise"
    )
    return "\n".join(lines)


def change(item: dict[str, Any]) -> str:
    """One list or entry before and after, for people."""
    sign = "+" if item["before"] is None else "-" if item["after"] is None else "~"
    what = item["list"] if item["entry"] is None else f"{item['list']}/{item['entry']}"
    if sign != "~":
        side = item["after"] or item["before"]
        told = "" if item["entry"] is None else f"  {entry(side)}"
        return f"  {sign} {what}{told}"
    fields = "; ".join(f"{f}: {item['before'].get(f)!r} -> {item['after'].get(f)!r}" for f in item["fields"])
    return f"  ~ {what}  {fields}"


def entry(item: dict[str, Any]) -> str:
    """An entry in a line."""
    said = item["question"] or item["text"] or ("(vectors only)" if item["vectors_only"] else "")
    return f"[{item['subject'] or '-'}] {said}".rstrip()
