"""`letheward serve` as a process that can be broken, stopped, killed and started again on what it left."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

_STARTUP, _END = 180.0, 60.0


class NotUp(RuntimeError):
    """The service did not come up; the message is what it said."""


@dataclass(slots=True)
class Service:
    """A proxy before ``upstream``, its files in ``folder``; ``settings`` go before those that are usual here."""

    upstream: str
    inner_key: str
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    key: str = field(default_factory=lambda: f"lw-admin-{secrets.token_urlsafe(24)}")
    url: str = ""
    _process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> Path:
        """All that it ever said."""
        return self.folder / "serve.log"

    @property
    def pid(self) -> int:
        """Its process; with several workers the one that keeps them."""
        assert self._process is not None  # noqa: S101 - it was started
        return self._process.pid

    @property
    def children(self) -> list[int]:
        """Its workers, where there are several, and what keeps track of their shared memory."""
        return list(map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()))

    @property
    def database(self) -> Path:
        """The SQLite file, unless the settings name another store."""
        return self.folder / "letheward.db"

    async def start(self) -> None:
        """Start it, and wait until it serves.

        Raises:
            NotUp: it ended.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        own = {"admin_key": self.key, "workers": "1", "cache_dir": str(self.folder), "port": "0", "learning": "false",
               "upstream": self.upstream, "upstream_key": self.inner_key, "sample_list": "false", "read_timeout": "1.5",
               "connect_timeout": "1", "log_level": "info"} | dict(self.settings)  # fmt: skip
        environment = os.environ | {f"LETHEWARD_{name.upper()}": value for name, value in own.items()}
        said = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as file:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "server.cli", "serve", stdout=file, stderr=file,
                env=environment | dict(self.environment), start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + _STARTUP
        while True:
            told = self.log.read_bytes()[said:].decode(errors="replace")
            if found := re.search(r"Point a client at +(\S+)/v1", told):
                self.url = found[1]
                return
            if self._process.returncode is not None or time.monotonic() > deadline:
                raise NotUp(told)
            await asyncio.sleep(0.05)

    async def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, politely or not, and wait for that."""
        if self._process is None:
            return
        if self._process.returncode is None:
            children = self.children
            self._process.send_signal(how)
            if how is signal.SIGKILL:
                for child in children:
                    _killed(child)
        await asyncio.wait_for(self._process.wait(), _END)

    async def ended(self) -> int:
        """Wait until it ends by itself; the status."""
        assert self._process is not None  # noqa: S101
        return await self._process.wait()

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.returncode is None

    def client(self, timeout: float = 60.0) -> httpx.AsyncClient:
        """The admin, who is also a client."""
        return httpx.AsyncClient(
            base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=timeout, trust_env=False
        )


def _killed(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
