"""One target under atheris: `python tests/fuzz/atheris_run.py TARGET [options of libFuzzer]`. `make fuzz` runs all."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["classifiers", "guard", "server", "targets"]):
    from targets import SEEDS, TARGETS


def main() -> None:
    """Fuzz until an option of libFuzzer says to stop, or a fault is found."""
    target = TARGETS[sys.argv[1]]
    with tempfile.TemporaryDirectory() as corpus:
        for i, seed in enumerate(SEEDS):
            (Path(corpus) / str(i)).write_bytes(seed)
        atheris.Setup([sys.argv[0], *sys.argv[2:], corpus], target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
