"""The guards by name: adding one is a function in a file of its own and a line here."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from guard.effects import Guard

GUARDS: dict[str, str] = {
    "eco": "guard.eco:guard",
    "dragon": "guard.dragon:guard",
    "icul": "guard.icul:guard",
    "template": "guard.template:guard",
    "refuse": "guard.refuse:guard",
}
"""Name (a list's policy) -> "module:attribute"; loaded on first use."""


@cache
def create_guard(name: str) -> Guard:
    """The guard called ``name``.

    Raises:
        ValueError: there is none.
    """
    if name not in GUARDS:
        raise ValueError(f"there is no guard {name!r}: choose one of {', '.join(GUARDS)}")
    module, _, attribute = GUARDS[name].partition(":")
    return cast(Guard, getattr(import_module(module), attribute))
