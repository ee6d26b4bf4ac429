"""The guards by name: adding one is a function in a file of its own and a line here."""

from __future__ import annotations

from functools import cache
from typing import cast

from classifiers.lazily import imported
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
    return cast(Guard, imported(GUARDS[name]))
