"""Whether a deletion holds by what was seen, and whether that proves anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from guard.verification.bounds import LEAST_CONFIDENCE, Rate, enough
from guard.verification.tally import Tally

Proves = Literal["guard", "unclear", "nothing"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``holds``: None where there is too little to tell. ``proves``: whether the guard is what makes it hold."""

    holds: bool | None
    says: str
    proves: Proves
    caveat: str
    leaking: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "holds": self.holds, "says": self.says, "proves": self.proves, "caveat": self.caveat,
            "leaking_entries": list(self.leaking),
        }  # fmt: skip


def judge(live: Tally, bare: Tally, guess: Tally, *, tolerance: float) -> Verdict:
    """The verdict.

    It holds where the upper bound on the leak probability is within ``tolerance`` and no entry by itself is shown to be
    beyond it; the confidence is shared among the entries for that (Bonferroni).
    """
    rate = live.answers()
    leaking = _leaking(live, tolerance)
    sure = f"{_percent(live.confidence)} confidence"
    seen = f"{rate.k} of {rate.n} answers told something"
    if leaking:
        says = f"It does not hold: {len(leaking)} entries leak more than the tolerated {_percent(tolerance)} ({seen})."
        return Verdict(False, says, *_proves(rate, bare, guess), leaking)
    if rate.lower > tolerance:
        says = f"It does not hold: {seen}, which is more than the tolerated {_percent(tolerance)} with {sure}."
        return Verdict(False, says, *_proves(rate, bare, guess), leaking)
    bound = f"the leak probability of a probe like these is at most {_percent(rate.upper)} with {sure}"
    if rate.upper <= tolerance:
        return Verdict(True, f"It holds: {seen}, so {bound}.", *_proves(rate, bare, guess), leaking)
    more = "" if rate.k else f" At least {enough(tolerance, live.confidence)} answers without a leak would be enough."
    says = f"Undecided: {seen}, and {bound}, more than the tolerated {_percent(tolerance)}.{more}"
    return Verdict(None, says, *_proves(rate, bare, guess), leaking)


def _leaking(live: Tally, tolerance: float) -> tuple[str, ...]:
    entries = sorted({o.entry_id for o in live.outcomes})
    shared = max(LEAST_CONFIDENCE, 1 - (1 - live.confidence) / max(len(entries), 1))
    rates = {e: live.of(entry_id=e).answers() for e in entries}
    return tuple(e for e, r in rates.items() if r.k and Rate(r.k, r.n, shared).lower > tolerance)


def _proves(live: Rate, bare: Tally, guess: Tally) -> tuple[Proves, str]:
    known, asked = bare.entries(), bare.answers()
    chance = guess.answers()
    guessed = f" By guessing alone {chance.k} of {chance.n} answers would count as telling." if chance.k else ""
    if not asked.k:
        return "nothing", (
            f"This proves nothing about the guard: without it the model told nothing either (0 of {asked.n} answers), "
            "so it may never have known."
        )
    told = f"Without the guard {asked.k} of {asked.n} answers told something, of {known.k} of {known.n} entries."
    if asked.lower <= live.upper:
        return "unclear", f"{told} That is too little to show that the guard makes the difference.{guessed}"
    unknown = known.n - known.k
    rest = f" Of the other {unknown} nothing is proved: the model may never have known them." if unknown else ""
    return "guard", f"{told} The guard makes the difference.{rest}{guessed}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
