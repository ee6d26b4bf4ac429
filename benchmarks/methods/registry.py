"""Methods by name. Adding one: write its file and put a line here."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from benchmarks.methods.method import Method

METHODS: dict[str, str] = {
    "npo": "benchmarks.methods.npo:METHOD",
}
"""Name -> "module:attribute"; loaded on first use."""


@cache
def method(name: str) -> Method:
    """The method called ``name``.

    Raises:
        ValueError: there is none.
    """
    if name not in METHODS:
        raise ValueError(f"there is no method {name!r}: choose from {', '.join(METHODS)}")
    module, _, attribute = METHODS[name].partition(":")
    return cast(Method, getattr(import_module(module), attribute))
