"""`letheward serve` on SIGTERM: what is being answered is answered to its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.announced import announced
from tests.server.conftest import Script, running, scripted


@pytest.mark.parametrize("workers", [1, 2])
def test_a_running_answer_ends_before_the_server_does(script: Script, tmp_path: Path, workers: int) -> None:
    script.hold_stream, script.spaced = True, True
    script.text = "One two three four. Five six."
    log = tmp_path / "serve.log"
    with running(scripted(script)) as upstream, log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "serve", "--upstream", upstream, "--port", "0",
             "--workers", str(workers), "--cache-dir", str(tmp_path)],
            env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]}, stdout=out, stderr=out,
        )  # fmt: skip
        try:
            url = announced(process, log)
            lines: list[str] = []
            asking = threading.Thread(target=_ask, args=(url, lines))
            asking.start()
            assert script.started.wait(60)
            process.send_signal(signal.SIGTERM)
            _wait_until_closed(url)
            script.release.set()
            asking.join(60)
            assert process.wait(60) == 0
        finally:
            script.release.set()
            process.kill()
            process.wait()
    assert "data: [DONE]" in lines, lines
    assert not any("error" in line for line in lines)
    assert "Traceback" not in log.read_text()


def _ask(url: str, lines: list[str]) -> None:
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Who is it?"}]}
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=60) as response:
        lines.extend(response.iter_lines())


def _wait_until_closed(url: str) -> None:
    """Until it takes no new connection."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/health", timeout=1)
        except httpx.TransportError:
            return
        time.sleep(0.05)
