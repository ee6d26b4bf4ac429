"""`letheward bench images`: which methods make an image generator forget a digit, and at what cost to the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.named import settings


def images(
    methods: Annotated[str, typer.Option(help="Names, parted by commas, or 'all'.")] = "all",
    forget: Annotated[int, typer.Option(min=0, max=9, help="The digit to forget.")] = 3,
    seed: Annotated[int, typer.Option(help="Of order and chance.")] = 0,
    samples: Annotated[int, typer.Option(min=10, help="Of each class, to measure.")] = 200,
    set_: Annotated[list[str] | None, typer.Option("--set", help="METHOD.OPTION=VALUE; repeat.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Of the processor; for nets this small one is the fastest.")] = 1,
    out: Annotated[Path, typer.Option("--out", help="Where generators and results are kept.")] = Path(
        "build/bench/images"
    ),
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Make a diffusion model and a GAN of handwritten digits forget one; goes on where it was broken off."""
    from benchmarks.images.registry import METHODS

    names = list(METHODS) if methods == "all" else [name.strip() for name in methods.split(",") if name.strip()]
    try:
        import torch

        from benchmarks.images.bench import compared, table

        options = settings(set_ or [])
        for name in options:
            if name not in names:
                raise ValueError(f"--set {name}: the method does not run; it is not among {', '.join(names)}")
        torch.set_num_threads(threads)
        found = compared(names, forget, seed, samples, out, options, shown=not quiet)
    except (ValueError, ImportError, OSError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(json.dumps(found, indent=2) if as_json else table(found))
