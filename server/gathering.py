"""The metrics of several workers as one: each keeps its own in a file, and whichever is asked adds them up.

A worker holds a lock for as long as it lives, so that the others know. The counts of one that is gone stay in the sums,
or they would fall and Prometheus take that for a new beginning; its gauges do not.
"""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_GONE = "gone.json"
_SUMMED = frozenset({"counter", "histogram", "summary"})
_TOGETHER: Mapping[str, Callable[[Iterable[float]], float]] = {
    "letheward_enforcing": min,
    "letheward_config_valid": min,
    "letheward_revision": min,
    "letheward_upstream_up": min,
    "letheward_verification_holds": min,
    "letheward_upstream_in_flight": sum,
    "letheward_requests_in_flight": sum,
    "letheward_judging_waiting": sum,
    "letheward_judging_running": sum,
    "letheward_score_window_prompts": sum,
}  # of other gauges the highest counts

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Family:
    """One metric of one worker. ``samples``: by name and labels."""

    kind: str
    help: str
    samples: Mapping[tuple[str, Labels], float]


Families = Mapping[str, _Family]


class Gathering:
    """One worker's place in ``folder``, which all workers of a server share and nobody else writes to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = secrets.token_hex(8)
        self._alive: IO[bytes] = (folder / f"{self._name}.alive").open("wb")
        fcntl.flock(self._alive, fcntl.LOCK_EX)

    def close(self) -> None:
        """This worker is going; what was kept last stays."""
        self._alive.close()

    def keep(self, registry: CollectorRegistry) -> None:
        """Write down this worker's numbers, and put together those of workers that are gone. Blocking."""
        _write(self._folder / f"{self._name}.json", _read_registry(registry))
        with self._locked(fcntl.LOCK_EX):
            gone = [name for name in self._others() if not self._lives(name)]
            if gone:
                counts = [_counts(_load(self._folder / f"{name}.json")) for name in gone]
                _write(self._folder / _GONE, _sum([_load(self._folder / _GONE), *counts]))
                for name in gone:
                    (self._folder / f"{name}.json").unlink(missing_ok=True)
                    (self._folder / f"{name}.alive").unlink(missing_ok=True)

    def render(self, registry: CollectorRegistry) -> bytes:
        """Everything in Prometheus' text format: this worker's numbers now, the others' as they last kept them."""
        own = _read_registry(registry)
        with self._locked(fcntl.LOCK_SH):
            others = self._others()
            living = [_load(self._folder / f"{name}.json") for name in others if self._lives(name)]
            gone = [_counts(_load(self._folder / f"{name}.json")) for name in others if not self._lives(name)]
            gone.append(_load(self._folder / _GONE))
        whole = CollectorRegistry()
        whole.register(_Sum(_sum([own, *living, *gone]), len(living) + 1))
        return generate_latest(whole)

    def _others(self) -> list[str]:
        return sorted(path.stem for path in self._folder.glob("*.alive") if path.stem != self._name)

    def _lives(self, name: str) -> bool:
        try:
            with (self._folder / f"{name}.alive").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        with (self._folder / "lock").open("ab") as file:
            fcntl.flock(file, how)
            yield


class _Sum(Collector):
    """What came of adding up."""

    def __init__(self, families: Families, workers: int) -> None:
        self._families = families
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        """The metrics now."""
        yield GaugeMetricFamily("letheward_processes", "Processes whose numbers these are", value=self._workers)
        for name, family in self._families.items():
            metric = Metric(name, family.help, family.kind)
            for (sample, labels), value in family.samples.items():
                metric.add_sample(sample, dict(labels), value)
            yield metric


def _read_registry(registry: CollectorRegistry) -> Families:
    found: dict[str, _Family] = {}
    for metric in registry.collect():
        samples = {
            (s.name, tuple(sorted(s.labels.items()))): float(s.value)
            for s in metric.samples
            if s.value == s.value and not (metric.type in _SUMMED and s.name.endswith("_created"))  # no use for a sum
        }
        found[metric.name] = _Family(metric.type, metric.documentation, samples)
    return found


def _counts(families: Families) -> Families:
    return {name: family for name, family in families.items() if family.kind in _SUMMED}


def _sum(several: Sequence[Families]) -> Families:
    found: dict[str, _Family] = {}
    for name in dict.fromkeys(name for families in several for name in families):
        same = [families[name] for families in several if name in families]
        values: dict[tuple[str, Labels], list[float]] = {}
        for family in same:
            for key, value in family.samples.items():
                values.setdefault(key, []).append(value)
        together = sum if same[0].kind in _SUMMED else _TOGETHER.get(name, max)
        found[name] = _Family(same[0].kind, same[0].help, {key: float(together(v)) for key, v in values.items()})
    return found


def _write(path: Path, families: Families) -> None:
    """Whole or not at all."""
    plain = {
        name: [f.kind, f.help, [[sample, list(labels), value] for (sample, labels), value in f.samples.items()]]
        for name, f in families.items()
    }
    made = path.with_suffix(".new")
    made.write_bytes(orjson.dumps(plain))
    made.replace(path)


def _load(path: Path) -> Families:
    try:
        plain = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    return {
        name: _Family(kind, told, {(s, tuple((k, v) for k, v in labels)): value for s, labels, value in samples})
        for name, (kind, told, samples) in plain.items()
    }
