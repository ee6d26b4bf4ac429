"""Begins verifications, carries them out one after the other, and knows how the last ones ended."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from anyio.to_thread import run_sync

from classifiers.types import DetectorError
from guard.importer import entries
from guard.in_force import Snapshot
from guard.model import SYSTEM, By, Entry, ForgetList
from guard.output.meaning import Meaning
from guard.snapshot import SnapshotManager
from guard.store import NotFound, StoreError
from guard.verification.kept import State, Verification, Verifications
from guard.verification.signing import Signer
from server import __version__
from server.clients import Client
from server.errors import ApiError
from server.proxy import Proxy
from server.verifying.alerts import Alerts
from server.verifying.asking import Asker
from server.verifying.job import Job, prepare, signed
from server.verifying.models import served
from server.verifying.options import VerifyIn, VerifyOptions

log = structlog.get_logger("letheward.verifying")

_BEAT = 1.0  # seconds between notes of how far one is
_CHANGED = "The list changed while it was verified: run it again."


@dataclass(slots=True)
class Verifying:
    """All of one process. ``check_answers`` is the proxy's setting, for the record."""

    manager: SnapshotManager
    proxy: Proxy
    signer: Signer
    alerts: Alerts
    check_answers: bool = True
    kept: Verifications = field(init=False)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.kept = Verifications(self.manager.store)

    async def start(self, name: str, given: VerifyOptions, by: By) -> Verification:
        """Begin one; it is carried out when those before it in this process have ended.

        Raises:
            ApiError: it cannot be: 400 with the reason, 404, 502 or 503.
            StoreError: the store failed.
        """
        snapshot = self.manager.current
        item = await run_sync(self.manager.store.get_list, name)
        wanted, every = await run_sync(_entries, snapshot, item, given)
        if not item.enabled:
            raise ApiError(400, f"The list {name!r} is off: switch it on to verify it.", code="list_off")
        model = await served(self.proxy.upstream, given.model, item)
        try:
            prepared = await run_sync(
                prepare, every, wanted, given, Meaning(snapshot.detector, snapshot.entries)
            )  # fmt: skip
        except DetectorError as error:
            raise ApiError(503, str(error), type="server_error", code="detector_failed") from error
        if not prepared.probes:
            raise ApiError(400, _nothing(name, prepared.chosen.left_out), code="nothing_to_verify")
        entry_id = given.entry if isinstance(given, VerifyIn) else None
        tenant = given.tenant or (item.tenants[0] if item.tenants else None)
        asker = Asker(self.proxy, Client("", tenant), model.id, given.max_tokens, given.seed)
        job = Job(
            secrets.token_hex(8), by.actor, name, entry_id, prepared, asker, given,
            self._guard(snapshot, item), model.plain(),
        )  # fmt: skip
        new = Verification(
            job.id, name, entry_id, "waiting", snapshot.revision, model.id, datetime.now(UTC), by.actor,
            job.progress() | {"model_state": model.state, "at": datetime.now(UTC).isoformat()},
        )  # fmt: skip
        await run_sync(self.kept.begin, new, by)
        task = asyncio.create_task(self._carried_out(job, new))
        self._tasks[job.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(job.id, None))
        return new

    async def not_begun(self, name: str, why: str, last: Verification | None, state: str | None) -> None:
        """Keep that one could not begin; ``last`` the one before it, ``state`` the model's now, where that is known.

        Raises:
            StoreError: the store failed.
        """
        told = {"model_state": state or (last.progress.get("model_state") if last else None), "error": why}
        model = last.model if last else ""
        revision = self.manager.current.revision
        new = Verification(
            secrets.token_hex(8), name, None, "waiting", revision, model, datetime.now(UTC), SYSTEM.actor, told
        )  # fmt: skip
        await run_sync(self.kept.begin, new, SYSTEM)
        await self._failed(new.id, why)

    async def cancel(self, id: str, by: By) -> None:
        """End one that waits or runs, in whichever process.

        Raises:
            ApiError: 409 where it has ended.
            StoreError: there is none, or the store failed.
        """
        if not await run_sync(partial(self.kept.end, id, "cancelled", {}, by=by)):
            raise ApiError(409, "It has ended; its record is kept.", code="already_ended")
        if (task := self._tasks.get(id)) is not None:
            task.cancel()

    async def close(self) -> None:
        """End what is under way here."""
        tasks = dict(self._tasks)
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        for id in tasks:
            await self._failed(id, "The proxy was stopped.")

    async def _carried_out(self, job: Job, new: Verification) -> None:
        told = log.bind(verification=job.id, forget_list=job.list_name)
        fixed = {"model_state": new.progress["model_state"]}
        heart = asyncio.create_task(self._beats(job, fixed))
        try:
            async with self._turn:
                job.running = True
                run = await job.run()
            if await run_sync(self.kept.changed_at, job.list_name) > new.revision:
                await self._failed(job.id, _CHANGED)
                return
            document = await run_sync(signed, run, self.signer)
            holds = document["record"]["verdict"]["holds"]
            ended = partial(
                self.kept.end, job.id, "done", job.progress() | fixed, by=SYSTEM, holds=holds, document=document
            )
            if not await run_sync(ended):
                return
            told.info("verified", holds=holds, revision=new.revision)
            if holds is not True:
                await self.alerts.tell("does_not_hold" if holds is False else "undecided", job.list_name, job.id)
        except (ApiError, DetectorError, StoreError) as error:
            told.warning("verification_failed", error=str(error))
            if await self._failed(job.id, str(error)):
                await self.alerts.tell("failed", job.list_name, job.id)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not look as if it went on
            told.error("verification_broke", kind=type(error).__name__)
            if await self._failed(job.id, "An internal error."):
                await self.alerts.tell("failed", job.list_name, job.id)
        finally:
            heart.cancel()

    async def _beats(self, job: Job, fixed: Mapping[str, Any]) -> None:
        """Say now and then how far it is, so that it is not taken for dead; end it where somebody has."""
        while True:
            await asyncio.sleep(_BEAT)
            state: State = "running" if job.running else "waiting"
            try:
                under_way = await run_sync(self.kept.note, job.id, state, job.progress() | dict(fixed))
            except StoreError as error:
                log.warning("verification_not_noted", error=str(error))
                continue
            if not under_way and (task := self._tasks.get(job.id)) is not None:
                task.cancel()

    async def _failed(self, id: str, why: str) -> bool:
        try:
            return await run_sync(partial(self.kept.end, id, "failed", {"error": why}, by=SYSTEM))
        except StoreError as error:
            log.warning("verification_not_noted", error=str(error))
            return False

    def _guard(self, snapshot: Snapshot, item: ForgetList) -> dict[str, Any]:
        """What judged and guarded, for the record."""
        actions = sorted({e.action for e in snapshot.entries.values() if e.list_name == item.name and e.action})
        return {
            "letheward": __version__, "revision": snapshot.revision, "policy": item.policy, "entries_actions": actions,
            "fallback": item.fallback, "enforcing": self.proxy.enforcing, "check_answers": self.check_answers,
            "encoder": self.manager.encoder.name, "scorer": item.scorer or "default",
        }  # fmt: skip


def _entries(snapshot: Snapshot, item: ForgetList, given: VerifyOptions) -> tuple[list[Entry], list[Entry]]:
    """What to verify, and the whole list. Blocking."""
    every = {e.entry_id: e for (of, _), e in snapshot.entries.items() if of == item.name}
    if isinstance(given, VerifyIn) and given.entries:
        brought = {e.entry_id: e for e in entries(given.entries, item.name)}
        if strange := [e for e in brought if e not in every]:
            raise ApiError(400, f"The list has no entry {strange[0]!r}.", param="entries", code="unknown_entry")
        every |= brought
    wanted = every
    if isinstance(given, VerifyIn) and given.entry is not None:
        if given.entry not in every:
            raise NotFound(f"the list {item.name!r} has no entry {given.entry!r}")
        wanted = {given.entry: every[given.entry]}
    return list(wanted.values()), list(every.values())


def _nothing(name: str, left_out: tuple[tuple[str, str], ...]) -> str:
    if not left_out:
        return f"The list {name!r} has no entries to verify."
    return f"Nothing in the list {name!r} can be verified; of the entry {left_out[0][0]!r}: {left_out[0][1]}."
