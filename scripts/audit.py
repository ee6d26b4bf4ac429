"""`make audit`: known faults of what is installed in a folder, and whether the advisory service knew it at all.

pip-audit ends with 0 where it finds no package at the service, which is also what a network that lets nobody out
looks like. Here that is a failure of its own: 0 is clean, 1 is a known fault, 2 is not looked at.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

OURS = "letheward"  # the service has nothing about it


def main(folder: str) -> int:
    """Print what is found about the packages in ``folder``."""
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--path", folder, "--format", "json", "--progress-spinner", "off"],
        capture_output=True, text=True,
    )  # fmt: skip
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        print(f"NOT AUDITED: the advisory service cannot be reached ({last[:300]})", file=sys.stderr)
        return 2
    others = [each for each in found if each["name"] != OURS]
    skipped = [each["name"] for each in others if "skip_reason" in each]
    faulty = [(each, fault) for each in others for fault in each.get("vulns", [])]
    for each, fault in faulty:
        mended = ", ".join(fault["fix_versions"]) or "no version yet"
        print(f"{each['name']} {each['version']}: {fault['id']}, mended in {mended}")
    if skipped:
        print(
            f"NOT AUDITED: {len(skipped)} of {len(others)} packages, {', '.join(skipped[:5])} ...: the advisory "
            "service does not know them, or cannot be reached",
            file=sys.stderr,
        )
    print(f"{len(others) - len(skipped)} packages looked up, {len(faulty)} known faults")
    return 1 if faulty else 2 if skipped or not others else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
