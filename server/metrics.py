"""What an operator watches, as Prometheus reads it. Labels hold list names, never texts, entries or people."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from classifiers.types import DetectorError, TextTooLong
from guard.in_force import Snapshot
from guard.router import STRICTNESS
from server.access.admission import Why
from server.gathering import Gathering
from server.judging import Judgement, Snapshots
from server.lag import Cause
from server.scores import WINDOW, ScoreCollector

_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_CHARACTERS = (0, 4, 16, 32, 64, 128, 256, 512, 1024, 4096)
_ACTIONS = frozenset(STRICTNESS)


class Metrics:
    """The metrics of one application, in a registry of its own. Safe to use from many threads."""

    def __init__(
        self,
        snapshots: Snapshots,
        *,
        enforcing: bool = True,
        window: int = WINDOW,
        gathering: Gathering | None = None,
    ) -> None:
        self._snapshots = snapshots
        self._gathering = gathering
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "letheward_requests", "Requests, by path, action and status class",
            ["path", "action", "status"], registry=registry,
        )  # fmt: skip
        self._stages = Histogram(
            "letheward_detector_seconds", "Time that a stage of the detector took for one request",
            ["stage"], buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._prompts = Counter("letheward_prompts", "Requests that the detector judged", registry=registry)
        self._early = Counter(
            "letheward_prompts_before_encoder", "Requests of which no text needed the encoder", registry=registry
        )
        self._verdicts = Counter("letheward_verdicts", "Requests that a list flagged", ["list"], registry=registry)
        self._would_act = Counter(
            "letheward_would_act", "What was not done because it was only to be watched",
            ["list", "would_be"], registry=registry,
        )  # fmt: skip
        self._failures = Counter(
            "letheward_detector_failures", "Requests that the detector could not judge", ["kind"], registry=registry
        )
        self._answer_hits = Counter(
            "letheward_answer_hits", "Answers that would have told what a list wants forgotten, and what came of them",
            ["list", "kind", "outcome"], registry=registry,
        )  # fmt: skip
        self._held = Histogram(
            "letheward_answer_held_characters", "Most characters of an answer that were held back at one time",
            buckets=_CHARACTERS, registry=registry,
        )  # fmt: skip
        self._decisions = Counter(
            "letheward_decisions", "What was decided for a list, and what told that a request or answer is about it",
            ["list", "action", "stage"], registry=registry,
        )  # fmt: skip
        self._phases = Histogram(
            "letheward_phase_seconds",
            "Time of a request's phases; upstream: until the first byte; watch: the longest that a text was held back",
            ["phase"], buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._in_flight = Gauge("letheward_requests_in_flight", "Requests that are being answered", registry=registry)
        self._waiting = Gauge(
            "letheward_judging_waiting", "Requests that wait for a thread of the detector", registry=registry
        )
        self._running = Gauge("letheward_judging_running", "Requests that the detector is judging", registry=registry)
        self._turned_away = Counter(
            "letheward_turned_away", "Requests answered 429 because as many were open, or waiting, as are taken on",
            ["why"], registry=registry,
        )  # fmt: skip
        self._lag = Histogram(
            "letheward_event_loop_lag_seconds", "How late the event loop came to what was due, looked at all the time",
            buckets=_LAGS, registry=registry,
        )  # fmt: skip
        self._stalls = Counter(
            "letheward_event_loop_stalls", "Times that the event loop stood still for 50 ms or more, by what it did",
            ["cause"], registry=registry,
        )  # fmt: skip
        if gathering is None:
            Gauge("letheward_processes", "Processes whose numbers these are", registry=registry).set(1)
        self._config_valid = Gauge(
            "letheward_config_valid", "0 where the settings were changed to some that cannot be used", registry=registry
        )
        self._config_valid.set(1)
        Gauge("letheward_enforcing", "0 where everything passes and is only watched", registry=registry).set(enforcing)
        self._lists = _Lists(snapshots)
        self._scores = ScoreCollector(window)
        registry.register(self._lists)
        registry.register(self._scores)

    def add(self, collector: Collector) -> None:
        """Show what another part counts."""
        self._registry.register(collector)

    def queue(self, waiting: Callable[[], float], running: Callable[[], float]) -> None:
        """Where the depth of the detector's queue is read."""
        self._waiting.set_function(waiting)
        self._running.set_function(running)

    def phase(self, name: str, seconds: float) -> None:
        """Note how long a phase of a request took."""
        self._phases.labels(name).observe(seconds)

    def decided(self, list_name: str, action: str, stage: str) -> None:
        """Count what is done for a list. ``stage``: what told that a text is about it."""
        self._decisions.labels(list_name, action, stage).inc()

    def turned_away(self, why: Why) -> None:
        """Count a request that was not taken on."""
        self._turned_away.labels(why).inc()

    def lag(self, seconds: float) -> None:
        """Note how late the event loop was."""
        self._lag.observe(seconds)

    def stalled(self, cause: Cause) -> None:
        """Count a stall of the event loop."""
        self._stalls.labels(cause).inc()

    def in_flight(self, more: int) -> None:
        """Note that a request came (1) or went (-1)."""
        self._in_flight.inc(more)

    def config_valid(self, valid: bool) -> None:
        """Note whether the settings that were read last can be used."""
        self._config_valid.set(valid)

    def judged(self, snapshot: Snapshot, judgement: Judgement) -> None:
        """Count a request that was judged."""
        self._prompts.inc()
        if judgement.early:
            self._early.inc()
        for stage, ms in judgement.ms.items():
            self._stages.labels(stage).observe(ms / 1000)
        for name in judgement.flagged:
            self._verdicts.labels(name).inc()
        if snapshot is self._snapshots.current:  # one that has just gone out of force must not come back here
            self._scores.note(snapshot, judgement)

    def failed(self, error: DetectorError) -> None:
        """Count a request that could not be judged, by the kind of its cause."""
        kind = "too_long" if isinstance(error, TextTooLong) else type(error.__cause__ or error).__name__
        self._failures.labels(kind).inc()

    def would_act(self, list_name: str, would_be: str) -> None:
        """Count what was not done."""
        self._would_act.labels(list_name, would_be).inc()

    def answer_hit(self, list_name: str, kind: str, outcome: str) -> None:
        """Count an answer that was stopped: asked for "again", "said" in other words, or "cut" off."""
        self._answer_hits.labels(list_name, kind, outcome).inc()

    def held(self, characters: int) -> None:
        """Note the most characters that an answer's watch held back."""
        self._held.observe(characters)

    def answered(self, path: str, action: str, status: int) -> None:
        """Count a request of any kind."""
        self._requests.labels(path, action if action in _ACTIONS else "none", f"{status // 100}xx").inc()
        self._lists.look()

    def render(self) -> bytes:
        """Everything in Prometheus' text format. Not quick: call it off the event loop."""
        self.meet()
        if self._gathering is None:
            return generate_latest(self._registry)
        return self._gathering.render(self._registry)

    def keep(self) -> None:
        """Put this worker's numbers where the others find them. Blocking."""
        if self._gathering is not None:
            self.meet()
            self._gathering.keep(self._registry)

    def close(self) -> None:
        """Leave this worker's numbers to the others. Blocking."""
        if self._gathering is not None:
            self.keep()
            self._gathering.close()

    def meet(self) -> None:
        """Take note of the lists in force."""
        self._scores.meet(self._snapshots.current)


