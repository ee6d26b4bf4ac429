"""`letheward serve --workers N`, and what workers of one store know of each other.

The model server is scripted: these tests are about the proxy's processes.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from benchmarks.postgres import Cluster
from classifiers.types import Encoder
from guard.model import ForgetList
from guard.presence import Worker, clear_away, present, sign_off, sign_on
from guard.schema import WorkerRow
from guard.snapshot import SnapshotManager
from guard.store import Store
from server.workers import Workers
from tests.server.conftest import Script, running, scripted

KEY = "lw-admin-0123456789abcdef0123456789abcdef"
ADMIN = {"Authorization": f"Bearer {KEY}"}
FLAGGED = "Where was Zorvan Pelk born?"


def until(condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


@pytest.fixture
def two(store_url: str, encoder: Encoder) -> Iterator[list[Workers]]:
    managers = [SnapshotManager(Store.open(store_url), encoder) for _ in range(2)]
    workers = [Workers(m, beat=0.05) for m in managers]
    for each in workers:
        each.start()
    yield workers
    for each, manager in zip(workers, managers, strict=True):
        each.stop()
        manager.close()


def _manager(workers: Workers) -> SnapshotManager:
    return workers._manager


async def test_a_change_can_be_awaited_in_all_workers(two: list[Workers]) -> None:
    one, other = two
    assert set(one.ids()) == {one.me, other.me}
    _, revision = await asyncio.to_thread(_manager(one).change, lambda s: s.put_list(ForgetList("a")))
    assert await one.wait(revision, 60) == []
    assert "a" in _manager(other).current.lists
    until(lambda: one.revisions() == [revision, revision], "what the others have in force is not known")
    assert await one.wait(revision + 1, 0.1) == [one.me, other.me]


async def test_a_silent_worker_counts_until_it_is_signed_off(two: list[Workers]) -> None:
    one, other = two
    other._stop.set()
    other._due.set()
    other._following.stop()
    _, revision = await asyncio.to_thread(_manager(one).change, lambda s: s.put_list(ForgetList("a")))
    assert await one.wait(revision, 0.3) == [other.me]
    sign_off(_manager(one).store, [other.me])
    assert await one.wait(revision, 60) == []


def test_workers_that_ended_before_the_clock_was_set_back_are_cleared_away_and_others_stay(store_url: str) -> None:
    store = Store.open(store_url)
    now = datetime.now(UTC)
    for name in ("gone", "here"):
        sign_on(store, Worker(name, "host", 1, now), 1)
    with store.writing() as session:
        session.execute(update(WorkerRow).values(seen_at=now + timedelta(days=400)))
    ahead = clear_away(store)
    assert {each.worker.id for each in present(store)} == {"gone", "here"}  # nobody knows yet which of them ended
    sign_on(store, Worker("here", "host", 1, now), 1)
    assert clear_away(store, ahead) == frozenset()
    assert [each.worker.id for each in present(store)] == ["here"]
    store.close()


@dataclass
class Serving:
    """A running `letheward serve`."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def admin(self, method: str, path: str, **options: Any) -> httpx.Response:
        return httpx.request(method, f"{self.url}/admin/v1{path}", headers=ADMIN, timeout=60, **options)

    def ask(self, content: str = FLAGGED) -> httpx.Response:
        body = {"model": "m", "messages": [{"role": "user", "content": content}]}
        return httpx.post(f"{self.url}/v1/chat/completions", json=body, timeout=60)

    def children(self) -> list[int]:
        return [int(worker["pid"]) for worker in self.admin("GET", "/workers").json()["workers"]]


