"""Whether a run holds what is promised, point by point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.soak.outcome import Outcome
from benchmarks.soak.result import Result
from benchmarks.soak.sampling import Sample
from benchmarks.soak.trend import Trend, trend

STALL = 50  # ms
GROWTH = 0.02  # of memory and of open files in an hour
_SHORTEST = 300.0  # seconds after the warm-up from which growth can be told


@dataclass(frozen=True, slots=True)
class Check:
    """One point. ``holds``: None where the run is too short to say."""

    name: str
    holds: bool | None
    told: str


def checks(result: Result) -> list[Check]:
    """All of them."""
    return [
        _none(result, "no fact told", "leak"),
        _none(result, "no answer cut", "cut"),
        _none(result, "every answer well formed, and the model's own words", "ill formed", "altered"),
        _none(result, "judged and refused as it should be", "not guarded", "not refused", "wrong status"),
        _none(result, "turned away in OpenAI's form, with Retry-After", "not busy in form"),
        _changes(result),
        *_growth(result),
        _stalls(result),
        _drained(result),
        Check("nothing in the log that must not be", not result.logged.bad, _listed(result.logged.bad) or "nothing"),
        _same_processes(result),
    ]


def growth(samples: Sequence[Sample]) -> Iterator[tuple[str, str, Trend]]:
    """By process: of its memory (MiB) and of its open files, in an hour."""
    for name in dict.fromkeys(name for s in samples for name in s.processes):
        held = [(s.at, s.processes[name]) for s in samples if name in s.processes]
        for what in ("rss", "files"):
            found = trend([at for at, _ in held], [getattr(each, what) for _, each in held])
            if found is not None:
                yield name, what, found


def _none(result: Result, name: str, *bad: Outcome) -> Check:
    counts = {outcome: result.seen.of(outcome) for outcome in bad}
    told = f"{_listed({k: v for k, v in counts.items() if v}) or 'none'} of {result.seen.total:,} requests"
    return Check(name, not any(counts.values()), told)


def _changes(result: Result) -> Check:
    churned = result.churned
    told = f"{churned.changes} changes; {_listed(churned.effects) or 'none looked at'}"
    if churned.refused:
        told += f"; refused: {_listed(churned.refused)}"
    return Check("every change in force for the next question", not churned.wrong and not churned.refused, told)


def _growth(result: Result) -> Iterator[Check]:
    steady = result.steady
    enough = bool(steady) and steady[-1].at - steady[0].at >= _SHORTEST
    memory = [(process, t) for process, what, t in growth(steady) if what == "rss" and process.startswith("proxy")]
    files = _files_together(steady)  # of one worker they grow where the other's streams happen to end first
    for own, name, unit in ((memory, "memory is flat", "MiB"), (files, "open files are flat", "files")):
        told = "; ".join(f"{p}: {t.mean:.0f} {unit}, {t.slope:+.1f} ± {t.stderr:.1f} an hour" for p, t in own)
        holds = all(t.flat(GROWTH) for _, t in own) if enough and own else None
        yield Check(name, holds, told or "too few samples")


def _files_together(samples: Sequence[Sample]) -> list[tuple[str, Trend]]:
    workers = [{n: held for n, held in s.processes.items() if n.startswith("proxy")} for s in samples]
    most = max(map(len, workers), default=0)
    whole = [
        (s.at, sum(h.files for h in own.values())) for s, own in zip(samples, workers, strict=True) if len(own) == most
    ]
    found = trend([at for at, _ in whole], [files for _, files in whole])
    return [("all workers", found)] if found is not None else []


def _stalls(result: Result) -> Check:
    """Those for want of a processor are the machine's, which the clients and the model server share."""
    counts = [s.stalls for s in result.samples if s.lag]  # those at which somebody answered
    first, last = (counts[0], counts[-1]) if counts else ({}, {})
    counted = {cause: int(count - first.get(cause, 0)) for cause, count in last.items() if count > first.get(cause, 0)}
    own = sum(count for cause, count in counted.items() if cause != "processor")
    told = _listed(counted) or "none"
    longest = sorted((s for s in result.logged.stalls if s.at > result.began), key=lambda s: -s.ms)[:3]
    if longest:
        told += "; longest: " + ", ".join(f"{s.ms} ms ({s.cause}, at {s.at - result.began:.0f} s)" for s in longest)
    return Check(f"no event loop stands still for {STALL} ms by its own doing", not own, told)


def _drained(result: Result) -> Check:
    ended = result.ended
    told = f"{ended.open} streams were open at SIGTERM; ended after {ended.seconds:.0f} s with status {ended.status}"
    return Check("ends on SIGTERM when what is under way is answered", ended.status == 0, told)


def _same_processes(result: Result) -> Check:
    seen = Counter(name for s in result.samples for name in s.processes if name.startswith("proxy"))
    return Check("no worker died", len(seen) == result.spec.workers, ", ".join(seen) or "none seen")


def _listed(counts: object) -> str:
    return ", ".join(f"{k} {v}" for k, v in sorted(dict(counts).items()))  # type: ignore[call-overload]
