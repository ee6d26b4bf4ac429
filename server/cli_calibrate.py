"""`letheward detector calibrate`: a threshold for a false-positive rate, on a running proxy's list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from server.client import AdminClient, Key, Proxy


def calibrate(
    name: Annotated[str, typer.Argument(help="The list's name.")],
    traffic: Annotated[
        Path | None, typer.Option(help="Past prompts that are to pass, JSON lines or plain; default made-up ones.")
    ] = None,
    target: Annotated[float, typer.Option(help="False-positive rate.")] = 0.005,
    recall_floor: Annotated[float | None, typer.Option(help="A recall that goes before the rate.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Set the threshold found.")] = False,
    url: Proxy = "http://127.0.0.1:8080",
    key: Key = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find the threshold at which a list flags no more than a share of innocent prompts, and what that catches."""
    from server.keep_file import keep_texts

    texts: list[str] = []
    if traffic is not None:
        try:
            texts = keep_texts(traffic.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            typer.secho(f"{traffic}: {error}", fg=typer.colors.RED, err=True)
            raise typer.Exit(2) from error
    client = AdminClient(url, key)
    body = {"false_positive_rate": target, "recall_floor": recall_floor, "traffic": texts}
    found = client.call("POST", f"/lists/{quote(name)}/calibrate", json=body)
    if apply:
        change = {"threshold": found["threshold"]}
        found["revision"] = client.call("PATCH", f"/lists/{quote(name)}", json=change)["revision"]
    typer.echo(json.dumps(found, indent=2) if as_json else _told(found, applied=apply))


def _told(found: dict[str, Any], *, applied: bool) -> str:
    promise = "" if found["promised"] else "  (too few prompts to promise it: give more with --traffic)"
    lines = [
        f"{found['list']}: threshold {found['threshold']:.4f} for {found['target']:.2%} false positives, "
        f"chosen on {found['calibrated_on']} prompts{promise}",
        f"  false positives on others  {_rate(found['false_positives'])}",
        f"  recall on reworded entries {_rate(found['recall'])}",
        f"  set (revision {found['revision']})" if applied else "  not set: --apply sets it",
    ]
    return "\n".join(lines)


def _rate(rate: dict[str, Any]) -> str:
    if not rate["n"]:
        return "not measured"
    return f"{rate['value']:.2%} ({rate['hits']}/{rate['n']}, 95 % {rate['low']:.2%} to {rate['high']:.2%})"