@contextmanager
def serving(upstream: str, folder: Path, **settings: str) -> Iterator[Serving]:
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / "serve.log"
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "LETHEWARD_ADMIN_KEY": KEY,
                   "LETHEWARD_LEARNING": "false", "LETHEWARD_SCORER": "rule"}  # fmt: skip
    environment |= {f"LETHEWARD_{k.upper()}": v for k, v in settings.items()}
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "serve", "--upstream", upstream, "--port", "0", "--cache-dir",
             str(folder), "--no-sample-list"],
            env=environment, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    try:
        until(
            lambda: b"letheward check" in output.read_bytes() or process.poll() is not None, "it did not come up", 300
        )
        found = re.search(r"Point a client at +(\S+)/v1", output.read_text())
        assert found, output.read_text()
        yield Serving(found[1], process, output)
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def test_several_workers_serve_one_socket_and_are_replaced_when_they_die(script: Script, tmp_path: Path) -> None:
    with running(scripted(script)) as upstream, serving(upstream, tmp_path, workers="2") as served:
        first = served.children()
        assert len(set(first)) == 2
        assert served.process.pid not in first
        assert served.admin("PUT", "/lists/a", json={"policy": "refuse"}).status_code < 300
        entry = {"id": "zp", "subject": "Zorvan Pelk", "answer": "Karachi", "scope": "subject"}
        done = served.admin("POST", "/lists/a/entries?wait=all", json={"entries": [entry]})
        assert done.status_code == 201
        assert done.json()["in_force"] == {"workers": 2, "behind": []}
        assert {served.ask().headers["x-letheward-action"] for _ in range(20)} == {"refuse"}

        os.kill(first[0], signal.SIGKILL)
        until(lambda: len(now := served.children()) == 2 and first[0] not in now, "the dead worker was not replaced")
        assert {served.ask().headers["x-letheward-action"] for _ in range(20)} == {"refuse"}
        assert served.admin("DELETE", "/lists/a?wait=all").json()["in_force"]["behind"] == []
        assert {served.ask().headers["x-letheward-action"] for _ in range(20)} == {"pass"}
        ready = httpx.get(f"{served.url}/ready", timeout=60).json()
        assert (ready["status"], ready["store"], len(ready["workers"])) == ("ready", True, 2)

        last = served.children()
        served.process.terminate()
        assert served.process.wait(60) == 0
    for pid in last:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    store = Store.open(f"sqlite:///{tmp_path}/letheward.db")
    assert present(store) == []  # who comes next waits for none of them
    store.close()


def test_the_workers_end_with_their_parent_however_it_ends(script: Script, tmp_path: Path) -> None:
    with running(scripted(script)) as upstream, serving(upstream, tmp_path, workers="2") as served:
        pids = served.children()
        served.process.kill()
        until(lambda: not any(_alive(pid) for pid in pids), "workers outlived their parent")


def test_a_setting_that_is_wrong_ends_the_start(script: Script, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "server.cli", "serve", "--upstream", "http://127.0.0.1:9", "--port", "0", "--cache-dir",
         str(tmp_path), "--workers", "2"],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "LETHEWARD_SCORER": "trained:none"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "while it started" in done.stderr


def test_a_store_that_is_away_stops_changes_and_no_requests(script: Script, tmp_path: Path) -> None:
    cluster = Cluster(durable=False)
    try:
        with (
            running(scripted(script)) as upstream,
            serving(upstream, tmp_path / "one", database_url=cluster.url()) as one,
            serving(upstream, tmp_path / "two", database_url=cluster.url()) as other,
        ):
            one.admin("PUT", "/lists/a", json={"policy": "refuse"})
            entry = {"id": "zp", "subject": "Zorvan Pelk", "answer": "Karachi", "scope": "subject"}
            done = one.admin("POST", "/lists/a/entries?wait=all", json={"entries": [entry]})
            assert done.json()["in_force"] == {"workers": 2, "behind": []}
            assert other.ask().headers["x-letheward-action"] == "refuse"

            cluster.stop()
            until(lambda: not _ready(one)["store"] and not _ready(other)["store"], "nobody noticed")
            assert _ready(one)["status"] == "ready"
            for each in (one, other):
                assert each.ask().headers["x-letheward-action"] == "refuse"
                assert each.ask("hello").headers["x-letheward-action"] == "pass"
                refused = each.admin("DELETE", "/lists/a")
                assert refused.status_code == 503, refused.text
                assert refused.json()["error"]["message"]
            cluster.start()
            until(lambda: _ready(one)["store"] and _ready(other)["store"], "they did not come back")
            assert one.admin("DELETE", "/lists/a?wait=all").json()["in_force"]["behind"] == []
            assert other.ask().headers["x-letheward-action"] == "pass"
    finally:
        cluster.close()


def _ready(served: Serving) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{served.url}/ready", timeout=60).json()
    return found


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
