"""Where a `letheward serve` that a test started in a process of its own says that it can be reached."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path


def announced(process: subprocess.Popen[bytes], log: Path, seconds: float = 120) -> str:
    """The URL that it prints into ``log``, once it is there."""
    deadline = time.monotonic() + seconds
    while not (found := re.search(r"Point a client at +(\S+)/v1", log.read_text())):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    return found[1]
