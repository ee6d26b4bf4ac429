"""Registries name what they hold as "module:attribute", so that nothing is imported before it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def imported(where: str) -> Any:
    """The attribute of the module that "module:attribute" names.

    Raises:
        ImportError: there is no such module, or something that it needs is not installed.
        AttributeError: the module has no such attribute.
    """
    module, _, attribute = where.partition(":")
    return getattr(import_module(module), attribute)
