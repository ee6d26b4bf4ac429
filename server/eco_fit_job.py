"""A fit under way: the served model is asked at one strength after the other, until it answers as if it knew nothing.

The metric is ROUGE-L recall of the answers against the entries' own, at temperature 0. The target is its value where
the knowledge is missing: a number, a retained model's, or the same model's on questions about made-up names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import anyio
import orjson
import structlog
from anyio.to_thread import run_sync

from guard.eco import Eco
from guard.in_force import Snapshot
from guard.model import EcoFit, ForgetList
from guard.snapshot import SnapshotManager
from guard.text_metrics import Estimate, estimate, rouge_l
from guard.zeroth_order import Found, SearchConfig, ask
from server import __version__
from server.eco_fit_questions import Ask, Question, bare, corrupted
from server.eco_fit_state import FitState
from server.errors import ApiError
from server.upstream import Upstream, read_whole
from server.upstream_faults import broken

log = structlog.get_logger("letheward.eco_fit")

METRIC = "rouge-l recall"
Event = dict[str, Any]
Tell = Callable[[Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Target:
    """Where the wanted value comes from: a number, or answers of ``model`` at ``upstream``."""

    source: str  # "given" | "retained" | "made-up names"
    value: float | None = None
    asks: Sequence[Ask] = ()
    upstream: Upstream | None = None
    model: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """How the models are asked and the strength is searched."""

    search: SearchConfig
    unit: float  # of sigma: the embedding rows' root mean square
    seed: int
    max_tokens: int
    at_once: int
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that a fit needs; ``run`` carries it out."""

    manager: SnapshotManager
    snapshot: Snapshot
    item: ForgetList
    model: str
    questions: Sequence[Question]
    unflagged: int
    target: Target
    eco: Eco
    upstream: Upstream
    state: FitState
    way: Way
    stopping: Callable[[], bool] = lambda: False  # whether the proxy is to end

    async def run(self, tell: Tell) -> None:
        """Measure, search, store. Every event is told as it happens; what was measured is kept.

        Raises:
            ApiError: a model failed. StoreError: the result could not be stored.
        """
        await tell(self._started())
        wanted = await self._wanted(tell)
        await tell({"event": "target", "source": self.target.source} | _estimate(wanted))
        plain = estimate(await self._scores("plain", bare(self.questions), tell))
        await tell({"event": "plain"} | _estimate(plain))
        if plain.mean <= wanted.mean + self.way.search.tolerance:
            note = "The model answers these no better than it should: there is nothing to fit."
            await tell(self._end(wanted, plain) | {"note": note})
            return
        found = await self._searched(wanted, tell)
        await tell(await self._finished(wanted, plain, found))

    async def _wanted(self, tell: Tell) -> Estimate:
        given = self.target
        if given.value is not None:
            return Estimate(given.value, 0.0, 0)
        return estimate(await self._scores("target", given.asks, tell, given.upstream, given.model))

    async def _searched(self, wanted: Estimate, tell: Tell) -> Found:
        known: dict[float, float] = {}
        while not isinstance(sigma := ask(wanted.mean, self.way.search, known), Found):
            scores = estimate(await self._scores(repr(sigma), self._at(sigma), tell))
            known[sigma] = scores.mean
            loss = abs(scores.mean - wanted.mean)
            await tell({"event": "step", "number": len(known), "sigma": sigma, "loss": loss} | _estimate(scores))
        return sigma

    def _at(self, sigma: float) -> list[Ask]:
        fit = EcoFit(self.item.name, self.model, sigma, self.item.corruption, self.item.dims)
        return [
            Ask(partial(corrupted, q, self.item, self.snapshot, fit, self.eco), q.entry.answer or "")
            for q in self.questions
        ]

    async def _scores(
        self, what: str, asks: Sequence[Ask], tell: Tell, upstream: Upstream | None = None, model: str = ""
    ) -> list[float]:
        """The metric of each answer; from what is kept, where it was measured before."""
        if (kept := self.state.scores.get(what)) is not None:
            return kept
        scores: list[float] = []
        for at in range(0, len(asks), self.way.at_once):
            if self.stopping():
                raise ApiError(503, "The proxy is being stopped.", type="server_error", code="stopping")
            some = asks[at : at + self.way.at_once]
            answers = await self._answers(some, upstream or self.upstream, model or self.model)
            scores += [rouge_l(answer, a.reference).recall for answer, a in zip(answers, some, strict=True)]
            await tell({"event": "asked", "what": what, "done": len(scores), "of": len(asks)})
        await run_sync(self.state.put, what, scores)
        return scores

    async def _answers(self, asks: Sequence[Ask], upstream: Upstream, model: str) -> list[str]:
        answers = [""] * len(asks)
        faults: list[ApiError] = []

        async def one(at: int) -> None:
            try:
                body = await run_sync(asks[at].body)
                extra = {"model": model, "temperature": 0, "max_tokens": self.way.max_tokens}
                answers[at] = await _answer(upstream, body | extra)
            except ApiError as error:
                faults.append(error)

        async with anyio.create_task_group() as group:
            for at in range(len(asks)):
                group.start_soon(one, at)
        if faults:
            raise faults[0]
        return answers

    async def _finished(self, wanted: Estimate, plain: Estimate, found: Found) -> Event:
        end = self._end(wanted, plain) | {"sigma": found.sigma, "value": found.value, "loss": found.loss}
        end |= {"reason": found.reason, "steps": found.steps, "measured": len(found.measured)}
        if found.reason == "flat":
            note = (
                f"No strength changes the answers: {self.item.corruption!r} may have none, or they need no knowledge."
            )
            return end | {"note": note}
        if self.way.dry_run:
            return end | {"note": "A dry run: nothing was stored."}
        fit = EcoFit(
            self.item.name, self.model, found.sigma, self.item.corruption, self.item.dims,
            self._provenance(wanted, plain, found),
        )  # fmt: skip
        _, revision = await run_sync(self.manager.change, lambda store: store.put_fit(fit))
        log.info("eco_fitted", forget_list=self.item.name, model=self.model, sigma=found.sigma, loss=found.loss)
        return end | {"stored": True, "revision": revision}

    def _started(self) -> Event:
        return {
            "event": "started", "list": self.item.name, "model": self.model, "n": len(self.questions),
            "unflagged": self.unflagged, "revision": self.snapshot.revision, "kept": len(self.state.scores),
            "metric": METRIC, "unit": self.way.unit, "config": self.way.search.plain(),
        }  # fmt: skip

    def _end(self, wanted: Estimate, plain: Estimate) -> Event:
        return {
            "event": "done", "list": self.item.name, "model": self.model, "stored": False, "metric": METRIC,
            "v_hat": wanted.mean, "v_hat_stderr": wanted.stderr, "plain": plain.mean, "n": len(self.questions),
        }  # fmt: skip

    def _provenance(self, wanted: Estimate, plain: Estimate, found: Found) -> dict[str, Any]:
        return {
            "metric": METRIC, "v_hat": wanted.mean, "stderr": wanted.stderr, "v_hat_n": wanted.n,
            "target": self.target.source, "retained": self.target.model if self.target.url else None,
            "n": len(self.questions), "unflagged": self.unflagged, "plain": plain.mean, "value": found.value,
            "loss": found.loss, "reason": found.reason, "steps": found.steps,
            "values": [list(pair) for pair in found.measured], "unit": self.way.unit, "config": self.way.search.plain(),
            "seed": self.way.seed, "max_tokens": self.way.max_tokens, "model": self.model,
            "revision": self.snapshot.revision, "version": __version__,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
        }  # fmt: skip


def _estimate(found: Estimate) -> Event:
    told = asdict(found)
    return {"value": told.pop("mean")} | told


async def _answer(upstream: Upstream, body: dict[str, Any]) -> str:
    response = await upstream.send("POST", "/v1/chat/completions", body)
    raw = await read_whole(response)
    try:
        answer = orjson.loads(raw)
        if response.status_code == 200:
            return str(answer["choices"][0]["message"]["content"] or "")
        why = str(answer["error"]["message"])
    except (ValueError, KeyError, IndexError, TypeError):
        why = "its answer cannot be read"
    raise broken(f"The model failed with status {response.status_code}: {why}")
