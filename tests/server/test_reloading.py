"""Settings that change while a server runs."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from server.config import load_settings
from server.hot import hot_settings
from server.proxy import PROXY_HOT
from server.reloading import Hot, Reloading
from server.settings import Settings


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.startswith("LETHEWARD_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "letheward.toml"
    _write(path, "answer_pace = 0.1\nport = 1\n")
    return path


def _write(path: Path, text: str) -> None:
    """As an editor does: the new file in the old one's place."""
    made = path.with_suffix(".new")
    made.write_text(text)
    made.replace(path)


def _reloading(path: Path, applied: list[Settings], valid: Callable[[bool], None] = lambda _: None) -> Reloading:
    options = {"config": path, "host": "127.0.0.9"}
    hot = [Hot(("answer_pace", "host"), applied.append)]
    return Reloading(load_settings(options).settings, lambda: load_settings(options), hot, valid)


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - what changes is seen from outside
            await asyncio.sleep(0.01)


async def test_what_can_change_is_taken_over_and_the_rest_is_named(path: Path) -> None:
    applied: list[Settings] = []
    reloading = _reloading(path, applied)
    _write(path, 'answer_pace = 0.2\nport = 2\nhost = "127.0.0.1"\n')
    with capture_logs() as logged:
        await reloading.reload()
    (settings,) = applied
    assert (settings.answer_pace, settings.port) == (0.2, 1)
    assert settings.host == "127.0.0.9"  # an option of the command line
    assert [(e["event"], e.get("changed") or e.get("settings")) for e in logged] == [
        ("config_reloaded", ["answer_pace"]), ("config_needs_restart", ["port"]),
    ]  # fmt: skip
    await reloading.reload()
    assert len(applied) == 1


async def test_settings_that_cannot_be_used_change_nothing_and_are_told_with_their_place(path: Path) -> None:
    applied: list[Settings] = []
    valid: list[bool] = []
    reloading = _reloading(path, applied, valid.append)
    _write(path, "answer_pace = 2\n")
    with capture_logs() as logged:
        await reloading.reload()
    assert logged[0]["problems"][0].startswith(f"{path}:1:1: answer_pace: ")
    _write(path, "answer_pace = 0.3\n")
    await reloading.reload()
    assert [s.answer_pace for s in applied] == [0.3]
    assert valid == [False, True]


async def test_a_changed_file_and_a_signal_are_noticed(path: Path) -> None:
    applied: list[Settings] = []
    reloading = _reloading(path, applied)
    watching = asyncio.create_task(reloading.watch(0.01))
    try:
        await asyncio.sleep(0)
        _write(path, "answer_pace = 0.4\n")
        await _until(lambda: bool(applied))
        watching.cancel()
        watching = asyncio.create_task(reloading.watch(3600))
        await asyncio.sleep(0)
        _write(path, "answer_pace = 0.5\n")
        os.kill(os.getpid(), signal.SIGHUP)
        await _until(lambda: len(applied) == 2)
    finally:
        watching.cancel()
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
    assert [s.answer_pace for s in applied] == [0.4, 0.5]


def test_every_setting_that_is_said_to_change_exists() -> None:
    names = {name for hot in hot_settings(*[None] * 3, proxy_config=None, access_config=None) for name in hot.names}  # type: ignore[arg-type]
    assert set(PROXY_HOT) <= names <= set(Settings.model_fields)
