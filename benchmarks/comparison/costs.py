"""What a stage takes: time, memory, energy, counted over starts where it was broken off in between."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.comparison.outcome import Cost
from benchmarks.models.meter import Meter

_RAPL = Path("/sys/class/powercap/intel-rapl:0/energy_uj")


@dataclass
class Spending(Meter):
    """Counts what a stage spends; ``file`` keeps it while the stage is under way.

    What was computed after the last checkpoint of a run that was killed was spent too, and is counted.
    """

    file: Path | None = None
    seconds: float = 0.0  # of starts before this
    device: float = 0.0
    peak: int = 0
    joules: float | None = 0.0
    _began: tuple[float, float, float | None] = field(default=(0.0, 0.0, None))
    _noted: float = 0.0

    def __post_init__(self) -> None:
        if self.file is not None and self.file.is_file():
            before = json.loads(self.file.read_text())
            self.seconds, self.device, self.peak = before["seconds"], before["device"], before["peak"]
            self.joules = before["joules"]
        self._began = _now()
        _forget_peak()

    def read(self, tokens: int) -> None:
        """Count ``tokens``; notes from time to time what was spent."""
        Meter.read(self, tokens)
        if time.monotonic() - self._noted > 5:
            self.note()

    def note(self) -> None:
        """Write down what was spent so far."""
        self._noted = time.monotonic()
        if self.file is None:
            return
        cost = self.cost()
        self.file.parent.mkdir(parents=True, exist_ok=True)
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps({"seconds": cost.seconds, "device": cost.device_seconds, "peak": cost.peak_bytes,
                                    "joules": cost.joules}))  # fmt: skip
        os.replace(part, self.file)

    def cost(self) -> Cost:
        """What was spent so far."""
        wall, device, joules = _now()
        began_wall, began_device, began_joules = self._began
        spent = None
        if joules is not None and began_joules is not None and self.joules is not None:
            spent = self.joules + max(0.0, joules - began_joules)  # a counter may have run over its end
        return Cost(
            self.seconds + wall - began_wall, self.device + device - began_device, max(self.peak, _peak()),
            self.tokens, joules=spent,
        )  # fmt: skip


@contextmanager
def spending(title: str, file: Path | None, *, shown: bool = True) -> Iterator[Spending]:
    """Counts what happens inside; noted at the end too."""
    spent = Spending(title, shown, file=file)
    try:
        yield spent
    finally:
        spent.note()


def size(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _now() -> tuple[float, float, float | None]:
    wall = time.monotonic()
    return wall, _device_clock(wall), _energy()


def _device_clock(wall: float) -> float:
    """Seconds of the processor's cores; where there is an accelerator, it is taken as busy all the time."""
    import torch

    return wall * torch.cuda.device_count() if torch.cuda.is_available() else time.process_time()


def _energy() -> float | None:
    try:
        return int(_RAPL.read_text()) / 1e6
    except (OSError, ValueError):
        return _gpu_energy()


def _gpu_energy() -> float | None:
    try:
        import pynvml

        pynvml.nvmlInit()
        count = pynvml.nvmlDeviceGetCount()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(count)]
        return sum(pynvml.nvmlDeviceGetTotalEnergyConsumption(h) for h in handles) / 1000 if count else None
    except Exception:  # noqa: BLE001 - whatever the driver lacks, energy is then not told
        return None


def _forget_peak() -> None:
    """Begin a new peak of memory, where the system lets one."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        return
    gc.collect()
    if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)  # else what a stage before this one freed counts as this one's
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak() -> int:
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)
