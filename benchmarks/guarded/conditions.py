"""The models and guards that are compared, and the questions that they are asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from benchmarks.data.tofu import PER_AUTHOR, Question, authors, load
from guard.registry import GUARDS

LIST = "forget"


@dataclass(frozen=True, slots=True)
class Material:
    """What is to be forgotten and what is to stay, as the models were trained on it."""

    forget: tuple[Question, ...]  # with TOFU's paraphrased questions
    keep: tuple[Question, ...]
    examples: tuple[Question, ...]  # about authors that neither model met and that are not asked about, for ICUL


def lines(questions: Sequence[Question]) -> list[str]:
    """Questions and answers as `letheward lists import` takes them; without TOFU's paraphrases."""
    return [json.dumps({"question": q.question, "answer": q.answer}) for q in questions]


class Fit(StrEnum):
    """What a fitted strength comes to."""

    RETAINED = "retained"  # the retained model's recall of the forget answers: the best that can be known
    NAMES = "made-up-names"  # what the full model itself says to the questions about made-up names


def material(tofu: str, full: Path, retained: Path) -> Material:
    """What the two models' manifests say that they were trained on.

    Raises:
        ValueError: they are not a pair: the retained model knows other authors, or the forget authors too.
    """
    knows = json.loads((full / "manifest.json").read_text(encoding="utf-8"))["authors"]
    kept = json.loads((retained / "manifest.json").read_text(encoding="utf-8"))["authors"]
    if kept.get("retain90") != knows.get("retain90") or kept.get("forget10") or not knows.get("forget10"):
        raise ValueError(f"the models are no pair: {full.name} learnt {knows}, {retained.name} {kept}")
    forget = load(tofu, "forget10_perturbed")[: knows["forget10"] * PER_AUTHOR]
    others = load(tofu, "retain90")[knows["retain90"] * PER_AUTHOR :: PER_AUTHOR]
    return Material(tuple(forget), tuple(authors(tofu, "retain90", knows["retain90"])), tuple(others[:6]))


@dataclass(frozen=True, slots=True)
class Guarding:
    """One way to guard the list: ``settings`` of it, and to what ECO's strength is to be fitted, if to anything."""

    name: str
    settings: Mapping[str, Any]
    fit: Fit | None = None


def guardings(
    actions: Sequence[str], sigmas: Sequence[float], stuff: Material, fits: Sequence[Fit] = ()
) -> Iterator[Guarding]:
    """The settings to compare, ECO once for each strength and each fit, which come last: a fit goes before a strength.

    Raises:
        ValueError: there is no such action.
    """
    examples = [{"question": q.question, "answer": q.answer} for q in stuff.examples]
    for action in actions:
        if action not in GUARDS:
            raise ValueError(f"there is no action {action!r}: choose from {', '.join(GUARDS)}")
        if action == "eco":
            for tokens in (None, "content"):
                for s in sigmas:
                    settings = {"policy": "eco", "sigma": s, "token_classifier": tokens}
                    yield Guarding(f"eco sigma={s:g}{_also(tokens)}", settings)
        elif action == "icul":
            yield Guarding(action, {"policy": action, "examples": examples})
        else:
            yield Guarding(action, {"policy": action})
    for fit in fits if "eco" in actions else ():
        for tokens in (None, "content"):
            settings = {"policy": "eco", "token_classifier": tokens}
            yield Guarding(f"eco fitted to {fit}{_also(tokens)}", settings, fit)


def _also(tokens: str | None) -> str:
    return f", {tokens} words too" if tokens else ""
