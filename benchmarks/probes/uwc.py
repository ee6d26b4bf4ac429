"""UWC: forgetting compared at the same usefulness (Wang et al., 2024, PAPERS.md, row 4).

    theta_mix = r theta_0 + (1 - r) theta; the smallest r that gives 95 % of theta_0's extraction strength, retain set

Then extraction strength on the forget set: a method that forgets by breaking the model needs much of the old one back,
and the forgotten with it. r is found by halving seven times, to 1/128.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.attacks.victim import Victim
from benchmarks.metrics.memorisation import extraction_strength
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.metrics.reading import Readings, Subjects
from benchmarks.probes.probe import Probe

_SHARE, _HALVINGS = 0.95, 7


def calibrated(victim: Victim) -> Measured | Undefined:
    """Extraction strength on the forget set, once the retain set's is back."""
    if victim.guard is not None:
        return Undefined("a guard changes no weights: there is nothing to mix")
    wanted = _strength(victim.target_readings, "retain")
    if isinstance(wanted, Undefined):
        return wanted
    own, target, mixed = victim.load(), victim.target(), victim.load()

    def strength(share: float, of: str) -> Measured | Undefined:
        _mix(mixed, own, target, share)
        return _strength(victim.read(mixed, {of: victim.sets[of]}, scored=True, texts=False), of)

    def useful(share: float) -> bool:
        found = strength(share, "retain")
        return isinstance(found, Measured) and found.value >= _SHARE * wanted.value

    low, high = 0.0, 1.0
    if useful(0.0):
        high = 0.0
    for _ in range(_HALVINGS if high else 0):
        middle = (low + high) / 2
        low, high = (low, middle) if useful(middle) else (middle, high)
    found = strength(high, "forget")
    if isinstance(found, Undefined):
        return found
    return replace(found, note=f"{high:.3f} of the target's weights mixed in")


def _strength(readings: Readings, of: str) -> Measured | Undefined:
    return extraction_strength(Subjects(readings, {}, {}), of)


def _mix(mixed: Any, own: Any, target: Any, share: float) -> None:
    import torch

    with torch.no_grad():
        for here, mine, before in zip(mixed.parameters(), own.parameters(), target.parameters(), strict=True):
            here.copy_(share * before + (1 - share) * mine)


UWC = Probe("extraction strength forget, at the target's usefulness", "PAPERS.md, row 4", "retained", "robustness",
            calibrated)  # fmt: skip
