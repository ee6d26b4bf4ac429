"""`letheward bench`: should one guard or retrain? Every method on one machine, in one report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.comparison.spec import PROFILES, RunSpec, profile
from benchmarks.images.command import images
from benchmarks.named import settings

app = typer.Typer(no_args_is_help=True, help="Compare the guard with retraining and with unlearning methods.")
app.command()(images)
_OUT = Path("build/bench")
Out = Annotated[Path, typer.Option("--out", help="Where models, readings and reports are kept, by what they come of.")]


@app.command()
def run(
    profile_: Annotated[str, typer.Option("--profile", help=f"{', '.join(PROFILES)}.")] = "tiny",
    methods: Annotated[
        str | None, typer.Option(help="Names, parted by commas, or 'all'; default the profile's.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Data set, or DATASET:FOLDER_OR_HUB_NAME.")] = None,
    part: Annotated[str | None, typer.Option(help="Of the data set, e.g. forget10.")] = None,
    model: Annotated[str | None, typer.Option(help="smollm2, a folder or a hub name: is taught first.")] = None,
    target: Annotated[str | None, typer.Option(help="A folder of a model that knows the data already.")] = None,
    retained: Annotated[str | None, typer.Option(help="One that knows all of it but the forget set.")] = None,
    forget: Annotated[int | None, typer.Option(min=1, help="Subjects to forget.")] = None,
    retain: Annotated[int | None, typer.Option(min=1, help="Subjects that stay.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="METHOD.OPTION=VALUE; repeat.")] = None,
    attacks: Annotated[str | None, typer.Option(help="Names, parted by commas, or 'all'.")] = None,
    probes: Annotated[str | None, typer.Option(help="Measures of the weights, parted by commas, or 'all'.")] = None,
    requests: Annotated[int | None, typer.Option(min=1, help="Parts that the forget set comes in, one by one.")] = None,
    sweep: Annotated[int | None, typer.Option(min=1, help="Settings tried for each method.")] = None,
    lora: Annotated[int | None, typer.Option(min=1, help="Rank: methods change a low-rank update alone.")] = None,
    items: Annotated[int | None, typer.Option(min=1, help="Questions of a set at most.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of order and chance.")] = None,
    precision: Annotated[str | None, typer.Option(help="fp32 or bf16.")] = None,
    spec_file: Annotated[Path | None, typer.Option("--spec", help="A run's spec.json: repeats it.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Of the processor.")] = None,
    out: Out = _OUT,
    cache_dir: Annotated[
        Path | None, typer.Option(help="For the embedded model and the proxy; default serve's.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Teach, unlearn, guard, measure, report; goes on where it was broken off."""
    from benchmarks.comparison.commands import carry_out, prepared

    try:
        spec = RunSpec.of(json.loads(spec_file.read_text())) if spec_file else profile(profile_)
        spec = changed(
            spec, methods=methods, data=data, part=part, model=model, target=target, retained=retained, forget=forget,
            retain=retain, options=set_ or [], attacks=attacks, probes=probes, requests=requests, sweep=sweep,
            lora=lora, items=items, seed=seed, precision=precision,
        )  # fmt: skip
        ready = prepared(spec, out, cache_dir, threads, lambda text: None if quiet else typer.echo(text, err=True))
    except (ValueError, RuntimeError, OSError) as error:
        raise _fail(error) from error
    folder, text = carry_out(ready, shown=not quiet)
    if folder is None:  # another process of the run writes
        return
    typer.echo((folder / "comparison.json").read_text() if as_json else text)
    typer.echo(f"report: {folder / 'report.html'}", err=True)


