"""What every method for image generators keeps to, over the registry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.comparison.choosing import options
from benchmarks.images.ground import Ground
from benchmarks.images.method import Forgetting, Generator, Kind
from benchmarks.images.registry import METHODS, method
from benchmarks.methods.method import Basis, Intent
from benchmarks.models.meter import Meter
from tests.benchmarks.methods.tiny import Broken, Killed

FAMILIES = {"retraining", "divergence", "rejection", "representation", "distillation", "weights"}
QUICK: Mapping[str, Mapping[str, Any]] = {"text_to_unlearn": {"mapper_steps": 70}}
every_method = pytest.mark.parametrize("name", METHODS)


def _work(ground: Ground, name: str, file: Path | None = None, meter: Meter | None = None, **given: Any) -> Forgetting:
    chosen = options(method(name).options, {"steps": 110, "batch": 8, **QUICK.get(name, {}), **given})
    return ground.work(method(name).kind, 3, chosen, file, meter or Meter(shown=False))


def _copied(weights: Mapping[str, Any]) -> dict[str, Any]:
    return {name: weight.detach().clone() for name, weight in weights.items()}


def _changed(one: Mapping[str, Any], two: Mapping[str, Any]) -> set[str]:
    import torch

    assert one.keys() == two.keys()
    return {name for name in one if not torch.equal(one[name], two[name])}


def _weights(generator: Generator) -> Mapping[str, Any]:
    return generator.weights()


@every_method
def test_a_card_says_what_a_report_needs(name: str) -> None:
    card = method(name).card
    assert card.family in FAMILIES
    assert isinstance(card.intent, Intent)
    assert isinstance(card.basis, Basis)
    assert all((card.title, card.paper, card.touches))
    assert method(name).kind in Kind


def test_the_papers_of_the_table_have_their_numbers() -> None:
    assert method("sfd").card.rows == (26,)
    assert method("text_to_unlearn").card.rows == (19,)


@every_method
def test_the_same_seed_gives_the_same_weights_and_leaves_what_is_shared(images: Ground, name: str) -> None:
    target, scorer = _copied(images.targets[method(name).kind].weights()), _copied(images.scorer.weights())
    first = method(name).run(_work(images, name))
    assert _changed(first.weights(), target)
    assert not _changed(images.targets[method(name).kind].weights(), target)
    assert not _changed(images.scorer.weights(), scorer)
    assert not _changed(first.weights(), method(name).run(_work(images, name)).weights())


@every_method
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_killed_run_goes_on_to_the_weights_of_one_that_was_not(
    images: Ground, tmp_path: Path, name: str, share: float
) -> None:
    work = _work(images, name)
    whole = method(name).run(work)
    file = tmp_path / "state.pt"
    with pytest.raises(Broken):
        method(name).run(_work(images, name, file, Killed(shown=False, limit=share * work.meter.tokens)))
    again = _work(images, name, file)
    assert not _changed(method(name).run(again).weights(), whole.weights())
    assert again.meter.tokens == work.meter.tokens
    assert not list(tmp_path.glob("*.part"))


@every_method
def test_another_runs_state_is_refused(images: Ground, tmp_path: Path, name: str) -> None:
    file = tmp_path / "state.pt"
    method(name).run(_work(images, name, file, steps=50))
    with pytest.raises(ValueError, match="another run's: delete it"):
        method(name).run(_work(images, name, file, steps=51))


def test_text_to_unlearn_changes_the_synthesis_alone(images: Ground) -> None:
    target = images.targets[Kind.GAN].weights()
    changed = _changed(method("text_to_unlearn").run(_work(images, "text_to_unlearn")).weights(), target)
    assert changed == {name for name in target if name.startswith("synthesis")}


def test_sfd_leaves_the_teacher_that_it_is_given(images: Ground) -> None:
    work = _work(images, "sfd")
    before = _copied(work.model.weights())
    method("sfd").run(work)
    assert not _changed(work.model.weights(), before)


def test_the_data_free_methods_read_no_picture(images: Ground) -> None:
    from dataclasses import replace

    for name in ("sfd", "sid", "text_to_unlearn"):
        work = _work(images, name, steps=20)
        nothing = replace(
            work.corpus.retain, images=work.corpus.retain.images[:0], labels=work.corpus.retain.labels[:0]
        )
        empty = replace(work, corpus=replace(work.corpus, forget=nothing, retain=nothing))
        assert not _changed(
            method(name).run(empty).weights(), method(name).run(_work(images, name, steps=20)).weights()
        )
