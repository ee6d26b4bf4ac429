"""`letheward eco`: how ECO corrupts a list, fitted to the served model."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Protocol
from urllib.parse import quote

import typer

from server.cli_fail import fail
from server.client import AdminClient, Key, Proxy

if TYPE_CHECKING:
    from rich.progress import Progress

app = typer.Typer(no_args_is_help=True, help="Fit ECO to the served model: corruption strengths, token classifiers.")

ListName = Annotated[str, typer.Option("--list", help="The forget list.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Show(Protocol):
    """Shows an event of a fit."""

    def __call__(self, event: dict[str, Any]) -> None:
        """Show it."""


@app.callback()
def main() -> None:
    """Fit ECO to the served model: corruption strengths, token classifiers."""


@app.command()
def fit(
    name: ListName,
    model: Annotated[str | None, typer.Option(help="The served model; default the first.")] = None,
    n: Annotated[int, typer.Option("--n", help="Questions at most.")] = 32,
    target: Annotated[float | None, typer.Option(help="ROUGE-L recall to come to, 0 to 1.")] = None,
    retained_url: Annotated[str | None, typer.Option(help="A model that never saw the list, to come up to.")] = None,
    retained_model: Annotated[str | None, typer.Option(help="Its name there.")] = None,
    retained_key: Annotated[str | None, typer.Option(envvar="LETHEWARD_RETAINED_KEY", help="Its API key.")] = None,
    steps: Annotated[int, typer.Option(help="Steps of the search at most.")] = 10,
    tolerance: Annotated[float, typer.Option(help="A distance from the target that is good enough.")] = 0.02,
    max_tokens: Annotated[int, typer.Option(help="Tokens of an answer at most.")] = 48,
    at_once: Annotated[int, typer.Option(help="Questions asked at the same time.")] = 8,
    seed: Annotated[int, typer.Option(help="Of the sample and of made-up names.")] = 0,
    restart: Annotated[bool, typer.Option("--restart", help="Forget what a stopped fit has measured.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Store nothing.")] = False,
    url: Proxy = "http://127.0.0.1:8080",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Find the strength at which the model answers a list's questions as if it had never learnt them, and store it.

    What it comes to is a number (--target), what a retained model says (--retained-url), or what the model itself says
    to the same questions about made-up names. After a stop the same command goes on. Ends with 1 if nothing was found.
    """
    if (retained_url is None) != (retained_model is None):
        raise fail("--retained-url and --retained-model belong together")
    retained = retained_url and {"url": retained_url, "model": retained_model, "key": retained_key}
    body = {
        "model": model, "n": n, "target": target, "retained": retained, "steps": steps, "tolerance": tolerance,
        "max_tokens": max_tokens, "at_once": at_once, "seed": seed, "restart": restart, "dry_run": dry_run,
    }  # fmt: skip
    end: dict[str, Any] = {}
    try:
        with _progress() as show:
            for event in AdminClient(url, key).events("POST", f"/lists/{quote(name)}/eco/fit", json=body):
                show(event)
                end = event
    except KeyboardInterrupt:
        typer.secho("Stopped. The same command goes on from the last measurement.", err=True)
        raise typer.Exit(130) from None
    if end.get("event") != "done":
        message = end["error"]["message"] if end.get("event") == "error" else "the proxy broke off"
        raise fail(f"{message} (the same command goes on from the last measurement)")
    typer.echo(json.dumps(end, indent=2, ensure_ascii=False) if as_json else _told(end))
    if "sigma" not in end or end["reason"] == "flat":
        raise typer.Exit(1)


@app.command()
def show(name: ListName, url: Proxy = "http://127.0.0.1:8080", key: Key = None, as_json: AsJson = False) -> None:
    """Show a list's strength and those fitted to models, with where they come from."""
    found = AdminClient(url, key).call("GET", f"/lists/{quote(name)}/eco")
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    lines = [f"{name}: {found['corruption']}, sigma {found['sigma']:g} where no fit is below"]
    lines += [_fitted(item) for item in found["fits"]] or ["  no fits: make one with `letheward eco fit`"]
    typer.echo("\n".join(lines))


@app.command()
def remove(
    name: ListName,
    model: Annotated[str, typer.Option(help="The model that it was fitted to.")],
    url: Proxy = "http://127.0.0.1:8080",
    key: Key = None,
) -> None:
    """Forget a fitted strength; the list's own is in force again."""
    done = AdminClient(url, key).call("DELETE", f"/lists/{quote(name)}/eco", params={"model": model})
    typer.echo(f"{name}: the fit for {model} is gone (revision {done['revision']})")


def _fitted(item: dict[str, Any]) -> str:
    told = item["provenance"]
    return (
        f"  {item['model']}: sigma {item['sigma']:.4g} ({item['corruption']}), {told['metric']} {told['value']:.3f} "
        f"for {told['v_hat']:.3f} ± {told['stderr']:.3f} ({told['target']}), {told['plain']:.3f} unguarded; "
        f"n {told['n']}, revision {told['revision']}, {told['date']}"
    )


def _told(end: dict[str, Any]) -> str:
    about = f"{end['list']} on {end['model']}"
    wanted = f"{end['metric']} {end['plain']:.3f} unguarded, wanted {end['v_hat']:.3f} ± {end['v_hat_stderr']:.3f}"
    note = f"\n  {end['note']}" if "note" in end else ""
    if "sigma" not in end:
        return f"{about}: nothing was fitted; {wanted} (n {end['n']}){note}"
    stored = f"\n  stored (revision {end['revision']}); it goes before the list's own sigma" if end["stored"] else ""
    return (
        f"{about}: sigma {end['sigma']:.4g}; {wanted}, come to {end['value']:.3f} (n {end['n']})\n"
        f"  ended by {end['reason']} after {end['steps']} steps, {end['measured']} measurements{stored}{note}"
    )


def _line(event: dict[str, Any]) -> str | None:
    match event["event"]:
        case "started":
            kept = f", {event['kept']} measurements kept" if event["kept"] else ""
            out = f" ({event['unflagged']} others are not flagged)" if event["unflagged"] else ""
            return f"{event['list']} on {event['model']}: {event['n']} questions{out}{kept}"
        case "target":
            return f"wanted: {event['value']:.3f} ± {event['stderr']:.3f} ({event['source']}, n {event['n']})"
        case "plain":
            return f"unguarded: {event['value']:.3f} ± {event['stderr']:.3f}"
        case "step":
            return f"{event['number']:3}. sigma {event['sigma']:.4g}: {event['value']:.3f} ± {event['stderr']:.3f}"
    return None


@contextmanager
def _progress() -> Iterator[Show]:
    """A bar on a terminal, of the questions of the measurement under way; lines elsewhere."""
    if not sys.stderr.isatty():
        yield lambda event: typer.echo(line, err=True) if (line := _line(event)) else None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        yield _Bar(bar)


class _Bar:
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("asking", total=None)

    def __call__(self, event: dict[str, Any]) -> None:
        if event["event"] == "asked":
            self._bar.update(self._task, description=_asking(event["what"]), completed=event["done"], total=event["of"])
        elif line := _line(event):
            self._bar.console.print(line, highlight=False)


def _asking(what: str) -> str:
    return {"target": "asking for the target", "plain": "asking unguarded"}.get(what, f"asking at sigma {what:.6}")
