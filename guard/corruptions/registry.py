"""Corruptions by name. Adding one: write the function and put a line into ``CORRUPTIONS``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from classifiers.lazily import imported

if TYPE_CHECKING:
    import torch

    from guard.corruptions.spec import CorruptionSpec

# Rows (tokens, dim), which of them to corrupt, how, and where chance comes from -> new rows. Pure: the input stays as
# it was, rows outside the mask come back bit-equal, and the same generator seed gives the same rows.
Function = Callable[
    ["torch.Tensor", Sequence[bool], "CorruptionSpec", "torch.Generator"],
    "torch.Tensor",
]


@dataclass(frozen=True, slots=True)
class Way:
    """A corruption, and what of a spec it reads.

    Attributes:
        where: "module:attribute" of the function.
        sigma: whether its strength is ``sigma``, so that this can be fitted.
        dims: whether it is confined to ``dims`` dimensions.
        random: whether another generator seed gives other rows.
    """

    where: str
    sigma: bool = False
    dims: bool = False
    random: bool = False

    @property
    def function(self) -> Function:
        """The function itself; imports torch."""
        found: Function = imported(self.where)
        return found


_NOISE, _VALUES, _ORDER = (f"guard.corruptions.{file}" for file in ("noise", "values", "order"))

CORRUPTIONS: dict[str, Way] = {
    "gaussian": Way(f"{_NOISE}:gaussian", sigma=True, random=True),
    "rand_noise_first_n": Way(f"{_NOISE}:rand_noise_first_n", sigma=True, dims=True, random=True),
    "rand_noise_rand_n": Way(f"{_NOISE}:rand_noise_rand_n", sigma=True, dims=True, random=True),
    "rand_noise_top_k": Way(f"{_NOISE}:rand_noise_top_k", sigma=True, dims=True, random=True),
    "set_rand_noise_first_n": Way(f"{_NOISE}:set_rand_noise_first_n", sigma=True, dims=True, random=True),
    "zero_out_first_n": Way(f"{_VALUES}:zero_out_first_n", dims=True),
    "zero_out_top_k": Way(f"{_VALUES}:zero_out_top_k", dims=True),
    "flip_sign_first_n": Way(f"{_VALUES}:flip_sign_first_n", dims=True),
    "flip_sign_top_k": Way(f"{_VALUES}:flip_sign_top_k", dims=True),
    "sub_value_first_n": Way(f"{_VALUES}:sub_value_first_n", sigma=True, dims=True),
    "sub_value_top_k": Way(f"{_VALUES}:sub_value_top_k", sigma=True, dims=True),
    "add_value_first_n": Way(f"{_VALUES}:add_value_first_n", sigma=True, dims=True),
    "add_value_least_k": Way(f"{_VALUES}:add_value_least_k", sigma=True, dims=True),
    "shuffle": Way(f"{_ORDER}:shuffle", random=True),
    "reverse": Way(f"{_ORDER}:reverse"),
}
