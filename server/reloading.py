"""Settings that change while a server runs: taken over where they can be, named where they need a restart."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from server.config import BadConfig, Loaded
from server.settings import Settings

log = structlog.get_logger("letheward.reloading")

POLL = 2.0  # seconds
Stamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Hot:
    """Settings that can change. ``apply`` is called with all settings as they are then, on the event loop."""

    names: Collection[str]
    apply: Callable[[Settings], None]


class Reloading:
    """Reads the settings again on SIGHUP and whenever their file changes. What cannot be used leaves all as it is.

    ``valid`` is told whether the last settings that were read can be used.
    """

    def __init__(
        self,
        settings: Settings,
        load: Callable[[], Loaded],
        hot: Sequence[Hot],
        valid: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self.settings = settings  # in force
        self._load = load
        self._hot = tuple(hot)
        self._valid = valid
        self._wanted = asyncio.Event()

    def wake(self) -> None:
        """Read the settings again soon."""
        self._wanted.set()

    async def watch(self, every: float = POLL) -> None:
        """Do so until cancelled."""
        if threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.wake)
        seen = _stamp(self.settings.config)
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), every)
            stamp = _stamp(self.settings.config)
            if self._wanted.is_set() or stamp != seen:
                self._wanted.clear()
                seen = stamp
                await self.reload()

    async def reload(self) -> None:
        """Read the settings, and take over what has changed and can."""
        try:
            loaded = await asyncio.to_thread(self._load)
        except BadConfig as error:
            self._valid(False)
            log.error("config_refused", problems=[str(problem) for problem in error.problems])
            return
        self._valid(True)
        new = loaded.settings
        changed = {name for name in Settings.model_fields if getattr(new, name) != getattr(self.settings, name)}
        possible = changed & {name for hot in self._hot for name in hot.names}
        self.settings = self.settings.model_copy(update={name: getattr(new, name) for name in possible})
        for hot in self._hot:
            if not possible.isdisjoint(hot.names):
                hot.apply(self.settings)
        log.info("config_reloaded", changed=sorted(possible))
        if changed - possible:
            log.warning("config_needs_restart", settings=sorted(changed - possible))


def _stamp(path: Path | None) -> Stamp:
    """What changes with a file, also where it is a link that is pointed elsewhere."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
