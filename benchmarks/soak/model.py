"""The scripted model server as a process that can be killed and started again."""

from __future__ import annotations

import asyncio
import sys
import time

_BETWEEN = (1.0, 2.0)  # seconds that it is away
_SETTLED = 5.0  # seconds after it is back for which it counts as away: the proxy may still leave it out


class Model:
    """Starts it, and knows when it was away."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._process: asyncio.subprocess.Process | None = None
        self._port = 0
        self._away_until = 0.0  # of ``time.monotonic``
        self.restarts: list[float] = []  # of the same

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """The process that is there now."""
        return self._process.pid if self._process else 0

    def disturbed(self, since: float) -> bool:
        """Whether it was away at any time since ``since``."""
        return since < self._away_until

    async def start(self) -> None:
        """Start it, and wait until it listens.

        Raises:
            RuntimeError: it does not.
        """
        command = [sys.executable, "-m", "benchmarks.soak.upstream", str(self._port), str(self._interval)]
        self._process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, start_new_session=True
        )
        told = await self._process.stdout.readline() if self._process.stdout else b""
        if not told.startswith(b"http"):
            raise RuntimeError("the scripted model server did not start")
        self._port = int(told.decode().rsplit(":", 1)[1])

    async def restart(self) -> None:
        """Kill it with all that it was telling, and start it again after a moment."""
        self._away_until = float("inf")
        self.restarts.append(time.monotonic())
        await self.stop()
        await asyncio.sleep(_BETWEEN[len(self.restarts) % len(_BETWEEN)])
        await self.start()
        self._away_until = time.monotonic() + _SETTLED

    async def stop(self) -> None:
        """Kill it."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
