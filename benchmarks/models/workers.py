"""The processes of a run that `accelerate launch` started side by side; one process alone is the usual case."""

from __future__ import annotations

import os
from typing import Any


def first() -> bool:
    """Whether this process is the one that writes."""
    return _state().is_main_process if _several() else True


def together() -> None:
    """Wait for the others."""
    if _several():
        _state().wait_for_everyone()


def _several() -> bool:
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def _state() -> Any:
    from accelerate import PartialState

    return PartialState()
