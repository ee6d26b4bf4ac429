"""What a registry of the comparison holds under a name, and the options that a command line gives it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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


def settings(given: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Options by method, of texts METHOD.OPTION=VALUE; a value is JSON, or else the text itself.

    Raises:
        ValueError: a text is not of this form.
    """
    found: dict[str, dict[str, Any]] = {}
    for text in given:
        place, equals, value = text.partition("=")
        name, dot, option = place.partition(".")
        if not (equals and dot):
            raise ValueError(f"--set {text}: write METHOD.OPTION=VALUE")
        found.setdefault(name, {})[option] = value_of(value)
    return found


def value_of(text: str) -> Any:
    """What a command line means: JSON, or else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
