"""Figures as text, the same in a page and in Markdown."""

from __future__ import annotations

import math

_TIMES = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def plain(value: float) -> str:
    """A figure with three places, or three digits where it is very large or small."""
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value and not 0.001 <= abs(value) < 1e9:
        return _signed(f"{value:.2e}")
    return _signed(f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}" if abs(value) < 10_000 else f"{value:,.0f}")


def error_of(stderr: float) -> str:
    """A standard error; "" where there is none."""
    return "" if not math.isfinite(stderr) else "<0.001" if 0 < stderr < 0.001 else plain(stderr)


def with_error(value: float, stderr: float) -> str:
    """A figure and its standard error, where it has one."""
    error = error_of(stderr)
    return f"{plain(value)} ± {error}" if error else plain(value)


def duration(seconds: float | None) -> str:
    """Seconds in the unit that suits."""
    if seconds is None or not math.isfinite(seconds):
        return "n/a"
    if seconds < 0:
        return "−" + duration(-seconds)
    for unit, name in _TIMES:
        if seconds >= unit * (2 if unit > 1 else 1):
            return f"{_digits(seconds / unit)} {name}"
    return "0 s" if seconds == 0 else f"{seconds:.1e} s"


def size(count: int | None) -> str:
    """Bytes in the unit that suits."""
    if count is None:
        return "n/a"
    number, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if number < 1024 or unit == "TiB":
            break
        number /= 1024
    return f"{_digits(number)} {unit}"


def counted(count: float | None) -> str:
    """A whole number in groups of three."""
    return "n/a" if count is None or not math.isfinite(count) else f"{count:,.0f}"


def times(ratio: float) -> str:
    """A ratio of two durations."""
    return "n/a" if not math.isfinite(ratio) else f"{counted(ratio) if ratio >= 10 else _digits(ratio)}×"


def _digits(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"


def _signed(text: str) -> str:
    return text.replace("-", "−", 1) if text.startswith("-") else text
