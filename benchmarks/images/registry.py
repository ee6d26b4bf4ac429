"""Methods for image generators by name. Adding one: write its file and put a line here."""

from __future__ import annotations

from functools import cache
from typing import cast

from benchmarks.images.method import Method
from benchmarks.named import named

METHODS: dict[str, str] = {
    "sfd": "benchmarks.images.sfd:METHOD",
    "sid": "benchmarks.images.sfd:DISTILLED",
    "remap": "benchmarks.images.remap:METHOD",
    "ga_diffusion": "benchmarks.images.ascent:METHOD",
    "retrain_diffusion": "benchmarks.images.retrain:DIFFUSION",
    "text_to_unlearn": "benchmarks.images.text_to_unlearn:METHOD",
    "retrain_gan": "benchmarks.images.retrain:GAN",
}
"""Name -> "module:attribute"; loaded on first use."""


@cache
def method(name: str) -> Method:
    """The method called ``name``.

    Raises:
        ValueError: there is none.
    """
    return cast(Method, named(METHODS, name, "method"))
