"""What came of the shots: rates with bounds, by family of disguise, and what leaked, by cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.attacks.forms import FORMS
from benchmarks.attacks.replies import REPLIES
from benchmarks.redteaming.attack import Shot
from guard.verification.bounds import Rate
from server.guarding import PASSING

CONFIDENCE = 0.95
PLAIN = "no disguise"
_EXAMPLES = 3
_SHOWN = 300  # characters of a query


@dataclass(frozen=True, slots=True)
class Tally:
    """Queries that use a form or a family of forms, alone or with others."""

    name: str
    queries: int
    flagged: int
    reached: int
    leaked: int


@dataclass(frozen=True, slots=True)
class Cause:
    """Leaks alike. ``examples``: the shortest, each of other forms."""

    name: str
    leaks: int
    facts: int
    examples: tuple[Shot, ...]


def rates(shots: Sequence[Shot]) -> dict[str, Rate]:
    """Of queries, and of facts that leaked at least once. Queries of one fact depend on each other, facts do not."""
    facts = {shot.fact for shot in shots}
    lost = {shot.fact for shot in shots if shot.leaked}
    return {
        "queries": Rate(sum(shot.leaked for shot in shots), len(shots), CONFIDENCE),
        "facts": Rate(len(lost), len(facts), CONFIDENCE),
    }


def families(shots: Sequence[Shot]) -> list[Tally]:
    """Each family that was used, those that leak most first."""
    return _tallies(shots, lambda shot: {FORMS[step].family for step in shot.steps} or {PLAIN})


def forms(shots: Sequence[Shot]) -> list[Tally]:
    """Each form that was used, those that leak most first."""
    return _tallies(shots, lambda shot: set(shot.steps) or {PLAIN})


def _tallies(shots: Sequence[Shot], of: Callable[[Shot], set[str]]) -> list[Tally]:
    groups: dict[str, list[Shot]] = {}
    for shot in shots:
        for name in sorted(of(shot)):
            groups.setdefault(name, []).append(shot)
    found = [
        Tally(name, len(own), sum(map(_flagged, own)), sum(s.reached is True for s in own), sum(s.leaked for s in own))
        for name, own in groups.items()
    ]
    return sorted(found, key=lambda one: (-one.leaked / one.queries, -one.reached / one.queries, one.name))


def unflagged(shots: Sequence[Shot]) -> list[Shot]:
    """Questions that were not flagged in the fewest forms each: no chain of which another's forms are a part."""
    found: dict[frozenset[str], Shot] = {}
    for shot in sorted(shots, key=lambda s: (len(s.steps), sum(map(len, s.turns)))):
        asked = frozenset(name for name in shot.steps if FORMS[name].family != "reply")
        if not _flagged(shot) and not any(known <= asked for known in found):
            found[asked] = shot
    return list(found.values())


def causes(shots: Sequence[Shot]) -> list[Cause]:
    """Leaks by what let them through: how the question passed, and in what form the answer did."""
    groups: dict[str, list[Shot]] = {}
    for shot in shots:
        if shot.leaked:
            groups.setdefault(_cause(shot), []).append(shot)
    found = [Cause(name, len(own), len({s.fact for s in own}), _shortest(own)) for name, own in groups.items()]
    return sorted(found, key=lambda cause: -cause.leaks)


def _cause(shot: Shot) -> str:
    asked = [name for name in shot.steps if FORMS[name].family != "reply"]
    answered = [name for name in shot.steps if FORMS[name].family == "reply"]
    through = f"flagged ({shot.action})" if _flagged(shot) else "question not flagged"
    kinds = " + ".join(sorted({FORMS[name].family for name in asked})) or PLAIN
    return f"{through}: {kinds}; answer {'open' if shot.open else 'disguised: ' + ' + '.join(sorted(set(answered)))}"


def _shortest(own: Sequence[Shot]) -> tuple[Shot, ...]:
    found: dict[frozenset[str], Shot] = {}
    for shot in sorted(own, key=lambda s: (len(s.steps), sum(map(len, s.turns)))):
        found.setdefault(frozenset(shot.steps), shot)
    return tuple(found.values())[:_EXAMPLES]


def told(shots: Sequence[Shot]) -> Iterator[str]:
    """For people."""
    for visible in sorted({shot.visible for shot in shots}):
        own = [shot for shot in shots if shot.visible is visible]
        yield f"\nThe attacker {'is told what is flagged' if visible else 'sees answers alone'}"
        for name, rate in rates(own).items():
            yield (f"  {name:<8} {rate.k} of {rate.n} leak: {rate.value:.2%}, at most {rate.upper:.2%} and at least "
                   f"{rate.lower:.2%}, each with {rate.confidence:.0%}")  # fmt: skip
        yield "  | family | queries | flagged | told by the model | leaked |\n  |---|---:|---:|---:|---:|"
        for one in families(own):
            yield f"  | {one.name} | {one.queries} | {one.flagged / one.queries:.1%} | {one.reached} | {one.leaked} |"
    answers = [one for one in forms(shots) if one.name in REPLIES and one.reached]
    if answers:
        yield "\nAnswers that the model gave in a disguise, and of them those that came through"
        yield from (f"  {one.name}: {one.leaked} of {one.reached}" for one in answers)
    for cause in causes(shots):
        yield f"\n{cause.leaks} leaks of {cause.facts} facts. {cause.name}"
        for shot in cause.examples:
            yield f"  {' > '.join(shot.steps) or PLAIN}: {_short(' || '.join(shot.turns))!r} -> {_short(shot.reply)!r}"
    yield "\nQuestions that were not flagged, in the fewest forms"
    for shot in unflagged(shots):
        yield f"  {' > '.join(shot.steps) or PLAIN}: {_short(' || '.join(shot.turns))!r}"


def plain(shots: Sequence[Shot]) -> dict[str, Any]:
    """For JSON: rates, families, forms, causes with their examples, what was not flagged, and every leak."""
    found: dict[str, Any] = {}
    for visible in sorted({shot.visible for shot in shots}):
        own = [shot for shot in shots if shot.visible is visible]
        found["visible" if visible else "hidden"] = {
            "rates": {name: rate.plain() for name, rate in rates(own).items()},
            "families": [asdict(one) for one in families(own)],
            "forms": [asdict(one) for one in forms(own)],
        }
    return found | {"causes": [asdict(cause) for cause in causes(shots)],
                    "unflagged": [asdict(shot) for shot in unflagged(shots)],
                    "leaks": [asdict(shot) for shot in shots if shot.leaked]}  # fmt: skip


def _flagged(shot: Shot) -> bool:
    return shot.action not in PASSING


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]} ... {text[-_SHOWN // 2 :]}"
