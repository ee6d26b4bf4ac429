"""Whether the figures of a record follow from its counts: for whoever was handed one and trusts nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from guard.verification.bounds import Rate

_OFF = 2e-6  # figures are rounded to six places
_FIGURES = ("rate", "lower", "upper")


def wrong_figures(record: Mapping[str, Any]) -> list[str]:
    """Where in a record a share or bound is not that of its counts.

    Raises:
        ValueError: it is no record.
    """
    try:
        confidence = float(record["method"]["confidence"])
        return list(_wrong(record, "record", confidence))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("it is no deletion record") from error


def _wrong(value: Any, where: str, confidence: float) -> Iterator[str]:
    if isinstance(value, Mapping) and {"k", "n", *_FIGURES} == set(value):
        rate = Rate(int(value["k"]), int(value["n"]), confidence)
        right = (rate.value, rate.lower, rate.upper)
        if any(abs(float(value[name]) - own) > _OFF for name, own in zip(_FIGURES, right, strict=True)):
            yield where
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield from _wrong(child, f"{where}.{key}", confidence)
    elif isinstance(value, list):
        for at, child in enumerate(value):
            yield from _wrong(child, f"{where}[{at}]", confidence)
