"""What goes through a model's modules, looked at or changed while it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.models.predicted import unwrapped

if TYPE_CHECKING:
    import torch


def layers(model: Any) -> Sequence[Any]:
    """The decoder's layers, with or without a LoRA around them."""
    found: Sequence[Any] = unwrapped(model).get_decoder().layers
    return found


@contextmanager
def inputs(modules: Sequence[Any]) -> Iterator[dict[int, torch.Tensor]]:
    """What each module was last given, by its place: (batch, tokens, dim), in the graph."""
    found: dict[int, torch.Tensor] = {}

    def keep(place: int) -> Callable[[Any, Any], None]:
        return lambda _, given: found.__setitem__(place, given[0])

    handles = [module.register_forward_pre_hook(keep(place)) for place, module in enumerate(modules)]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def outputs_changed(module: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[None]:
    """``module`` gives ``change(hidden)`` in place of ``hidden``, (batch, tokens, dim)."""

    def hook(_: Any, __: Any, out: Any) -> Any:
        return (change(out[0]), *out[1:]) if isinstance(out, tuple) else change(out)

    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def weight_added(module: Any, weight: torch.Tensor) -> Iterator[None]:
    """A linear ``module`` computes with ``weight`` (out, in) more than it has, which gets no gradient from it."""

    def hook(_: Any, given: tuple[torch.Tensor, ...], out: torch.Tensor) -> torch.Tensor:
        return out + given[0] @ weight.T

    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
