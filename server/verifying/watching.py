"""Verifies lists again when it is time, or when they or the model changed, and shows in metrics whether they hold.

Every process does this; the store sees to it that each run is begun by one of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from anyio.to_thread import run_sync
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from guard.model import By
from guard.store import StoreError
from guard.verification.kept import Schedule, Verification
from server.errors import ApiError
from server.verifying.alerts import Reason
from server.verifying.models import served
from server.verifying.options import VerifyOptions
from server.verifying.service import Verifying

log = structlog.get_logger("letheward.verifying")

TICK = 10.0  # seconds
_SOON = timedelta(seconds=15)  # after a change, so that several make one verification
BY_SCHEDULE = By("schedule", "system")


@dataclass(frozen=True, slots=True)
class Held:
    """A list as it was last verified. ``changed``: what has changed since, if anything."""

    holds: bool | None
    ended_at: datetime
    changed: Reason | None = None


@dataclass(slots=True)
class Watcher:
    """Looks at schedules and at what was verified, every ``tick`` seconds."""

    verifying: Verifying
    tick: float
    held: Mapping[str, Held] = field(default_factory=dict)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look on as long as the context lasts; what is under way ends with it."""
        task = asyncio.create_task(self._on())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.verifying.close()

    async def look(self) -> None:
        """Look once.

        Raises:
            StoreError: the store failed.
        """
        kept = self.verifying.kept
        await run_sync(kept.fail_quiet)
        last = await run_sync(kept.latest, "done")
        ended = await run_sync(kept.latest, "done", "failed", "cancelled")
        states: dict[str, str | None] = {}
        self.held = {
            name: Held(v.holds, v.ended_at or v.started_at, await self._changed(v, states)) for name, v in last.items()
        }
        under_way = await run_sync(kept.latest, "waiting", "running")
        for schedule in await run_sync(kept.schedules):
            if schedule.list_name not in under_way:
                await self._scheduled(schedule, ended.get(schedule.list_name), states)

    async def _on(self) -> None:
        while True:
            try:
                await self.look()
            except StoreError as error:
                log.warning("verifications_not_watched", error=str(error))
            except Exception as error:  # noqa: BLE001 - schedules are looked at as long as the server runs
                log.error("verifications_not_watched", error=type(error).__name__)
            await asyncio.sleep(self.tick)

    async def _scheduled(self, schedule: Schedule, last: Verification | None, states: dict[str, str | None]) -> None:
        kept, now = self.verifying.kept, datetime.now(UTC)
        if schedule.next_at <= now:
            if await run_sync(kept.claim, schedule, now + timedelta(seconds=schedule.every_seconds)):
                await self._begin(schedule, last, states)
        elif last is not None and schedule.settings.get("on_change") and schedule.next_at - now > _SOON:
            reason = await self._changed(last, states)
            if reason is not None and await run_sync(kept.claim, schedule, now + _SOON):
                await self.verifying.alerts.tell(reason, schedule.list_name, last.id)

    async def _begin(self, schedule: Schedule, last: Verification | None, states: dict[str, str | None]) -> None:
        try:
            options = VerifyOptions.model_validate(schedule.settings.get("options", {}))
            await self.verifying.start(schedule.list_name, options, BY_SCHEDULE)
        except (ApiError, ValueError) as error:
            log.warning("verification_not_begun", forget_list=schedule.list_name, error=str(error))
            state = await self._state(last, states) if last else None
            await self.verifying.not_begun(schedule.list_name, str(error), last, state)
            await self.verifying.alerts.tell("failed", schedule.list_name, last.id if last else "")

    async def _changed(self, last: Verification, states: dict[str, str | None]) -> Reason | None:
        """What has changed since a verification; a model server that does not answer has not changed."""
        if await run_sync(self.verifying.kept.changed_at, last.list_name) > last.revision:
            return "list_changed"
        state = await self._state(last, states)
        return "model_changed" if state is not None and state != last.progress.get("model_state") else None

    async def _state(self, last: Verification, states: dict[str, str | None]) -> str | None:
        """What the model of a verification is now; None where that is not known."""
        if last.model and last.model not in states:
            item = self.verifying.manager.current.lists.get(last.list_name)
            try:
                found = None if item is None else await served(self.verifying.proxy.upstream, last.model, item)
                states[last.model] = None if found is None else found.state
            except ApiError as error:
                states[last.model] = "gone" if error.status == 400 else None
        return states.get(last.model)


class HeldCollector(Collector):
    """Whether lists hold, as they were last verified by any process."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def collect(self) -> Iterator[Metric]:
        """The metrics now."""
        holds = GaugeMetricFamily(
            "letheward_verification_holds",
            "1 where the last verification of a list holds, and neither the list nor the model has changed since",
            labels=["list"],
        )
        age = GaugeMetricFamily(
            "letheward_verification_age_seconds", "Time since a list was last verified", labels=["list"]
        )
        for name, held in self._watcher.held.items():
            holds.add_metric([name], float(held.holds is True and held.changed is None))
            age.add_metric([name], time.time() - held.ended_at.timestamp())
        yield holds
        yield age
