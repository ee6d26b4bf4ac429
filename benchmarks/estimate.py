"""Figures with their uncertainty, and the machine that they come from."""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path

from classifiers.calibrate import Rate


class Proportion(Rate):
    """``hits`` out of ``n``, with Wilson's 95 % interval, as a report shows it."""

    @property
    def stderr(self) -> float:
        """The standard error of the proportion."""
        return math.sqrt(self.value * (1 - self.value) / self.n) if self.n else math.nan

    def told(self) -> str:
        """For people."""
        if not self.n:
            return "no items"
        return f"{self.value:8.2%}  ({self.hits}/{self.n}, 95 % {self.low:.2%} to {self.high:.2%})"

    def plain(self) -> dict[str, float | int]:
        """For JSON."""
        return {"value": self.value, "hits": self.hits, "n": self.n, "stderr": self.stderr, "low": self.low,
                "high": self.high}  # fmt: skip


def machine() -> str:
    """The processor and its number of usable cores."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].partition(":")[2].strip() if lines else name
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores, Python {platform.python_version()}"
