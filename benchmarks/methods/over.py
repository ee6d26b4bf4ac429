"""Methods that work over the loss of another: which they may be, and how that is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from benchmarks.methods.method import Method, Training
from benchmarks.methods.step import Step

if TYPE_CHECKING:
    import torch


def borrowed(step: Step, options: Any) -> torch.Tensor:
    """The loss of the method that ``options.over`` names, a scalar."""
    base, own = underlying(options.over, options)
    found: torch.Tensor = base.loss(step, own)
    return found


def underlying(name: str, options: Training, given: Mapping[str, Any] | None = None) -> tuple[Method, Any]:
    """The method called ``name`` and its options: its own, but for what ``options`` have in common with them.

    ``given``: its own settings, over both.

    Raises:
        ValueError: there is none, or it is more than a loss.
    """
    from benchmarks.methods.registry import method

    found = method(name)
    if found.loss is None:
        raise ValueError(f"{name} is more than a loss: choose grad_diff, npo, simnpo or another that is one")
    shared = {each.name for each in fields(Training)} & {each.name for each in fields(found.options)}
    return found, found.options(**{key: getattr(options, key) for key in shared} | dict(given or {}))
