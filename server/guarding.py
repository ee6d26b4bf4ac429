"""Carrying out what a plan says on the body of a request: guards decide, this rewrites."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog
from anyio.to_thread import run_sync

from guard.eco import Eco
from guard.effects import Ask, Corrupt, Effect, GuardUnavailable, Prefix, Say, Shots, Tools
from guard.in_force import Snapshot
from guard.model import Example
from guard.registry import create_guard
from guard.router import STRICTNESS, Action, Finding, Plan
from server.judging import Prompt
from server.rewrite import apply_eco, apply_prefix, apply_redaction, apply_shots, defused
from server.surfaces import Body

log = structlog.get_logger("letheward.guarding")

PASSING: tuple[Action, ...] = ("pass", "monitor")
_ANSWERING: tuple[Action, ...] = ("refuse", "template")
_REWRITING: tuple[Action, ...] = ("eco", "dragon", "icul")
# Embeddings take a text's place, the guard's text goes round it, and examples before both.
_ORDER: tuple[type[Effect], ...] = (Corrupt, Prefix, Shots)


@dataclass(frozen=True, slots=True)
class Guarded:
    """What is sent to the model, or ``say``: what is said in its place.

    ``inserted``: text that no client may see. ``blind``: of what was flagged the model sees nothing.
    """

    action: Action
    body: Body
    finding: Finding | None = None
    say: str | None = None
    inserted: tuple[str, ...] = ()
    blind: bool = False


class Guarding:
    """Runs the guards. ``reason``: the guard model; ``examples``: those that no list of a snapshot is about."""

    def __init__(
        self,
        eco: Eco | None,
        reason: Callable[[Ask], Awaitable[str]] | None,
        examples: Callable[[Snapshot], Awaitable[tuple[Example, ...]]],
    ) -> None:
        self._eco = eco
        self._reason = reason
        self._examples = examples

    async def guarded(
        self, plan: Plan, prompt: Prompt, snapshot: Snapshot, *, chat: bool, more: Finding | None = None
    ) -> Guarded:
        """The request as ``plan`` wants it. ``more``: what its answer told, where it is asked again.

        ``prompt.body`` stays as it is.
        """
        decisive = plan.decisive
        if decisive is not None and plan.action in _ANSWERING:
            return await self._said(decisive, plan.action, prompt)
        wanted = [f for f in (*map(plan.best, _REWRITING), more) if f is not None]
        try:
            effects = [(f, await self._effect(f, prompt, snapshot)) for f in wanted]
            for finding, effect in effects:
                if isinstance(effect, Say):
                    return Guarded("template", prompt.body, finding, effect.text)
            body, inserted = await run_sync(partial(self._rewritten, plan, prompt, effects, chat))
        except _Failed as failed:
            return await self._fallen(failed, prompt)
        action = plan.action if more is None else max(plan.action, more.action, key=STRICTNESS.index)
        return Guarded(action, body, decisive or more, inserted=inserted, blind=plan.blind and more is None)

    async def spoken(self, finding: Finding, prompt: Prompt, action: Action) -> Guarded:
        """A sentence in the model's place: the list's refusal, else a template answer."""
        return await self._said(finding, "refuse" if action == "refuse" else "template", prompt)

    async def _effect(self, finding: Finding, prompt: Prompt, snapshot: Snapshot) -> Effect:
        ask = _ask(finding, prompt)
        try:
            tools = Tools(self._reason, partial(self._examples, snapshot), self._eco)
            return await create_guard(finding.action)(ask, tools)
        except GuardUnavailable as error:
            if finding.action == "dragon" and finding.forget_list.fallback == "dragon":
                log.warning("guard_model_failed", fallback="dragon", error=str(error))
                return await self._plain(ask, finding)
            raise _Failed(finding, error) from error

    async def _plain(self, ask: Ask, finding: Finding) -> Effect:
        """The guard without its model."""
        try:
            return await create_guard("dragon")(ask, Tools())
        except GuardUnavailable as error:
            refusing = replace(finding, forget_list=replace(finding.forget_list, fallback="refuse"))
            raise _Failed(refusing, error) from error

    async def _fallen(self, failed: _Failed, prompt: Prompt) -> Guarded:
        fallback = failed.finding.forget_list.fallback
        log.warning("guard_failed", guard=failed.finding.action, fallback=fallback, error=str(failed.error))
        return await self.spoken(failed.finding, prompt, fallback)

    async def _said(self, finding: Finding, action: Action, prompt: Prompt) -> Guarded:
        effect = await create_guard(action)(_ask(finding, prompt), Tools())
        assert isinstance(effect, Say)  # noqa: S101 - these two guards say something
        return Guarded(action, prompt.body, finding, effect.text)

    def _rewritten(
        self, plan: Plan, prompt: Prompt, effects: Sequence[tuple[Finding, Effect]], chat: bool
    ) -> tuple[Body, tuple[str, ...]]:
        body = copy.deepcopy(prompt.body)
        if plan.of("redact"):
            body = apply_redaction(body, prompt.surfaces, plan)
        if not all(isinstance(effect, Corrupt) for _, effect in effects):
            body = defused(body, chat=chat)
        inserted: list[str] = []
        for finding, effect in sorted(effects, key=lambda own: _ORDER.index(type(own[1]))):
            if isinstance(effect, Corrupt):
                try:
                    body = apply_eco(body, prompt.surfaces, plan, effect.eco, chat=chat)
                except GuardUnavailable as error:
                    raise _Failed(finding, error) from error
            elif isinstance(effect, Prefix):
                body = apply_prefix(body, effect, chat=chat)
                inserted += filter(None, (effect.before, effect.after, effect.system))
            elif isinstance(effect, Shots):
                body = apply_shots(body, effect.turns, chat=chat)
        return body, tuple(inserted)


class _Failed(Exception):
    """Carries a failure to where the fallback is."""

    def __init__(self, finding: Finding, error: GuardUnavailable) -> None:
        super().__init__(str(error))
        self.finding = finding
        self.error = error


def _ask(finding: Finding, prompt: Prompt) -> Ask:
    surfaces = prompt.surfaces
    asked = surfaces[finding.surface].text if 0 <= finding.surface < len(surfaces) else ""
    return Ask(finding.forget_list, finding.entry, asked, str(prompt.body.get("model") or ""))
