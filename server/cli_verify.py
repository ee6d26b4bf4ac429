"""`letheward verify`: the proof that a deletion holds, its record, and the check of a record."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from server.cli_fail import fail
from server.client import AdminClient, Key, Proxy

_POLL = 0.5  # seconds
_SECONDS = {"m": 60, "h": 3600, "d": 86_400}


def verify(
    name: Annotated[str | None, typer.Argument(metavar="LIST", help="The forget list.")] = None,
    entry: Annotated[str | None, typer.Option(help="One entry's id; default the whole list.")] = None,
    samples: Annotated[int, typer.Option(help="Answers to each probe at each temperature above 0.")] = 3,
    temperature: Annotated[list[float] | None, typer.Option(help="May be given again; default 0 and 1.")] = None,
    per_kind: Annotated[int, typer.Option(help="Probes of each kind for each entry, at most.")] = 2,
    kind: Annotated[list[str] | None, typer.Option(help="A kind of probe; may be given again. Default all.")] = None,
    most_entries: Annotated[int, typer.Option(help="Entries at most, drawn at random.")] = 20,
    max_tokens: Annotated[int, typer.Option(help="Tokens of an answer at most.")] = 64,
    confidence: Annotated[float, typer.Option(help="Of the bounds, 0.8 to 1.")] = 0.95,
    tolerance: Annotated[float, typer.Option(help="Leak probability that is tolerated, 0 to 1.")] = 0.05,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    model: Annotated[str | None, typer.Option(help="The served model; default the first that the list is for.")] = None,
    tenant: Annotated[str | None, typer.Option(help="The client to ask as; default the list's first.")] = None,
    neighbours: Annotated[typer.FileText | None, typer.Option(help="Questions to be left alone, one a line.")] = None,
    at_once: Annotated[int, typer.Option(help="Requests at the same time.")] = 8,
    texts: Annotated[
        typer.FileBinaryRead | None, typer.Option(help="JSON lines of the entries, for a list that keeps no texts.")
    ] = None,
    show_texts: Annotated[bool, typer.Option("--show-texts", help="Put probes and leaks into the record.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the signed record here.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write the record as a page here.")] = None,
    check: Annotated[Path | None, typer.Option(help="Check a record instead; needs no proxy.")] = None,
    public_key: Annotated[str | None, typer.Option(help="The key that has to have signed it.")] = None,
    every: Annotated[
        str | None, typer.Option(help="Verify LIST again and again instead: 30m, 12h, 7d or never.")
    ] = None,
    url: Proxy = "http://127.0.0.1:8080",
    key: Key = None,
) -> None:
    """Ask the model behind the proxy for what LIST wants forgotten, with and without the guard, and sign the outcome.

    Ends with 1 where it does not hold or is undecided.
    """
    if check is not None:
        _check(check, public_key)
        return
    if name is None:
        raise fail("name the LIST to verify, or a record by --check")
    body: dict[str, Any] = {
        "samples": samples, "temperatures": temperature or [0.0, 1.0], "per_kind": per_kind,
        "most_entries": most_entries, "max_tokens": max_tokens, "confidence": confidence, "tolerance": tolerance,
        "seed": seed, "model": model, "tenant": tenant, "texts": show_texts, "at_once": at_once,
        "neighbours": [line.strip() for line in neighbours or () if line.strip()],
    } | ({"kinds": kind} if kind else {})  # fmt: skip
    client = AdminClient(url, key)
    if every is not None:
        _schedule(client, name, every, body)
        return
    body |= {"entry": entry, "entries": [json.loads(line) for line in texts or () if line.strip()]}
    found = _followed(client, client.call("POST", f"/lists/{quote(name)}/verify", json=body))
    if found["state"] != "done":
        raise fail(f"the verification has {found['state']}: {found['progress'].get('error', 'somebody ended it')}")
    document = client.call("GET", f"/verifications/{found['id']}/record")
    if json_file is not None:
        json_file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    if html_file is not None:
        html_file.write_text(client.text(f"/verifications/{found['id']}/record?format=html"))
    typer.echo("\n".join(_told(document["record"])))
    if found["holds"] is not True:
        raise typer.Exit(1)


def _followed(client: AdminClient, begun: dict[str, Any]) -> dict[str, Any]:
    """The verification as it ended; it is cancelled with the command."""
    path = f"/verifications/{begun['id']}"
    try:
        with _progress() as show:
            found = begun
            while found["state"] in ("waiting", "running"):
                show(found)
                time.sleep(_POLL)
                found = client.call("GET", path)
            return found
    except KeyboardInterrupt:
        client.call("DELETE", path)
        typer.secho("Cancelled.", err=True)
        raise typer.Exit(130) from None


@contextmanager
def _progress() -> Iterator[Callable[[dict[str, Any]], None]]:
    """A bar on a terminal; a line for every tenth elsewhere."""
    if not sys.stderr.isatty():
        last = [-1]

        def line(found: dict[str, Any]) -> None:
            done, of = found["progress"]["done"], found["progress"]["of"]
            if (tenth := 10 * done // max(of, 1)) > last[0]:
                last[0] = tenth
                typer.echo(f"{_asking(found)}: {done} of {of}", err=True)

        yield line
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("asking", total=None)
        yield lambda found: bar.update(
            task, description=_asking(found), completed=found["progress"]["done"], total=found["progress"]["of"]
        )


def _asking(found: dict[str, Any]) -> str:
    if found["state"] == "waiting":
        return "waiting for another verification"
    leaks = found["progress"]
    return f"asking ({leaks['live_leaks']} leaks, {leaks['bare_leaks']} without the guard)"


def _told(record: dict[str, Any]) -> Iterator[str]:
    scope, method, verdict = record["scope"], record["method"], record["verdict"]
    about = f"{scope['list']}{'/' + scope['entry'] if scope['entry'] else ''} on {record['model']['id']}"
    yield (
        f"{about}: {scope['entries']} of {scope['of']} entries, {method['probes']} probes, revision "
        f"{record['guard']['revision']}"
    )
    yield f"  {verdict['says']}"
    yield f"  {verdict['caveat']}"
    yield from _rows(record)
    changed = record["neighbours"]["changed"]
    yield f"  neighbours answered otherwise than without the guard: {changed['k']} of {changed['n']}"
    for row in scope["left_out"]:
        yield f"  left out: {row['entry']}: {row['why']}"


def _rows(record: dict[str, Any]) -> Iterator[str]:
    yield f"  {'told':<22}{'with the guard':<28}without it"
    for label, of in (("answers", "answers"), ("probes", "probes"), ("entries", "entries")):
        yield f"  {label:<22}{_rate(record['live'][of]):<28}{_rate(record['bare'][of], bare=True)}"
    for kind, row in record["by_kind"].items():
        yield f"  {kind.replace('_', ' '):<22}{_rate(row['live']):<28}{_rate(row['bare'], bare=True)}"
    yield f"  {'by guessing':<50}{_rate(record['guess']['answers'], bare=True)}"
    yield f"  bounds with {100 * record['method']['confidence']:g} % confidence each"


def _rate(rate: dict[str, Any], *, bare: bool = False) -> str:
    bound = f"at least {100 * rate['lower']:.2f} %" if bare else f"at most {100 * rate['upper']:.2f} %"
    return f"{rate['k']}/{rate['n']}, {bound}" if rate["n"] else "-"


def _check(path: Path, public_key: str | None) -> None:
    from guard.verification.recheck import wrong_figures
    from guard.verification.signing import Forged, check

    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        record = dict(check(document, public_key))
        wrong = wrong_figures(record)
    except OSError as error:
        raise fail(f"{path} cannot be read: {error.strerror}") from error
    except Forged as error:
        typer.secho(f"{path}: FORGED: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from error
    except ValueError as error:
        raise fail(f"{path} is no signed deletion record: {error}") from error
    if wrong:
        typer.secho(f"{path}: these figures are not those of their counts: {', '.join(wrong)}", err=True)
        raise typer.Exit(1)
    typer.echo("\n".join(_told(record)))
    signed = f"  signed by {document['signature']['key']}, {record['ended']}; figures follow from the counts"
    unknown = "" if public_key else ": give --public-key, from whom you trust, to know whose key that is"
    typer.echo(signed + unknown)


def _schedule(client: AdminClient, name: str, every: str, options: dict[str, Any]) -> None:
    path = f"/lists/{quote(name)}/schedule"
    if every == "never":
        client.call("DELETE", path)
        typer.echo(f"{name} is verified no more by itself")
        return
    found = re.fullmatch(r"(\d+)([mhd])", every)
    if found is None:
        raise fail(f"--every {every!r} is no time: use 30m, 12h, 7d or never")
    seconds = int(found.group(1)) * _SECONDS[found.group(2)]
    made = client.call("PUT", path, json={"every_seconds": seconds, "options": options})
    typer.echo(f"{name} is verified every {every}, and soon after it or the model changes; next {made['next_at']}")
