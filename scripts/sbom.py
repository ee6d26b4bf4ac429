"""`make sbom`: what an environment holds as CycloneDX JSON, with the version of letheward itself.

The version is not in pyproject.toml, where cyclonedx-bom would read it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def main(python: str, out: str) -> None:
    """Write the parts of the environment of ``python`` to ``out``."""
    subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", "environment", "--pyproject", "pyproject.toml", "--output-reproducible",
         "--output-format", "JSON", "--output-file", out, python],
        check=True,
    )  # fmt: skip
    asked = "from importlib.metadata import version; print(version('letheward'))"
    version = subprocess.run([python, "-I", "-c", asked], check=True, capture_output=True, text=True).stdout.strip()
    told = json.loads(Path(out).read_text())
    told["metadata"]["component"] |= {"version": version, "purl": f"pkg:pypi/letheward@{version}"}
    Path(out).write_text(json.dumps(told, indent=2) + "\n")
    print(f"{out}: letheward {version} and {len(told['components'])} parts")


if __name__ == "__main__":
    main(*sys.argv[1:])
