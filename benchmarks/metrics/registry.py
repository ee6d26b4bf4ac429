"""Metrics by name. Adding one: write its file and put a line here."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from benchmarks.metrics.metric import Metric

METRICS: dict[str, str] = {
    "forget_rouge": "benchmarks.metrics.rouge:FORGET",
    "retain_rouge": "benchmarks.metrics.rouge:RETAIN",
}
"""Name -> "module:attribute"; loaded on first use."""


@cache
def metric(name: str) -> Metric:
    """The metric called ``name``.

    Raises:
        ValueError: there is none.
    """
    if name not in METRICS:
        raise ValueError(f"there is no metric {name!r}: choose from {', '.join(METRICS)}")
    module, _, attribute = METRICS[name].partition(":")
    return cast(Metric, getattr(import_module(module), attribute))
