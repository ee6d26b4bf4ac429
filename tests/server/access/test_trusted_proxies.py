"""Whether what says that it was forwarded for another address is believed: only of proxies that the settings name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from server.settings import Settings
from tests.announced import announced
from tests.server.conftest import Script, running, scripted


@pytest.mark.parametrize(
    ("trusted", "seen"), [(None, {401, 429}), ('["10.0.0.0/8"]', {401, 429}), ('["127.0.0.1"]', {401})]
)
def test_who_guesses_keys_has_one_address_whatever_it_says(
    script: Script, tmp_path: Path, trusted: str | None, seen: set[int]
) -> None:
    log = tmp_path / "serve.log"
    given = {"LETHEWARD_TRUSTED_PROXIES": trusted} if trusted else {}
    with running(scripted(script)) as upstream, log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "serve", "--upstream", upstream, "--port", "0",
             "--cache-dir", str(tmp_path)],
            env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]} | given, stdout=out, stderr=out,
        )  # fmt: skip
        try:
            url = announced(process, log)
            with httpx.Client(base_url=url, trust_env=False) as client:
                found = {
                    client.get(
                        "/admin/v1/lists",
                        headers={"Authorization": f"Bearer guess-{i}", "X-Forwarded-For": f"10.9.8.{i}"},
                    ).status_code
                    for i in range(30)
                }
        finally:
            process.kill()
            process.wait()
    assert found == seen


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValidationError, match="trusted_proxies"):
        Settings(trusted_proxies=["everyone"])
