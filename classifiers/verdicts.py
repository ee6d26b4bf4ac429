"""From what was seen of entries to verdicts, at most one for each list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from classifiers.allow import Allowed
from classifiers.segment import Found
from classifiers.types import Encoder, Evidence, Span, Target, Verdict

Pairs = Sequence[tuple[Target, Found]]


def verdicts(
    text: str, found: Pairs, threshold_of: Callable[[str], float], allowed: Allowed, encoder: Encoder
) -> tuple[Verdict, ...]:
    """The lists that ``text`` is about, but for what they allow."""
    by_list: dict[str, list[tuple[Target, Found]]] = defaultdict(list)
    for target, best in found:
        if best.score >= threshold_of(target.list_name):
            by_list[target.list_name].append((target, best))
    made: list[Verdict] = []
    for name, flagged in sorted(by_list.items()):
        verdict = _verdict(name, flagged, threshold_of(name))
        if not allowed.permits(text, verdict, [target for target, _ in flagged], encoder):
            made.append(verdict)
    return tuple(made)


def carried(found: Iterable[Verdict], turn: str) -> tuple[Verdict, ...]:
    """Verdicts on a turn that owe a name to an earlier one: all of the turn is meant."""
    return tuple(
        replace(
            verdict,
            spans=(Span(0, len(turn)),),
            evidence=tuple(
                replace(e, view=f"{e.view}, with a name of an earlier turn") for e in verdict.evidence
            ),
        )
        for verdict in found
    )  # fmt: skip


def _verdict(list_name: str, flagged: Pairs, threshold: float) -> Verdict:
    target, top = max(flagged, key=lambda item: (item[1].score, item[1].cosine))
    spans: list[Span] = []
    for _, best in flagged:
        spans += best.sighting.spans or ([best.window.raw] if best.window else [])
    evidence: list[Evidence] = []
    seen = top.sighting
    if seen.strength:
        evidence.append(Evidence(f"name ({seen.kind})", seen.view, target.entry_id, seen.strength))
    if top.described:
        evidence.append(Evidence("description", _view(top), target.entry_id, top.described))
    if top.window:
        evidence.append(Evidence("semantic", _view(top), target.entry_id, top.cosine))
    if top.signals and top.signals.trained is not None:
        evidence.append(Evidence("trained classifier", _view(top), target.entry_id, top.signals.trained))
    return Verdict(list_name, target.entry_id, top.score, threshold, merge(spans), tuple(evidence))


def _view(found: Found) -> str:
    return found.window.view if found.window else found.sighting.view


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """``spans`` sorted, those that touch or overlap as one."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, s.end)):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def plain(verdict: Verdict, text: str) -> dict[str, Any]:
    """A verdict as values for JSON, with the words that its spans hold."""
    return {
        "list": verdict.list_name,
        "entry": verdict.entry_id,
        "score": round(verdict.score, 4),
        "threshold": round(verdict.threshold, 4),
        "spans": [{"start": s.start, "end": s.end, "text": text[s.start : s.end]} for s in verdict.spans],
        "evidence": [
            {"stage": e.stage, "view": e.view, "entry": e.entry_id, "score": round(e.score, 4)}
            for e in verdict.evidence
        ],
    }


def plain_near(target: Target, best: Found, threshold: float) -> dict[str, Any]:
    """What was seen of one entry, as values for JSON."""
    return {
        "list": target.list_name,
        "entry": target.entry_id,
        "score": round(best.score, 4),
        "threshold": round(threshold, 4),
        "name": best.sighting.strength,
        "cosine": round(best.cosine, 4),
        "described": round(best.described, 2),
        "view": best.sighting.view or (best.window.view if best.window else "raw"),
    }