@app.command("list")
def show_list(as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """Profiles, data sets, methods, metrics, attacks and probes."""
    from benchmarks.comparison.commands import known

    found = known()
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for kind, rows in found.items():
        typer.echo(f"\n{kind}")
        width = max(len(row["name"]) for row in rows)
        for row in rows:
            about = "  ".join(str(value) for key, value in row.items() if key != "name" and value)
            typer.echo(f"  {row['name']:<{width}}  {about}")


@app.command()
def show(
    name: Annotated[str | None, typer.Argument(help="Of a run under --out; default: all, a line each.")] = None,
    out: Out = _OUT,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """The runs that were made, or the figures of one."""
    from benchmarks.comparison.commands import runs, shown

    try:
        if name is None:
            found = runs(out)
            typer.echo(json.dumps(found, indent=2) if as_json else "\n".join(
                f"{row['name']}  {row['profile']}  {row['data']}  {row['rows']} rows  {row['made']}" for row in found
            ) or f"no run under {out} yet: letheward bench run")  # fmt: skip
            return
        typer.echo(shown(out, name, as_json=as_json))
    except (ValueError, OSError) as error:
        raise _fail(error) from error


@app.command()
def report(name: Annotated[str, typer.Argument(help="Of a run under --out.")], out: Out = _OUT) -> None:
    """Write a run's report anew."""
    from benchmarks.comparison.commands import written

    try:
        typer.echo(str(written(out, name)))
    except (ValueError, OSError) as error:
        raise _fail(error) from error


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A run under --out, or a comparison.json.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    out: Out = _OUT,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """How two runs differ, figure by figure, with the error of the difference."""
    from benchmarks.comparison.commands import compared

    try:
        typer.echo(compared(out, first, second, as_json=as_json))
    except (ValueError, OSError) as error:
        raise _fail(error) from error


def changed(
    spec: RunSpec, *, methods: str | None, data: str | None, part: str | None, model: str | None, target: str | None,
    retained: str | None, forget: int | None, retain: int | None, options: Sequence[str], attacks: str | None,
    probes: str | None, requests: int | None, sweep: int | None, lora: int | None, items: int | None, seed: int | None,
    precision: str | None,
) -> RunSpec:  # fmt: skip
    """``spec`` with what the command line says otherwise.

    Raises:
        ValueError: a value cannot be.
    """
    name, _, source = (data or "").partition(":")
    own = replace(spec.data, **_told(name=name or None, source=source or None, part=part, forget=forget, retain=retain,
                                     seed=seed))  # fmt: skip
    if name and name != spec.data.name:
        own = replace(own, source=source or None, part=part or "")
    if precision not in (None, "fp32", "bf16"):
        raise ValueError("--precision is fp32 or bf16")
    asking, teach = replace(spec.asking, **_told(items=items)), replace(spec.teach, **_told(seed=seed))
    found = replace(
        spec, data=own, asking=asking, teach=teach,
        **_told(model=model, target=target, retained=retained, requests=requests, sweep=sweep, seed=seed,
                precision=precision, methods=_names(methods, "methods"), attacks=_names(attacks, "attacks"),
                probes=_names(probes, "probes")),
    )  # fmt: skip
    return replace(found, options=_options(found, options, lora))


def _told(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _names(text: str | None, kind: str) -> tuple[str, ...] | None:
    if text is None:
        return None
    if text != "all":
        return tuple(name.strip() for name in text.split(",") if name.strip())
    from benchmarks.attacks.registry import ATTACKS
    from benchmarks.methods.registry import METHODS
    from benchmarks.probes.registry import PROBES

    return tuple({"methods": METHODS, "attacks": ATTACKS, "probes": PROBES}[kind])


def _options(spec: RunSpec, given: Sequence[str], lora: int | None) -> dict[str, dict[str, Any]]:
    from benchmarks.methods.registry import method

    found = {name: dict(options) for name, options in spec.options.items()}
    for name in spec.methods if lora else ():
        if hasattr(method(name).options, "lora"):
            found.setdefault(name, {})["lora"] = lora
    for name, options in settings(given).items():
        method(name)
        found.setdefault(name, {}).update(options)
    return found


def _fail(error: Exception) -> typer.Exit:
    typer.echo(f"Error: {error}", err=True)
    return typer.Exit(1)
