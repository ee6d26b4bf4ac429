"""An event loop that stands still is noticed, and what held it up."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from server.lag import STALL, Cause, watch_loop


@dataclass
class Heard:
    lags: list[float] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)

    def lag(self, seconds: float) -> None:
        self.lags.append(seconds)

    def stalled(self, cause: Cause) -> None:
        self.causes.append(cause)


def _wait() -> None:
    time.sleep(0.5)


def _compute() -> None:
    until = time.thread_time() + 0.3
    while time.thread_time() < until:
        pass


async def _watched(work: Callable[[], None]) -> Heard:
    heard = Heard()
    watching = asyncio.create_task(watch_loop(heard))
    async with asyncio.timeout(60):
        while len(heard.lags) < 3:  # noqa: ASYNC110 - seen from outside
            await asyncio.sleep(0.01)
        before = len(heard.lags)
        work()
        while len(heard.lags) < before + 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    return heard


@pytest.mark.skipif(sys.platform != "linux", reason="what a thread does is told by Linux")
async def test_a_loop_that_waits_is_told_from_one_that_computes() -> None:
    with capture_logs() as logged:
        waited = await _watched(_wait)
        computed = await _watched(_compute)
    assert max(waited.lags) >= STALL
    assert "blocked" in waited.causes
    assert max(computed.lags) >= STALL
    assert {"computing", "processor"} & set(computed.causes)  # the latter where the machine is busy
    assert {line["event"] for line in logged} == {"event_loop_stalled"}
    assert {line["cause"] for line in logged} >= {"blocked"}
