"""From verdicts to what is done with a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from classifiers.types import Span, Verdict
from guard.model import EcoFit, Entry, ForgetList
from guard.selection import CONTENT

Action = Literal["pass", "monitor", "redact", "icul", "dragon", "eco", "template", "refuse"]
STRICTNESS: tuple[Action, ...] = ("pass", "monitor", "redact", "icul", "dragon", "eco", "template", "refuse")
# What the model does not see of a flagged text it cannot tell from it.
_UNTOLD: tuple[Action, ...] = ("eco", "redact", "monitor")
# These answer or rewrite the whole request: what was asked before must not lock what is asked now.
_WHOLE: tuple[Action, ...] = ("icul", "dragon", "template", "refuse")


@dataclass(frozen=True, slots=True)
class EcoSpans:
    """What to corrupt in one surface; no spans means all but the last token."""

    surface: int
    spans: tuple[Span, ...]
    sigma: float
    seed_key: str
    corruption: str = "gaussian"
    dims: int | None = None
    token_classifiers: tuple[str, ...] = ()

    @property
    def unread(self) -> bool:
        """Whether nothing that tells what is asked is left."""
        return not self.spans or CONTENT in self.token_classifiers

    def harder(self) -> EcoSpans:
        """Other noise, on the words of the text as well; all but the last token stay all but the last."""
        more = {*self.token_classifiers, CONTENT} if self.spans else self.token_classifiers
        return replace(self, seed_key=f"{self.seed_key}\0again", token_classifiers=tuple(sorted(more)))


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict on one surface, and the action that its list asks for."""

    surface: int
    verdict: Verdict
    forget_list: ForgetList
    entry: Entry
    action: Action


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to a request. ``decisive`` is the finding that set the strictest action."""

    action: Action
    decisive: Finding | None
    findings: tuple[Finding, ...]
    eco: tuple[EcoSpans, ...]

    def of(self, action: Action) -> list[Finding]:
        """The findings that ask for ``action``."""
        return [f for f in self.findings if f.action == action]

    def best(self, action: Action) -> Finding | None:
        """The surest finding that asks for ``action``."""
        return max(self.of(action), key=lambda f: f.verdict.score, default=None)

    @property
    def blind(self) -> bool:
        """Whether the model sees nothing of what was asked about the entries that were found."""
        return self.corrupts and all(e.unread for e in self.eco)

    @property
    def corrupts(self) -> bool:
        """Whether corruption is all that is done, so that the model is told nothing of it."""
        return self.action == "eco" and all(f.action in _UNTOLD for f in self.findings)

    def harder(self) -> Plan:
        """The same with other noise, on the words of the text as well as on what was found.

        For a model that told from the wording what its corrupted name no longer gave away.
        """
        return replace(self, eco=tuple(map(EcoSpans.harder, self.eco)))


def plan(
    verdicts: Sequence[Sequence[Verdict]],
    lists: Mapping[str, ForgetList],
    entries: Mapping[tuple[str, str], Entry],
    *,
    rewritable: Sequence[bool],
    eco_available: bool,
    past: Sequence[bool] = (),
    fits: Mapping[tuple[str, str], EcoFit] | None = None,
    model: str = "",
    applies: Callable[[ForgetList], bool] = lambda _: True,
) -> Plan:
    """Decide for a whole request.

    Args:
        verdicts: for each surface its verdicts.
        lists: the snapshot's lists by name.
        entries: the snapshot's entries by (list, id).
        rewritable: for each surface, whether ECO can put embeddings in its place.
        eco_available: whether the served model's embedding rows are at hand.
        past: for each surface, whether it stands before the user's last message.
        fits: corruption strengths found for (list, model); they go before the list's own.
        model: the model that is asked.
        applies: whether a list is for this request (its model, its client).

    Each finding takes its entry's action, else its list's policy, or the list's fallback where ECO cannot be carried
    out there; the strictest wins. What was refused or guarded when it was asked does not lock the rest of the
    conversation: in the past it is taken out of the text (or corrupted, where another list wants that there), and
    the last message decides.
    """
    findings: list[Finding] = []
    for surface, found in enumerate(verdicts):
        for verdict in found:
            forget_list = lists[verdict.list_name]
            if not applies(forget_list):
                continue
            entry = entries[verdict.list_name, verdict.entry_id]
            action: Action = entry.action or forget_list.policy
            if action == "eco" and not (eco_available and rewritable[surface]):
                action = forget_list.fallback
            if past and past[surface] and rewritable[surface] and action in _WHOLE:
                action = "redact"
            findings.append(Finding(surface, verdict, forget_list, entry, action))
    corrupted = {f.surface for f in findings if f.action == "eco"}
    findings = [replace(f, action="eco") if f.action == "redact" and f.surface in corrupted else f for f in findings]
    if not findings:
        return Plan("pass", None, (), ())
    decisive = max(findings, key=lambda f: (STRICTNESS.index(f.action), f.verdict.score))
    return Plan(decisive.action, decisive, tuple(findings), _eco_spans(findings, fits or {}, model))


def instead(finding: Finding, action: Action) -> Finding:
    """``finding`` with another action, where its own could not be carried out."""
    return replace(finding, action=action)


def _eco_spans(findings: Sequence[Finding], fits: Mapping[tuple[str, str], EcoFit], model: str) -> tuple[EcoSpans, ...]:
    by_surface: dict[int, list[Finding]] = {}
    for finding in findings:
        if finding.action == "eco":
            by_surface.setdefault(finding.surface, []).append(finding)
    return tuple(_merge(surface, found, fits, model) for surface, found in by_surface.items())


def _merge(surface: int, found: Sequence[Finding], fits: Mapping[tuple[str, str], EcoFit], model: str) -> EcoSpans:
    """One surface flagged by several entries: all their spans, corrupted as the one with the largest sigma asks."""
    whole = any(not f.verdict.spans for f in found)
    spans = () if whole else tuple(sorted({s for f in found for s in f.verdict.spans}, key=lambda s: (s.start, s.end)))
    way = max((_strength(f, fits, model) for f in found), key=lambda w: w.sigma)
    names = sorted({f.forget_list.name for f in found})
    classifiers = tuple(sorted({f.forget_list.token_classifier or "" for f in found} - {""}))
    return EcoSpans(surface, spans, way.sigma, "+".join(names), way.corruption, way.dims, classifiers)


def _strength(finding: Finding, fits: Mapping[tuple[str, str], EcoFit], model: str) -> EcoFit:
    """What was fitted for the list on the model, else the list's own; the entry's own sigma goes before both."""
    item = finding.forget_list
    way = fits.get((item.name, model)) or EcoFit(item.name, model, item.sigma, item.corruption, item.dims)
    return way if finding.entry.sigma is None else replace(way, sigma=finding.entry.sigma)
