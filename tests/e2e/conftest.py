"""`letheward serve` with a real vLLM on the CPU and the embedded model, started once."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import openai
import pytest


@dataclass(frozen=True)
class Served:
    """A running `letheward serve`."""

    url: str
    admin_key: str
    cache: Path
    process: subprocess.Popen[bytes]

    @property
    def client(self) -> openai.OpenAI:
        headers = {"X-Letheward-Admin-Key": self.admin_key}
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key="any", default_headers=headers, max_retries=0)

    def admin(self, method: str, path: str, **options: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.admin_key}"}
        return httpx.request(method, f"{self.url}/admin/v1{path}", headers=headers, timeout=60, **options)  # type: ignore[arg-type]


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for a condition with a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.2)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("serve")
    cache = Path(os.environ.get("LETHEWARD_TEST_CACHE") or folder / "cache")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    output = folder / "serve.log"
    database = f"sqlite:///{folder}/lists.db"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "serve", "--port", str(port), "--cache-dir", str(cache),
             "--database-url", database],
            stdout=file, stderr=file,
        )  # fmt: skip

    def up() -> bool:
        assert process.poll() is None, output.read_text()[-4000:]
        return "Point a client at" in output.read_text()

    try:
        until(up, 600, "letheward serve is up")
        match = re.search(r"Admin key +(\S+)", output.read_text())
        assert match
        yield Served(f"http://127.0.0.1:{port}", match.group(1), cache, process)
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(60)
    assert status in (0, 130)
