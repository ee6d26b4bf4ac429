"""A run for people, and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks.estimate import machine
from benchmarks.soak.result import Result
from benchmarks.soak.verdict import Check, checks, growth

_SAYS = {True: "holds", False: "FAILS", None: "too short"}


def shown(result: Result) -> Iterator[str]:
    """The summary, line by line."""
    spec, seen = result.spec, result.seen
    early = " (interrupted)" if result.interrupted else ""
    yield (
        f"{result.stopped_at / 60:.1f} minutes{early}, {spec.streams} streams, "
        f"a word every {spec.interval:g} s, {spec.words[0]} to {spec.words[1]} words; {spec.rate:g} other questions a "
        f"second; a change every {spec.churn:g} s; {len(result.restarts)} restarts of the model server; "
        f"{spec.workers} workers; seed {spec.seed}"
    )
    yield machine()
    yield f"{seen.total:,} requests, {seen.bytes / 1e6:,.0f} MB of answers; {_counts(seen.statuses)}"
    for kind in sorted({kind for kind, _ in seen.outcomes}):
        yield f"  {kind}: {_counts({came: n for (own, came), n in seen.outcomes.items() if own == kind})}"
    if seen.first:
        p50, p99 = np.percentile(seen.first, [50, 99])
        yield f"a stream begins after {p50:.2f} s at p50, {p99:.2f} s at p99"
    if result.churned.seconds:
        p50, p99 = np.percentile(result.churned.seconds, [50, 99])
        yield f"a change in force everywhere after {1000 * p50:.0f} ms at p50, {1000 * p99:.0f} ms at p99"
    yield f"cores busy: {', '.join(f'{name} {share:.2f}' for name, share in _busy(result).items())}"
    for check in checks(result):
        yield f"{_SAYS[check.holds]:>9}  {check.name}: {check.told}"
    for fault in seen.faults[:5]:
        yield f"  fault: {fault}"


def plain(result: Result) -> dict[str, Any]:
    """For JSON; curves by name, with one value for each sample."""
    names = sorted({name for s in result.samples for name in s.processes})
    return {
        "spec": asdict(result.spec) | {"machine": machine(), "interrupted": result.interrupted},
        "checks": [asdict(check) for check in checks(result)],
        "outcomes": {f"{kind}: {came}": n for (kind, came), n in sorted(result.seen.outcomes.items())},
        "statuses": dict(sorted(result.seen.statuses.items())),
        "faults": [asdict(fault) for fault in result.seen.faults],
        "changes": {"made": result.churned.changes, "refused": dict(result.churned.refused),
                    "seen": dict(result.churned.effects), "seconds": _quantiles(result.churned.seconds)},
        "stream_begins_s": _quantiles(result.seen.first),
        "growth_an_hour": {f"{name} {what}": {k: round(v, 3) for k, v in asdict(t).items()}
                           for name, what, t in growth(result.steady)},
        "cores_busy": _busy(result),
        "log": dict(result.logged.events),
        "longest_stalls": [{"at": round(s.at - result.began, 1), "ms": s.ms, "cause": s.cause, "stalls": s.stalls}
                           for s in sorted(result.logged.stalls, key=lambda s: -s.ms)[:20] if s.at > result.began],
        "restarts_s": [round(each, 1) for each in result.restarts],
        "ended": asdict(result.ended),
        "curves": {"at_s": [round(s.at, 1) for s in result.samples], "streams": [s.streams for s in result.samples],
                   "processes": {n: [_held(s.processes.get(n)) for s in result.samples] for n in names}},
    }  # fmt: skip


def failed(found: list[Check]) -> bool:
    """Whether some point does not hold."""
    return any(check.holds is False for check in found)


def _held(held: Any) -> list[float] | None:
    """Memory in MiB and open files."""
    return None if held is None else [round(held.rss, 1), held.files]


def _busy(result: Result) -> dict[str, float]:
    """Share of a core that each process took, after the warm-up."""
    steady = result.steady
    if len(steady) < 2:
        return {}
    first, last = steady[0], steady[-1]
    both = [name for name in first.processes if name in last.processes]
    took = {name: last.processes[name].cpu - first.processes[name].cpu for name in both}
    return {name: round(cpu / (last.at - first.at), 3) for name, cpu in took.items()}


def _quantiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    p50, p99 = np.percentile(values, [50, 99])
    return {"n": len(values), "p50": round(float(p50), 4), "p99": round(float(p99), 4), "most": round(max(values), 4)}


def _counts(counts: Any) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in sorted(counts.items(), key=lambda item: str(item[0])))
