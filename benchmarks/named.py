"""What a registry of the comparison holds under a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def named(registry: Mapping[str, str], name: str, kind: str) -> Any:
    """The entry called ``name`` of a registry of ``kind``, name -> "module:attribute".

    Raises:
        ValueError: there is none.
    """
    from classifiers.lazily import imported  # not before it is needed: `letheward --help` lists profiles alone

    if name not in registry:
        raise ValueError(f"there is no {kind} {name!r}: choose from {', '.join(registry)}")
    return imported(registry[name])
