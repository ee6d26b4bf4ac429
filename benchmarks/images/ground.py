"""What all methods are run on: the digits, two generators that know them all, a scorer and a judge."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.images import diffusion, gan, judge, retrain, scorer
from benchmarks.images.digits import Digits, load
from benchmarks.images.method import Forgetting, Kind
from benchmarks.models.meter import Meter


@dataclass(frozen=True, slots=True)
class Recipes:
    """How the generators and the scorer are taught."""

    diffusion: diffusion.Recipe = field(default_factory=diffusion.Recipe)
    gan: gan.Recipe = field(default_factory=gan.Recipe)
    scorer: scorer.Recipe = field(default_factory=scorer.Recipe)


@dataclass(frozen=True)
class Ground:
    """What was made of one seed."""

    seed: int
    digits: Digits
    targets: dict[Kind, Any]
    scorer: scorer.Scorer
    judge: judge.Judge

    def work(self, kind: Kind, forget: int, options: Any, checkpoint: Path | None, meter: Meter) -> Forgetting:
        """What a method is given: a target of its own."""
        return Forgetting(
            copy.deepcopy(self.targets[kind]), self.digits.parted(forget), self.scorer, options, self.seed, checkpoint,
            meter,
        )  # fmt: skip


def made(
    seed: int, folder: Path | None, kinds: set[Kind], recipes: Recipes | None = None, *, shown: bool = False
) -> Ground:
    """The ground of a seed with targets of ``kinds``; what is taught is kept in ``folder``, and found there again."""
    ways = recipes or Recipes()
    digits = load(seed)
    known = digits.parted(0).digest

    def got(name: str, recipe: Any, new: Callable[[], Any], teach: Callable[[Meter], Any]) -> Any:
        key = hashlib.sha256(repr((seed, recipe, known)).encode()).hexdigest()[:12]
        return _kept(folder and folder / f"{name}-{key}.pt", new, lambda: teach(Meter(f"teach {name}", shown)))

    targets: dict[Kind, Any] = {}
    if Kind.DIFFUSION in kinds:
        targets[Kind.DIFFUSION] = got(
            "diffusion", ways.diffusion, lambda: diffusion.new(seed),
            lambda meter: retrain.taught_diffusion(digits.train, ways.diffusion, seed, meter),
        )  # fmt: skip
    if Kind.GAN in kinds:
        targets[Kind.GAN] = got(
            "gan", ways.gan, lambda: gan.new(seed),
            lambda meter: retrain.taught_gan(digits.train, ways.gan, seed, meter),
        )  # fmt: skip
    scoring = got(
        "scorer", ways.scorer, lambda: scorer.new(seed),
        lambda meter: scorer.taught(digits.train, ways.scorer, seed, meter),
    )  # fmt: skip
    return Ground(seed, digits, targets, scoring.still(), judge.taught(digits.judging, seed))


def _kept(file: Path | None, new: Callable[[], Any], teach: Callable[[], Any]) -> Any:
    """What was taught before, or what is taught now."""
    import torch

    if file is not None and file.is_file():
        found, state = new(), torch.load(file, weights_only=True)
        with torch.no_grad():
            for name, weight in found.weights().items():
                weight.copy_(state[name])
        return found
    found = teach()
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.save({name: weight.detach() for name, weight in found.weights().items()}, file.with_suffix(".part"))
        os.replace(file.with_suffix(".part"), file)
    return found
