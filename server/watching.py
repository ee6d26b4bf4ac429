"""Saying what would have been done, where a list or the whole proxy only watches."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from guard.router import STRICTNESS, Finding, Plan
from server.errors import ApiError
from server.metrics import Metrics

log = structlog.get_logger("letheward.watching")


def tell(decided: Plan, *, enforcing: bool, revision: int, metrics: Metrics) -> None:
    """Log and count what ``decided`` would do: all of it, or of lists with policy ``monitor`` where it is enforced."""
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
    if finding.action == "monitor":
        return finding.forget_list.fallback
    return decided.action if finding is decided.decisive else finding.action
