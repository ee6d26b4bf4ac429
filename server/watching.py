"""Saying what would have been done, where a list or the whole proxy only watches."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from classifiers.types import Verdict
from guard.router import STRICTNESS, Finding, Plan
from server.errors import ApiError
from server.metrics import Metrics

log = structlog.get_logger("letheward.watching")


def tell(decided: Plan, *, enforcing: bool, revision: int, metrics: Metrics) -> None:
    """Count what is decided; log what is not done: all of it, or of lists with policy ``monitor`` alone."""
    for finding in _strictest_by_list(decided.findings):
        done = _done(decided, finding) if enforcing else "monitor"
        metrics.decided(finding.forget_list.name, done, _stage(finding.verdict))
    found = [f for f in decided.findings if f.action == "monitor" or not enforcing]
    for finding in _strictest_by_list(found):
        would_be = _instead(decided, finding)
        metrics.would_act(finding.forget_list.name, would_be)
        log.info(
            "would_act",
            would_be=would_be,
            forget_list=finding.forget_list.name,
            entry=finding.verdict.entry_id,
            score=round(finding.verdict.score, 4),
            threshold=round(finding.verdict.threshold, 4),
            revision=revision,
        )


def tell_refused(error: ApiError, *, revision: int, metrics: Metrics) -> None:
    """The same for a request that would have been answered with an error before it reached a model."""
    metrics.would_act("", "refuse")
    log.info("would_act", would_be="refuse", status=error.status, code=error.code, param=error.param, revision=revision)


def _strictest_by_list(found: Iterable[Finding]) -> list[Finding]:
    best: dict[str, Finding] = {}
    for finding in sorted(found, key=lambda f: (STRICTNESS.index(f.action), f.verdict.score)):
        best[finding.forget_list.name] = finding
    return [best[name] for name in sorted(best)]


def _instead(decided: Plan, finding: Finding) -> str:
    return finding.forget_list.fallback if finding.action == "monitor" else _done(decided, finding)


def _done(decided: Plan, finding: Finding) -> str:
    return decided.action if finding is decided.decisive else finding.action


def _stage(verdict: Verdict) -> str:
    """What told most: a name, a description, the meaning, or, where there is no such evidence, the talk before."""
    best = max(verdict.evidence, key=lambda e: e.score, default=None)
    return best.stage.partition(" (")[0] if best is not None else "context"
