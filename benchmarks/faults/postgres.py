"""Postgres stopped, killed, locked, or hanging up on its clients."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import psycopg

from benchmarks.faults.case import fault
from benchmarks.faults.house import House
from benchmarks.faults.scripted import GUARDED
from benchmarks.postgres import Cluster, NoPostgres, cluster, programs

_TABLES = "entries, forget_lists, history"


def _no_postgres() -> str | None:
    try:
        programs()
    except NoPostgres as error:
        return str(error)
    return None


async def _with(house: House, broken: Callable[[House, Cluster], Awaitable[None]]) -> None:
    """Serve from a Postgres, break it, and see that all is well before it goes."""
    with cluster() as server:
        service = replace(house.service, folder=house.folder / "on-postgres", _process=None,
                          settings={**house.service.settings, "database_url": server.url()})  # fmt: skip
        on_postgres = replace(house, service=service, acknowledged=[])
        await service.start()
        try:
            await on_postgres.prepare()
            await on_postgres.change()
            await broken(on_postgres, server)
            await on_postgres.recovers()
            if lost := await on_postgres.lost():
                house.wrong.append(f"{lost} acknowledged changes lost")
            on_postgres._searched = 0
            on_postgres.search_log()
        finally:
            await service.end()


async def _during(house: House) -> None:
    await house.ask()
    await house.ask(GUARDED)
    await house.change()
    await house.ask(GUARDED)


@fault("Postgres killed (kill -9), and started again", missing=_no_postgres)
async def killed(house: House) -> None:
    """All its processes at once, while changes come in."""

    async def broken(house: House, server: Cluster) -> None:
        changes = asyncio.gather(*(house.change() for _ in range(8)))
        await asyncio.to_thread(server.kill)
        await changes
        await _during(house)
        await asyncio.to_thread(server.start)

    await _with(house, broken)


@fault("Postgres' tables locked by another client", missing=_no_postgres)
async def locked(house: House) -> None:
    """For longer than anybody waits."""

    async def broken(house: House, server: Cluster) -> None:
        url = server.url().replace("+psycopg", "")
        async with await psycopg.AsyncConnection.connect(url) as held:
            await held.execute(f"LOCK TABLE {_TABLES} IN ACCESS EXCLUSIVE MODE")
            await _during(house)
            await held.rollback()

    await _with(house, broken)


@fault("Postgres ends every connection, again and again, while changes come in", missing=_no_postgres)
async def hung_up(house: House) -> None:
    """As a failover does."""

    async def broken(house: House, server: Cluster) -> None:
        url = server.url().replace("+psycopg", "")
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as admin:
            for _ in range(10):
                change = asyncio.create_task(house.change())
                await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                    " WHERE pid <> pg_backend_pid() AND usename = 'letheward'")  # fmt: skip
                await change
                await house.ask(GUARDED)

    await _with(house, broken)
