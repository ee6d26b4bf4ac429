"""The machine: where files go, ports, limits and the clock."""

from __future__ import annotations

import contextlib
import resource
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from guard.store import StoreError
from server.doctor.case import Case
from server.doctor.finding import Finding, fail, ok, one_line, warn

_FILES, _MANY_FILES = 1024, 4096  # a request that waits holds two sockets
_LEAST, _SCARCE = 256 << 20, 2 << 30  # bytes free
_SKEW = timedelta(seconds=60)  # more than what sessions and expiry times can bear
_RELEASED = datetime(2026, 1, 1, tzinfo=UTC)  # no right clock is before it


def cache(case: Case) -> Iterator[Finding]:
    """Whether the cache folder can be written to, and has room."""
    folder = case.settings.cache_dir.absolute()
    there = next(p for p in (folder, *folder.parents) if p.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            yield ok("cache", f"{folder} can be written to" if there == folder else f"{folder} can be made")
    except OSError as error:
        todo = "give --cache-dir a folder that this user may write to"
        yield fail("cache", f"{folder} cannot be written to: {error.strerror or one_line(error)}", todo)
    free = shutil.disk_usage(there).free
    told = f"{free / (1 << 30):.1f} GiB free at {there}"
    if free < _LEAST:
        yield fail("disk", told, "make room: changes of lists are refused once the disk is full")
    elif free < _SCARCE:
        yield warn("disk", told, f"make room: {_SCARCE >> 30} GiB or more for lists, vectors and logs")
    else:
        yield ok("disk", told)


def port(case: Case) -> Iterator[Finding]:
    """Whether the port is free, or Letheward itself is there."""
    host, number = case.settings.host, case.settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), number))
        except OSError as error:
            if _is_letheward(host, number):
                yield ok("port", f"a Letheward answers at {host}:{number}")
            else:
                todo = "stop what listens there, or give another --port or --host"
                yield fail("port", f"{host}:{number} cannot be listened at: {error.strerror or one_line(error)}", todo)
            return
    yield ok("port", f"{host}:{number} is free" if number else "any that is free")


def _is_letheward(host: str, number: int) -> bool:
    here = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
    try:
        ready = httpx.get(f"http://{here}:{number}/ready", timeout=5, trust_env=False).json()
        return isinstance(ready, dict) and "enforcing" in ready
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return False


def open_files() -> Iterator[Finding]:
    """Whether many requests can wait at a time."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    todo = f"ulimit -n {_MANY_FILES}, or LimitNOFILE={_MANY_FILES} of the service"
    if soft == resource.RLIM_INFINITY or soft >= _MANY_FILES:
        yield ok("open files", "no limit" if soft == resource.RLIM_INFINITY else f"at most {soft}")
    elif soft >= _FILES:
        yield warn("open files", f"at most {soft}, enough for some {soft // 2} requests at a time", todo)
    else:
        yield fail("open files", f"at most {soft} (hard limit {hard}); vLLM alone needs more", todo)


def clock(case: Case) -> Iterator[Finding]:
    """Whether this clock agrees with the others at hand: keys and entries expire by it."""
    now = datetime.now(UTC)
    others = [(url, served.clock) for url, served in case.served.items() if served.clock]
    with contextlib.suppress(StoreError):  # which a check of its own tells
        others += [("the store", case.looked.clock)] if case.looked.clock else []
    apart = [(where, abs(now - there)) for where, there in others if abs(now - there) > _SKEW]
    todo = "set both clocks by NTP"
    if now < _RELEASED:
        yield fail("clock", f"it is {now:%Y-%m-%d} by this clock, before this version was made", "set it by NTP")
    elif apart:
        yield from (warn("clock", f"{by.total_seconds():.0f} s from that of {where}", todo) for where, by in apart)
    else:
        yield ok("clock", f"clocks that agree: {len(others)}" if others else f"{now:%Y-%m-%d %H:%M} UTC")


def others_may(path: Path) -> str:
    """What other users of this machine may do with ``path``: "", "read" or "write"."""
    mode = path.stat().st_mode
    if not path.parent.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH):
        return ""
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "write"
    return "read" if mode & (stat.S_IRGRP | stat.S_IROTH) else ""
