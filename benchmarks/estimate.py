"""Figures with their uncertainty, and the machine that they come from."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Proportion:
    """``hits`` out of ``n``, with Wilson's 95 % interval."""

    hits: int
    n: int
    low: float
    high: float

    @classmethod
    def of(cls, flags: Sequence[bool]) -> Proportion:
        """The proportion of true values."""
        n, hits = len(flags), sum(flags)
        if not n:
            return cls(0, 0, 0.0, 1.0)
        z, p = 1.959964, hits / n
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return cls(hits, n, max(0.0, middle - half), min(1.0, middle + half))

    @property
    def value(self) -> float:
        """The proportion itself, NaN for n = 0."""
        return self.hits / self.n if self.n else math.nan

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
