"""The endpoints that are guarded, by name: adding one is a module and a line here."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from server.dialects.base import Dialect

DIALECTS: dict[str, str] = {
    "chat": "server.dialects.chat",
    "completions": "server.dialects.completions",
    "responses": "server.dialects.responses",
    "messages": "server.dialects.messages",
}
"""Name -> module; loaded on first use."""


@cache
def create_dialect(name: str) -> Dialect:
    """The endpoint called ``name``."""
    return cast(Dialect, import_module(DIALECTS[name]))
