"""The SQLite file locked, full, gone or overwritten: requests go on, changes are refused, and none is lost."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from benchmarks.faults.case import fault
from benchmarks.faults.house import House
from benchmarks.faults.scripted import GUARDED


async def _during(house: House) -> None:
    """What a fault of the store must not touch, and a change."""
    await house.ask()
    await house.ask(GUARDED)
    await house.change()
    await house.ask(GUARDED)


@fault("database locked by another process")
async def locked(house: House) -> None:
    """For longer than anybody waits."""
    held = sqlite3.connect(house.service.database, isolation_level=None)
    try:
        held.execute("BEGIN EXCLUSIVE")
        await _during(house)
    finally:
        held.close()


@fault("disk full: no file may grow (RLIMIT_FSIZE)", own=True)
async def full(house: House) -> None:
    """The limit is set on the running process, and taken away again."""
    sizes = [f.stat().st_size for f in house.service.folder.glob("letheward.db*")]
    before = resource.prlimit(house.service.pid, resource.RLIMIT_FSIZE, (max(sizes) + 8192, resource.RLIM_INFINITY))
    for _ in range(8):  # a few still fit
        await house.change()
    await _during(house)
    resource.prlimit(house.service.pid, resource.RLIMIT_FSIZE, before)


def _no_tmpfs() -> str | None:
    """Why no small disk can be mounted here."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "none", folder], capture_output=True)  # noqa: S603, S607
        if done.returncode == 0:
            subprocess.run(["umount", folder], check=True)  # noqa: S603, S607
            return None
    return "a small disk cannot be mounted here (it needs root)"


@fault("disk full: all of a small disk is taken (tmpfs)", own=True, missing=_no_tmpfs)
async def full_disk(house: House) -> None:
    """The store moves onto a disk of 8 MiB, which is then filled."""
    await house.service.end()
    own = house.folder / "small"
    own.mkdir()
    await _run("mount", "-t", "tmpfs", "-o", "size=8m", "none", str(own))
    try:
        before = house.service.settings
        house.service.settings = {**before, "database_url": f"sqlite:///{own}/letheward.db"}
        for file in house.service.folder.glob("letheward.db*"):
            (own / file.name).write_bytes(file.read_bytes())
        await house.service.start()
        await house.change()
        with (own / "filler").open("wb") as filler:
            try:
                while True:
                    filler.write(bytes(65536))
                    filler.flush()
            except OSError:
                pass
        for _ in range(8):
            await house.change()
        await _during(house)
        (own / "filler").unlink()
        await house.change()
        await house.service.end()
        for file in own.glob("letheward.db*"):
            (house.service.folder / file.name).write_bytes(file.read_bytes())
        house.service.settings = before
        await house.service.start()
    finally:
        await _run("umount", "-l", str(own))


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0, command  # noqa: S101


@fault("database file removed, and put back", own=True)
async def removed(house: House) -> None:
    """A change that is acknowledged meanwhile must be there after a start."""
    aside = house.folder / "aside"
    aside.mkdir()
    files = list(house.service.folder.glob("letheward.db*"))
    for file in files:
        os.rename(file, aside / file.name)
    await _during(house)
    for file in house.service.folder.glob("letheward.db*"):
        file.unlink()
    for file in files:
        if (aside / file.name).exists():
            os.rename(aside / file.name, file)
    await house.service.end()
    await house.service.start()


@fault("database file overwritten with zeros, then restored from a copy", own=True)
async def overwritten(house: House) -> None:
    """What is acknowledged while the file is no database must be in it after that, or not be acknowledged."""
    await house.service.end()
    kept = house.service.database.read_bytes()
    await house.service.start()
    _overwrite(house.service.database, bytes(len(kept)))
    for wal in house.service.folder.glob("letheward.db-*"):
        _overwrite(wal, bytes(wal.stat().st_size))
    await _during(house)
    await house.service.end()
    for wal in house.service.folder.glob("letheward.db-*"):
        wal.unlink()
    house.service.database.write_bytes(kept)
    await house.service.start()


def _overwrite(file: Path, content: bytes) -> None:
    with file.open("r+b") as opened:
        opened.write(content)
