"""`letheward serve --no-enforce`: nobody can take it for a guard."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from tests.server.conftest import Script, running, scripted


@pytest.mark.parametrize("way", ["option", "variable"])
def test_a_server_that_only_watches_says_so_loudly(script: Script, tmp_path: Path, way: str) -> None:
    option = ["--no-enforce"] if way == "option" else []
    variable = {} if way == "option" else {"LETHEWARD_ENFORCE": "false"}
    with running(scripted(script)) as upstream:
        server = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "serve", "--upstream", upstream, "--port", "0",
             "--cache-dir", str(tmp_path), *option],
            env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "LETHEWARD_METRICS_PUBLIC": "1", **variable},
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        timer = threading.Timer(60, server.kill)
        timer.start()
        try:
            assert server.stderr is not None
            lines: list[str] = []
            for line in server.stderr:
                lines.append(line)
                if "letheward check" in line:
                    break
            told = "".join(lines)
            assert "only WATCHES" in told
            assert "NOTHING IS ENFORCED" in told
            assert '"not_enforcing"' in told
            assert "guards the model" not in told
            url = next(word for word in told.split() if word.startswith("http://127.0.0.1:") and word.endswith("/v1"))
            with httpx.Client(base_url=url.removesuffix("/v1"), timeout=30) as client:
                assert client.get("/ready").json()["enforcing"] is False
                body = {"model": "m", "messages": [{"role": "user", "content": "What is the capital of France?"}]}
                answer = client.post("/v1/chat/completions", json=body)
                assert answer.headers["x-letheward-action"] == "monitor"
                assert script.last == body
                assert "letheward_enforcing 0.0" in client.get("/metrics").text
        finally:
            timer.cancel()
            server.terminate()
            server.wait(20)
            server.stderr.close()  # type: ignore[union-attr]
