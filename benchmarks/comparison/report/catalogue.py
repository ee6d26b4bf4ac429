"""What methods and metrics are called and which way is better, also of names that the registries do not have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.attacks.attack import Attack
from benchmarks.attacks.registry import ATTACKS, attack
from benchmarks.comparison.outcome import Comparison
from benchmarks.comparison.rows import ATTACKED
from benchmarks.methods.method import Basis, Card, Intent
from benchmarks.methods.registry import METHODS, method
from benchmarks.metrics.metric import Metric
from benchmarks.metrics.registry import METRICS, metric
from benchmarks.probes.probe import Probe
from benchmarks.probes.registry import PROBES, probe

About = Literal["forgetting", "attack", "robustness", "representation", "utility", "privacy", "fluency", "other"]
ABOUTS: tuple[About, ...] = (
    "forgetting", "attack", "robustness", "representation", "utility", "privacy", "fluency", "other"
)  # fmt: skip
FAMILIES = ("guard", "retraining", "divergence", "rejection", "representation", "distillation", "weights", "other")

_YARDSTICKS = {
    "target": Card("Target model", "", "yardstick", Intent.REMOVE, "nothing: the model before anything was forgotten",
                   Basis.HERE),
    "retained": Card("Retained model", "", "yardstick", Intent.REMOVE, "all weights: taught without the forget set",
                     Basis.HERE),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heading:
    """What a report says of a metric; ``better`` as in ``Metric``, "" where nothing is known."""

    name: str
    title: str
    paper: str
    better: Literal["low", "high", "retained", ""]
    about: About


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Cards and headings by name."""

    cards: Mapping[str, Card]
    headings: Mapping[str, Heading]
    attacks: Mapping[str, Attack] = field(default_factory=dict)

    def card(self, name: str) -> Card:
        """The method's card, or one that tells its name alone."""
        unknown = Card(name, "", "other", Intent.SUPPRESS, "not known", Basis.HERE)
        return _YARDSTICKS.get(name) or self.cards.get(name) or unknown

    def heading(self, name: str) -> Heading:
        """The metric's heading, or one that tells its name alone; an attack is measured as ``forget_rouge`` is."""
        if name.startswith(ATTACKED):
            known = self.attacks.get(name.removeprefix(ATTACKED))
            title = known.title if known else name.removeprefix(ATTACKED).replace("_", " ")
            return Heading(name, title, known.paper if known else "", "retained", "attack")
        return self.headings.get(name) or Heading(name, name.replace("_", " "), "", "", "other")


def registered(comparison: Comparison) -> Catalogue:
    """What the registries tell of the comparison's methods and metrics."""
    methods = {outcome.name for outcome in comparison.outcomes} & set(METHODS)
    names = {name for outcome in comparison.outcomes for name in outcome.figures}
    headings = {name: _heading(name, metric(name)) for name in names & set(METRICS)}
    headings |= {name: _heading(name, probe(name)) for name in names & set(PROBES)}
    attacks = {name.removeprefix(ATTACKED) for name in names if name.startswith(ATTACKED)} & set(ATTACKS)
    return Catalogue({name: method(name).card for name in methods}, headings, {name: attack(name) for name in attacks})


def _heading(name: str, found: Metric | Probe) -> Heading:
    return Heading(name, found.title, found.paper, found.better, found.about)
