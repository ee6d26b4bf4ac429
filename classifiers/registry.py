"""Encoders by name. Adding one: write the class and put a line here."""

from __future__ import annotations

from importlib import import_module

from classifiers.types import Encoder

ENCODERS: dict[str, str] = {
    "minilm-int8": "classifiers.encoder:MiniLmInt8",
    "minilm": "classifiers.encoder:MiniLm",
}


def create_encoder(name: str, *, threads: int = 1) -> Encoder:
    """The encoder called ``name``; ``threads`` for one batch.

    Raises:
        ValueError: no such encoder.
        RuntimeError: its packages are not installed; the message names the extra.
    """
    if name not in ENCODERS:
        raise ValueError(f"unknown encoder {name!r}; there are {', '.join(sorted(ENCODERS))}")
    module, _, attribute = ENCODERS[name].partition(":")
    encoder: Encoder = getattr(import_module(module), attribute)(threads=threads)
    return encoder
