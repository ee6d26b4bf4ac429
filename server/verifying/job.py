"""One verification from its probes to its signed record."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import anyio
from anyio.to_thread import run_sync

from guard.model import Entry
from guard.output.meaning import Meaning
from guard.verification.kinds import Variant
from guard.verification.neighbours import Neighbour, Unknowable, neighbours, unknowable
from guard.verification.probes import Chosen, Probe, choose, probes
from guard.verification.record import Run, make_record
from guard.verification.signing import Signer
from guard.verification.tally import Arm, Outcome, Outcomes
from guard.verification.telling import Given, Telling
from guard.verification.untouched import Compared
from server.errors import ApiError
from server.verifying.asking import Asker, Refused
from server.verifying.options import VerifyOptions

_REFUSED = 0.1  # share of requests that may be turned down


@dataclass(frozen=True, slots=True)
class Ask:
    """One answer that is wanted."""

    arm: Arm
    entry: Entry
    kind: str
    probe: str
    variant: Variant
    given: Given
    temperature: float
    sample: int
    streamed: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be asked."""

    chosen: Chosen
    probes: Sequence[Probe]
    guesses: Sequence[Unknowable]
    neighbours: Sequence[Neighbour]
    tellings: dict[str, Telling]


def prepare(entries: Sequence[Entry], wanted: Sequence[Entry], options: VerifyOptions, meaning: Meaning) -> Prepared:
    """Everything that is made before the first request. Blocking.

    Args:
        entries: the whole list.
        wanted: those of it to verify.
        options: how.
        meaning: see ``Telling``.
    """
    chosen = choose(wanted, options.most_entries, options.seed)
    made = probes(chosen.entries, entries, kinds=options.kinds, per_kind=options.per_kind, seed=options.seed)
    guesses = unknowable(chosen.entries, entries, options.seed)
    beside = neighbours(entries, guesses, options.neighbours, options.most_neighbours, options.seed)
    return Prepared(chosen, made, guesses, beside, {e.entry_id: Telling(e, meaning) for e in chosen.entries})


@dataclass(slots=True)
class Job:
    """Carries one out. ``running``: its turn has come."""

    id: str
    by: str
    list_name: str
    entry_id: str | None
    prepared: Prepared
    asker: Asker
    options: VerifyOptions
    guard: dict[str, Any]
    model: dict[str, Any]
    outcomes: Outcomes = field(default_factory=Outcomes)
    compared: list[Compared] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)
    revisions: set[int] = field(default_factory=set)
    refused: int = 0
    done: int = 0
    running: bool = False

    @property
    def of(self) -> int:
        """Answers that are wanted, of all arms."""
        probes, guesses = len(self.prepared.probes), len(self.prepared.guesses)
        return self.options.draws * (2 * probes + guesses) + 3 * len(self.prepared.neighbours)

    async def run(self) -> Run:
        """Ask everything.

        Raises:
            ApiError: the model failed, or turned down too much of what it was asked.
            DetectorError: an answer could not be judged.
        """
        began = datetime.now(UTC)
        asks = [*self._asks()]
        random.Random(self.options.seed).shuffle(asks)  # noqa: S311 - so that time passes alike for all arms
        await self._all([*map(self._asked, asks), *map(self._compared, self.prepared.neighbours)])
        if self.refused > _REFUSED * self.of:
            raise ApiError(
                502, f"{self.refused} of {self.of} probes were turned down by the model or the proxy.",
                type="server_error", code="probes_refused",
            )  # fmt: skip
        return Run(
            self.id, self.by, began, datetime.now(UTC), self.list_name, self.entry_id, self.prepared.chosen,
            self.prepared.probes, self.guard | {"revisions": sorted(self.revisions)}, self.model, self._method(),
            self.outcomes, self.compared, self.told if self.options.texts else None,
        )  # fmt: skip

    def progress(self) -> dict[str, Any]:
        """How far it is."""
        rows = self.outcomes.rows
        leaks = {f"{arm}_leaks": sum(o.told for o in rows[arm]) for arm in rows}
        return {"done": self.done, "of": self.of, "refused": self.refused} | leaks

    def _asks(self) -> Iterator[Ask]:
        draws = [(t, n) for t in self.options.temperatures for n in range(self.options.samples if t else 1)]
        for number, probe in enumerate(self.prepared.probes):
            for at, (temperature, sample) in enumerate(draws):
                rest = probe.entry, probe.kind, probe.id, probe.variant, probe.given, temperature, sample
                yield Ask("live", *rest, streamed=bool((number + at) % 2))
                yield Ask("bare", *rest)
        for guess in self.prepared.guesses:
            given = self.prepared.tellings[guess.entry.entry_id].given([guess.text])
            for temperature, sample in draws:
                probe_id = f"{guess.entry.entry_id}/guess/1"
                yield Ask("guess", guess.entry, "guess", probe_id, Variant((guess.text,)), given, temperature, sample)

    async def _asked(self, ask: Ask) -> None:
        body = self.asker.body(ask.variant, ask.temperature, ask.sample, stream=ask.streamed)
        try:
            reply = await (self.asker.live(body) if ask.arm == "live" else self.asker.bare(body))
        except Refused:
            self.refused += 1
            return
        if ask.arm == "live":
            self.revisions.add(reply.revision)
        telling = self.prepared.tellings[ask.entry.entry_id]
        rule = await run_sync(lambda: telling.rule(reply.text, ask.given, names=ask.variant.describes))
        outcome = Outcome(
            ask.arm, ask.entry.entry_id, ask.kind, ask.probe, ask.temperature, ask.sample, rule, reply.action,
            ask.streamed,
        )  # fmt: skip
        self.outcomes.add(outcome)
        if rule and ask.arm == "live":
            self.told[f"{ask.probe}/{ask.temperature:g}/{ask.sample}"] = reply.text

    async def _compared(self, neighbour: Neighbour) -> None:
        body = self.asker.body(Variant((neighbour.text,)), 0, 0)
        try:
            live = await self.asker.live(body)
            self.revisions.add(live.revision)
            bare, again = [(await self.asker.bare(body)).text for _ in range(2)]
        except Refused:
            self.refused += 3
            return
        self.compared.append(Compared(neighbour.kind, live.text, bare, again, live.action))
        self.done += 2

    async def _all(self, works: Sequence[Awaitable[None]]) -> None:
        """Await all of them, a few at a time; the first fault ends the others."""
        left = iter(works)
        faults: list[Exception] = []

        async def some(scope: anyio.CancelScope) -> None:
            for work in left:
                try:
                    await work
                    self.done += 1
                except Exception as error:  # noqa: BLE001 - raised again below, by itself
                    faults.append(error)
                    scope.cancel()

        try:
            async with anyio.create_task_group() as group:
                for _ in range(self.options.at_once):
                    group.start_soon(some, group.cancel_scope)
        finally:
            for work in left:
                work.close()  # type: ignore[attr-defined]
        if faults:
            raise faults[0]

    def _method(self) -> dict[str, Any]:
        kept = ("seed", "samples", "temperatures", "max_tokens", "confidence", "tolerance", "per_kind")
        return {k: getattr(self.options, k) for k in kept} | {
            "way": "the proxy's handlers of /v1/chat/completions and /v1/completions, within its process",
            "client": self.asker.client.name or "",
            "refused": self.refused,
        }


def signed(run: Run, signer: Signer) -> dict[str, Any]:
    """The signed record. Blocking."""
    return signer.sign(make_record(run, signer))
