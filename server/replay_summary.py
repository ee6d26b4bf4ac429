"""What a replay comes to: how many requests a change of a list would flag, and how sure that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from classifiers.calibrate import Rate

Result = dict[str, Any]  # of one request: index, before, after; or index, error


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """Over the requests that could be judged; shares with Wilson's 95 % interval."""
    judged = [r for r in results if "error" not in r]
    names = sorted({name for r in judged for side in ("before", "after") for name in r[side]["lists"]})
    return {
        "n": len(judged),
        "errors": len(results) - len(judged),
        **_compared(judged, lambda side: bool(side["lists"])),
        "actions": {side: dict(Counter(r[side]["action"] for r in judged)) for side in ("before", "after")},
        "lists": {name: _compared(judged, lambda side, name=name: name in side["lists"]) for name in names},
    }


def differs(result: Result) -> bool:
    """Whether the change makes another judgement of the request: other action, or other lists."""
    return "error" not in result and any(result["before"][k] != result["after"][k] for k in ("action", "lists"))


def _compared(judged: Sequence[Result], flagged: Callable[..., bool]) -> dict[str, Any]:
    before = [flagged(r["before"]) for r in judged]
    after = [flagged(r["after"]) for r in judged]
    return {
        "flagged_before": _rate(before),
        "flagged_after": _rate(after),
        "newly_flagged": _rate([new and not old for old, new in zip(before, after, strict=True)]),
        "no_longer_flagged": _rate([old and not new for old, new in zip(before, after, strict=True)]),
    }


def _rate(flags: Sequence[bool]) -> dict[str, Any]:
    rate = Rate.of(flags)
    share = None if rate.share is None else round(rate.share, 6)
    return {"hits": rate.hits, "n": rate.n, "share": share, "low": round(rate.low, 6), "high": round(rate.high, 6)}