class _Lists(Collector):
    """The forget lists in force."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._seen = (snapshots.current.revision, time.time())
        self._counted: tuple[Snapshot | None, Tally[str]] = (None, Tally())

    def look(self) -> None:
        """Note the time where the lists have changed."""
        revision = self._snapshots.current.revision
        if revision != self._seen[0]:
            self._seen = (revision, time.time())

    def collect(self) -> Iterator[Metric]:
        """The metrics now."""
        self.look()
        snapshot = self._snapshots.current
        if self._counted[0] is not snapshot:
            self._counted = (snapshot, Tally(name for name, _ in snapshot.entries))
        entries = GaugeMetricFamily("letheward_entries", "Entries, by list", labels=["list"])
        for name in snapshot.lists:
            entries.add_metric([name], self._counted[1][name])
        yield entries
        enabled = sum(item.enabled for item in snapshot.lists.values())
        lists = GaugeMetricFamily("letheward_lists", "Forget lists, by whether they are on", labels=["state"])
        lists.add_metric(["on"], enabled)
        lists.add_metric(["off"], len(snapshot.lists) - enabled)
        yield lists
        yield GaugeMetricFamily("letheward_revision", "Revision of the lists in force", value=snapshot.revision)
        yield GaugeMetricFamily(
            "letheward_lists_stale",
            "1 where a stored change is not in force, and requests are refused",
            value=float(self._snapshots.stale),
        )
        yield GaugeMetricFamily(
            "letheward_lists_changed_timestamp_seconds",
            "When the lists last changed, or were loaded",
            value=self._seen[1],
        )


class CountRequests:
    """Counts what the application answers, by the route and not by what clients make up."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, and count a response when it begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False
        self._metrics.in_flight(1)

        async def counted(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                action = dict(message.get("headers", ())).get(b"x-letheward-action", b"").decode("latin-1")
                self._metrics.answered(_route(scope), action, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, counted)
        except Exception:
            if not begun:
                self._metrics.answered(_route(scope), "", 500)
            raise
        finally:
            self._metrics.in_flight(-1)


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "other"))
