"""The deletion record: what was asked of which model behind which lists, what came of it, and what that shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from guard.verification.canonical import rounded
from guard.verification.probes import Chosen, Probe
from guard.verification.signing import Signer
from guard.verification.tally import Outcomes, Tally
from guard.verification.telling import CRITERION
from guard.verification.untouched import Compared, untouched
from guard.verification.verdict import judge

KIND = "letheward deletion record"
FORMAT = 1

_LIMITS = (
    "Bounds are Clopper and Pearson's, one-sided, each with the stated confidence by itself.",
    "Answers: n is the number of answers. Given the probes they are independent draws of the model; at "
    "temperature 0 a probe is asked once, since more would add nothing. The bound is on the mean leak probability "
    "of the probes as they were asked: for a user who sends one of them at random.",
    "Probes, entries: each counts once, however many of its answers tell. The bounds are on other probes or "
    "entries that are drawn in the same way.",
    "Probes are made by rules from an entry's texts, in English, and from the operator's own paraphrases. Whoever "
    "has another idea may get further.",
    "What the criterion does not see is not counted: a long answer may be given in other words. On TOFU's "
    "forget05 it sees all answers as they are, three quarters of the paraphrased ones, and one in twelve wrong "
    "answers in the same words.",
    "The guard model's reasoning is kept between answers of a DRAGON list, so that these depend on each other a "
    "little.",
    "Yes-or-no questions that give the fact themselves are not asked: a yes to them cannot be told from a guess.",
)


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that a record is made of.

    Attributes:
        id: of the verification.
        by: who asked for it.
        began: when it began, and ``ended`` when it ended.
        list_name: the forget list.
        entry_id: the one entry that was asked for, else None.
        chosen: what was asked about.
        probes: what was asked.
        guard: the lists in force and how they were judged.
        model: the served model.
        method: how it was asked; has ``confidence`` and ``tolerance``.
        outcomes: what came of it.
        compared: the neighbours' answers.
        told: texts of answers that told something, where they are wanted; by probe.
    """

    id: str
    by: str
    began: datetime
    ended: datetime
    list_name: str
    entry_id: str | None
    chosen: Chosen
    probes: Sequence[Probe]
    guard: Mapping[str, Any]
    model: Mapping[str, Any]
    method: Mapping[str, Any]
    outcomes: Outcomes
    compared: Sequence[Compared]
    told: Mapping[str, str] | None = None


def make_record(run: Run, signer: Signer) -> dict[str, Any]:
    """The record, unsigned. Without ``told`` it holds no text of an entry, but ids and digests of the signer."""
    confidence, tolerance = float(run.method["confidence"]), float(run.method["tolerance"])
    live, bare, guess = (run.outcomes.tally(arm, confidence) for arm in ("live", "bare", "guess"))
    verdict = judge(live, bare, guess, tolerance=tolerance)
    known = bare.telling()
    record = {
        "kind": KIND, "format": FORMAT, "id": run.id, "by": run.by,
        "began": _moment(run.began), "ended": _moment(run.ended),
        "scope": {
            "list": run.list_name, "entry": run.entry_id, "entries": len(run.chosen.entries), "of": run.chosen.of,
            "left_out": [{"entry": e, "why": why} for e, why in run.chosen.left_out],
        },
        "guard": dict(run.guard), "model": dict(run.model),
        "method": dict(run.method) | {
            "probes": len(run.probes), "kinds": dict(sorted(Counter(p.kind for p in run.probes).items())),
            "criterion": CRITERION,
        },
        "verdict": verdict.plain(),
        "live": live.plain() | {
            "actions": dict(sorted(Counter(o.action for o in live.outcomes).items())),
            "streamed": sum(o.streamed for o in live.outcomes),
        },
        "bare": bare.plain(), "guess": guess.plain(),
        "known": {"entries": len(known), "live": live.among(known).plain(), "bare": bare.among(known).plain()},
        "by_kind": {k: _both(live.of(kind=k), bare.of(kind=k)) for k in dict.fromkeys(p.kind for p in run.probes)},
        "by_entry": [
            {"entry": e.entry_id, "digest": signer.digest(_content(e)), "known": e.entry_id in known}
            | _both(live.of(entry_id=e.entry_id), bare.of(entry_id=e.entry_id))
            for e in run.chosen.entries
        ],
        "leaks": _leaks(live, run.told),
        "neighbours": untouched(run.compared, confidence),
        "limits": list(_LIMITS),
    }  # fmt: skip
    if run.told is not None:
        record["texts"] = {p.id: list(p.variant.turns) for p in run.probes}
    found: dict[str, Any] = rounded(record)
    return found


def _both(live: Tally, bare: Tally) -> dict[str, Any]:
    return {"live": live.answers().plain(), "bare": bare.answers().plain()}


def _leaks(live: Tally, told: Mapping[str, str] | None) -> list[dict[str, Any]]:
    found = []
    for o in live.outcomes:
        if o.rule is None:
            continue
        row: dict[str, Any] = {
            "probe": o.probe, "rule": o.rule, "temperature": o.temperature, "sample": o.sample, "action": o.action,
            "streamed": o.streamed,
        }  # fmt: skip
        if told is not None:
            row["answer"] = told.get(f"{o.probe}/{o.temperature:g}/{o.sample}", "")
        found.append(row)
    return found


def _content(entry: Any) -> list[Any]:
    return [entry.subject, list(entry.aliases), entry.question, entry.answer, entry.text, list(entry.paraphrases)]


def _moment(when: datetime) -> str:
    return when.isoformat(timespec="seconds")
