"""The `letheward` command. Nothing heavy is imported until a command needs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from server import __version__
from server.cli_detector import app as detector_app
from server.cli_lists import app as lists_app
from server.client import AdminClient, Key, Proxy

app = typer.Typer(
    name="letheward",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Makes a deployed LLM behave as if it had never learnt chosen facts.",
)
app.add_typer(lists_app, name="lists")
app.add_typer(detector_app, name="detector")


def _version(shown: bool) -> None:
    if shown:
        typer.echo(f"letheward {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Makes a deployed LLM behave as if it had never learnt chosen facts."""


@app.command()
def serve(
    model: Annotated[str | None, typer.Option(help="'smollm2' (embedded), a folder, or a hub name.")] = None,
    upstream: Annotated[
        str | None, typer.Option(help="A vLLM that is already there, e.g. http://host:8000/v1.")
    ] = None,
    model_path: Annotated[Path | None, typer.Option(help="The upstream model's folder, for ECO.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    cache_dir: Annotated[Path | None, typer.Option(help="For the model, the lists, the admin key and logs.")] = None,
    database_url: Annotated[str | None, typer.Option(help="SQLAlchemy URL of the forget-list store.")] = None,
    sample_list: Annotated[bool | None, typer.Option(help="Create the sample list in an empty store.")] = None,
    vllm_args: Annotated[str | None, typer.Option(help="More arguments for the managed vLLM.")] = None,
) -> None:
    """Start the model and the proxy before it. Every option is also a variable LETHEWARD_<NAME>."""
    from pydantic import ValidationError

    from server.managed import StartupFailed
    from server.settings import Settings

    given = {k: v for k, v in locals().items() if k in Settings.model_fields and v is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise _fail(f"Bad settings: {problems}") from error
    from guard.store import StoreError
    from server.run import serve as run

    try:
        run(settings)
    except (StartupFailed, StoreError, RuntimeError, OSError, ValueError) as error:
        raise _fail(str(error)) from error
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@app.command()
def check(
    text: Annotated[str, typer.Argument(help="The text to judge.")],
    url: Proxy = "http://127.0.0.1:8080",
    key: Key = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """What the detector says of TEXT, with evidence. Ends with 1 where it is flagged."""
    found = AdminClient(url, key).call("POST", "/check", json={"text": text})
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else _told(found))
    raise typer.Exit(1 if found["flagged"] else 0)


def _told(found: dict[str, Any]) -> str:
    lines = [] if found["flagged"] else ["not flagged"]
    for verdict in found["verdicts"]:
        lines.append(
            f"flagged by list {verdict['list']}, entry {verdict['entry']}: "
            f"score {verdict['score']:.3f} (threshold {verdict['threshold']:.2f})"
        )
        lines += [f"  span      {s['text']!r}" for s in verdict["spans"]]
        lines += [f"  {e['stage']:<15} {e['view']}: {e['score']:.3f}" for e in verdict["evidence"]]
    if found["nearest"]:
        lines.append("nearest entries:")
    for near in found["nearest"]:
        named = f", name {near['name']:.2f}" if near["name"] else ""
        lines.append(f"  {near['list']}/{near['entry']}: score {near['score']:.3f}, cosine {near['cosine']:.3f}{named}")
    return "\n".join(lines)


def _fail(message: str) -> typer.Exit:
    typer.secho(message, fg=typer.colors.RED, err=True)
    return typer.Exit(2)


if __name__ == "__main__":
    app()
