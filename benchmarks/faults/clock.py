"""The clock of the day jumps: for the service alone, by a library that is loaded before it (the machine's stays)."""

from __future__ import annotations

import asyncio
import shutil
import struct
import subprocess
import time
from pathlib import Path

from benchmarks.faults.case import fault
from benchmarks.faults.house import House
from benchmarks.faults.scripted import GUARDED

_DAY = 24 * 3600
JUMPS = (3600, 400 * _DAY, -2 * _DAY, -20 * 365 * _DAY, 30 * 365 * _DAY, 0)  # seconds off, one after the other


def _no_compiler() -> str | None:
    return None if shutil.which("cc") else "there is no C compiler to build the library with"


@fault("clock jumps: an hour, a year and decades, forth and back", own=True, settings={"workers": "2"},
       missing=_no_compiler)  # fmt: skip
async def jumps(house: House) -> None:
    """Lists guard, changes are accepted and awaited by all workers, the audit log holds."""
    library, offset = house.folder / "clock.so", house.folder / "offset"
    source = Path(__file__).with_name("clock.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)  # noqa: ASYNC221, S603, S607
    offset.write_bytes(struct.pack("<q", 0))
    await house.service.end()
    house.service.environment = {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(offset)}
    await house.service.start()
    try:
        for seconds in JUMPS:
            with offset.open("r+b") as opened:
                opened.write(struct.pack("<q", seconds))
            if abs(await _skew(house) - seconds) > 60:
                house.wrong.append(f"the clock did not jump by {seconds} s")
            await house.ask()
            await house.ask(GUARDED)
            await house.change()
            await _everywhere(house, seconds)
        async with house.service.client() as client:
            audit = (await client.get("/admin/v1/audit/verify")).json()
        house.note(f"audit log {'holds' if audit.get('holds') else 'broken'}")
        if not audit.get("holds"):
            house.wrong.append(f"the audit log: {audit}")
    finally:
        await house.service.end()
        house.service.environment = {}
        await house.service.start()


async def _skew(house: House) -> float:
    """Seconds between the service's clock and this machine's, by the date of an answer's own making."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with house.service.client() as client:
        body = {"model": "m", "messages": [{"role": "user", "content": GUARDED}]}
        told = (await client.post("/v1/chat/completions", json=body)).json()["created"]
    return float(told) - time.time() + (loop.time() - began) / 2


async def _everywhere(house: House, seconds: int) -> None:
    """A change that waits for every worker."""
    name = f"jump{seconds}"
    entry = {"id": name.replace("-", "minus"), "subject": f"Person {name}", "scope": "subject"}
    async with house.service.client() as client:
        answer = await client.post("/admin/v1/lists/people/entries?wait=all", json={"entries": [entry]})
    house.note(f"change for all workers {answer.status_code}")
    if answer.status_code != 201:
        house.wrong.append(f"off by {seconds} s: {answer.status_code} {answer.text[:200]}")
        return
    house.acknowledged.append(entry["id"])
    if behind := answer.json()["in_force"]["behind"]:
        house.wrong.append(f"off by {seconds} s: {len(behind)} workers are behind")
