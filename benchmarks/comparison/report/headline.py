"""The answer in words: should one guard or retrain? Made from the figures alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.comparison.report.breakeven import (
    MARGIN,
    BreakEven,
    break_even,
    deletion_seconds,
    paid_requests,
    rivals,
    run_seconds,
    speed_up,
    updating,
)
from benchmarks.comparison.report.numbers import counted, duration, plain, times, with_error
from benchmarks.comparison.report.view import FORGETTING, UTILITY, Row, View
from benchmarks.methods.method import Intent


@dataclass(frozen=True, slots=True)
class Answer:
    """``verdict`` in a few words, ``reasons`` in sentences; ``side``: which of the two it is for."""

    verdict: str
    reasons: tuple[str, ...]
    side: Literal["guard", "updating", "open"]


def chosen_guard(view: View) -> Row | None:
    """The guard with the highest retain ROUGE-L less what it tells more than the retained model does."""
    never = _value(view.retained, FORGETTING) or 0.0
    found = []
    for row in view.guards:
        told, kept = row.figure(FORGETTING), row.figure(UTILITY)
        if told is not None and kept is not None:
            found.append((kept.value - max(0.0, told.value - never), -row.number, row))
    return max(found, key=lambda each: each[:2])[2] if found else None


def good_enough(view: View, row: Row) -> bool:
    """It tells no more than the retained model and keeps as much as the target, both within ``MARGIN``."""
    told, kept = row.figure(FORGETTING), row.figure(UTILITY)
    never, before = _value(view.retained, FORGETTING), _value(view.target, UTILITY)
    if told is None or kept is None or never is None or before is None:
        return False
    return told.value <= never + MARGIN and kept.value >= before - MARGIN


def answer(view: View) -> Answer:
    """The answer."""
    guard = chosen_guard(view)
    if guard is None:
        return Answer("No answer: no guard has both figures.", (_of_failed(view),), "open")
    if _value(view.retained, FORGETTING) is None or _value(view.target, UTILITY) is None:
        why = "Without figures of the target and of the retained model nothing says how much is enough."
        return Answer("No answer: there is nothing to measure against.", (why, *_seconds(view, guard)), "open")
    other = next((row for row in updating(view) if good_enough(view, row)), None)
    head, side = _verdict(view, guard, other)
    reasons = [
        _quality(view, guard),
        *_seconds(view, guard),
        *_requests(guard, other),
        _intent(view),
        _how(view, guard),
    ]
    return Answer(head, tuple(reason for reason in reasons if reason), side)


def name_of(row: Row) -> str:
    """A row in a sentence."""
    return "retraining" if row.outcome.name == "retained" else row.title


def _verdict(view: View, guard: Row, other: Row | None) -> tuple[str, Literal["guard", "updating", "open"]]:
    good = good_enough(view, guard)
    if other is None and not good:
        return "Neither: nothing here forgets enough and stays as useful.", "open"
    if other is None:
        return (
            f"Guard, with {guard.title}: no method that changes weights forgets as much and stays as useful.",
            "guard",
        )
    if not good:
        what = "Retrain" if other.outcome.name == "retained" else f"Unlearn, with {other.title}"
        return f"{what}: the guards here {_shortcoming(view, guard)}.", "updating"
    even = break_even(guard.outcome.cost, other.outcome.cost, 0)
    return _by_seconds(guard, other, even)


def _by_seconds(guard: Row, other: Row, even: BreakEven | None) -> tuple[str, Literal["guard", "updating", "open"]]:
    if even is None:
        return f"Guard, with {guard.title}, or {name_of(other)}: both do, and seconds are not known.", "open"
    if even.first == "guard":
        until = "" if even.until is None else f", up to {counted(even.until)} deletions"
        return f"Guard, with {guard.title}{until}: {name_of(other)} does as well and takes longer.", "guard"
    if even.until is None:
        both = f"as {guard.title} does and never takes longer"
        return f"Do not guard: {name_of(other)} forgets enough and stays as useful, {both}.", "updating"
    since = f"from deletion {counted(even.until + 1)} on"
    before = f"before that {name_of(other)} takes less time, requests left aside"
    return f"Guard, with {guard.title}, {since}; {before}.", "guard"


def _shortcoming(view: View, guard: Row) -> str:
    told, never = _value(guard, FORGETTING) or 0.0, _value(view.retained, FORGETTING) or 0.0
    return "still tell too much" if told > never + MARGIN else "lose too much of what is to stay"


def _quality(view: View, guard: Row) -> str:
    return (
        f"On the forget set {guard.title} says {_shown(guard, FORGETTING)} of the true answers (ROUGE-L; the target"
        f" {_shown(view.target, FORGETTING)}, the retained model {_shown(view.retained, FORGETTING)}),"
        f" on the retain set {_shown(guard, UTILITY)} (the target {_shown(view.target, UTILITY)})."
    )


def _seconds(view: View, guard: Row) -> list[str]:
    found, lines = rivals(view, guard), []
    who = f"tells as little of the forget set as {guard.title}, within {MARGIN} of ROUGE-L"
    if found.as_guard is None:
        lines.append(f"No method that changes weights {who}.")
    else:
        lines.append(f"The fastest method that changes weights and {who}, is {_timed(guard, found.as_guard)}.")
    if found.as_retained not in (None, found.as_guard):
        lines.append(f"The fastest that tells no more than the retained model is {_timed(guard, found.as_retained)}.")
    if found.useful is None:
        lines.append("None of those that tell no more than the retained model stays as useful as the guard.")
    elif found.useful not in (found.as_guard, found.as_retained):
        lines.append(f"The fastest that stays as useful as well is {_timed(guard, found.useful)}.")
    return lines


def _timed(guard: Row, row: Row | None) -> str:
    if row is None:
        return "none"
    run, ratio = run_seconds(row.outcome.cost), speed_up(guard.outcome.cost, row.outcome.cost)
    own = deletion_seconds(guard.outcome.cost)
    kept = f"with a ROUGE-L of {_shown(row, UTILITY)} on the retain set"
    against = f", {times(ratio)} the {duration(own)} of a deletion by {guard.title}" if ratio is not None else ""
    return f"{name_of(row)}, {kept}: a run takes {duration(run)}{against}"


def _requests(guard: Row, other: Row | None) -> list[str]:
    added = guard.outcome.cost.request_seconds
    if added is None or added <= 0:
        return []
    line = f"{guard.title} adds {duration(added)} to a request"
    paid = paid_requests(guard.outcome.cost, other.outcome.cost) if other else None
    if other is None or paid is None:
        return [f"{line}."]
    most = 1_000_000
    even = told_even(break_even(guard.outcome.cost, other.outcome.cost, most), other)
    return [f"{line}: not running {name_of(other)} for a deletion makes up for {counted(paid)} requests."
            f" With {counted(most)} requests which takes less time, by the number of deletions: {even}."]  # fmt: skip


def told_even(even: BreakEven | None, other: Row) -> str:
    """A break-even in words."""
    if even is None:
        return "n/a"
    first, second = (name_of(other), "guard") if even.first == "updating" else ("guard", name_of(other))
    if even.until is None:
        return f"{first} always"
    return f"{first} up to {counted(even.until)}, {second} from {counted(even.until + 1)}"


def _intent(view: View) -> str:
    removing = [row.title for row in view.methods if row.card.intent is Intent.REMOVE and not row.outcome.failed]
    names = f": here retraining{''.join(f', {name}' for name in removing)}"
    return (
        "A guard suppresses: the weights still hold what is to be forgotten. Where removal from the weights is owed,"
        f" only methods that mean to remove are an answer, whatever the seconds{names}."
    )


def _how(view: View, guard: Row) -> str:
    told = guard.figure(FORGETTING)
    asked = f"{counted(told.n)} questions about what is to be forgotten" if told else "no questions"
    return (
        f"Enough is taken to be: on the forget set no more than {plain(MARGIN)} above the retained model, on the retain"
        f" set no more than {plain(MARGIN)} below the target. {asked[0].upper()}{asked[1:]} were asked, in one run;"
        f" the guard is the one with the best balance of the two. {_of_failed(view)}"
    ).strip()


def _of_failed(view: View) -> str:
    failed = [row.title for row in view.methods if row.outcome.failed]
    return f"Without figures, because they failed: {', '.join(failed)}." if failed else ""


def _value(row: Row | None, name: str) -> float | None:
    figure = row.figure(name) if row else None
    return figure.value if figure else None


def _shown(row: Row | None, name: str) -> str:
    figure = row.figure(name) if row else None
    return with_error(figure.value, figure.stderr) if figure else "n/a"
