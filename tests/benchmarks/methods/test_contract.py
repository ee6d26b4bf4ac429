"""What every method that changes weights keeps to, over the registry."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from benchmarks.comparison.choosing import options
from benchmarks.methods.method import Intent
from benchmarks.methods.registry import METHODS, method
from tests.benchmarks.methods.tiny import UPDATING, Broken, Ground, Killed

FAMILIES = {"retraining", "divergence", "rejection", "representation", "distillation", "weights", "guard"}
every_method = pytest.mark.parametrize("name", UPDATING)


def _quick(name: str) -> dict[str, Any]:
    known = {one.name for one in fields(method(name).options)}
    return {key: value for key, value in {"epochs": 2, "lr": 1e-3, "batch": 3}.items() if key in known}


def _run(ground: Ground, name: str, *args: Any, **given: Any) -> Any:
    return method(name).run(ground.work(name, *args, **_quick(name), **given))


def _weights(model: Any) -> dict[str, Any]:
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def _changed(model: Any, other: Any) -> set[str]:
    """Names of the parameters that are not bit-equal."""
    import torch

    one, two = _weights(model), _weights(other)
    assert one.keys() == two.keys()
    return {name for name in one if not torch.equal(one[name], two[name])}


def _origin(ground: Ground, name: str) -> Any:
    return ground.load(ground.base if method(name).card.family == "retraining" else ground.target)


@pytest.mark.parametrize("name", METHODS)
def test_a_card_says_what_a_report_needs(name: str) -> None:
    card = method(name).card
    assert card.family in FAMILIES
    assert isinstance(card.intent, Intent)
    assert all((card.title, card.paper, card.touches))


@every_method
def test_the_same_seed_gives_the_same_weights_in_a_model_of_their_own(ground: Ground, name: str) -> None:
    ground.references.clear()
    work = ground.work(name, **_quick(name))
    first = method(name).run(work)
    assert all(first is not reference for reference in ground.references)
    assert not first.training
    assert all(parameter.requires_grad for parameter in first.parameters())
    assert _changed(first, _origin(ground, name))
    assert not _changed(first, _run(ground, name))


@every_method
def test_no_reference_is_changed(ground: Ground, name: str) -> None:
    ground.references.clear()
    _run(ground, name)
    frozen = [one for one in ground.references if not any(p.requires_grad for p in one.parameters())]
    for reference in frozen:
        assert not _changed(reference, ground.load(ground.target))


@every_method
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_killed_run_goes_on_to_the_weights_of_one_that_was_not(
    ground: Ground, tmp_path: Path, name: str, share: float
) -> None:
    work = ground.work(name, **_quick(name))
    whole = method(name).run(work)
    file = tmp_path / "state.pt"
    with pytest.raises(Broken):
        _run(ground, name, file, Killed(shown=False, limit=share * work.meter.tokens))
    again = ground.work(name, file, **_quick(name))
    assert not _changed(method(name).run(again), whole)
    assert again.meter.tokens == work.meter.tokens
    assert not list(tmp_path.glob("*.part"))


@every_method
def test_a_low_rank_update_changes_linear_layers_alone_or_is_refused_by_name(ground: Ground, name: str) -> None:
    if "lora" not in {one.name for one in fields(method(name).options)}:
        with pytest.raises(ValueError, match="no option 'lora'"):
            options(method(name).options, {"lora": 2})
        return
    found = _run(ground, name, lora=2)
    assert type(found).__name__ == "LlamaForCausalLM"
    changed = _changed(found, _origin(ground, name))
    assert changed
    assert all("proj" in one for one in changed)
    assert not _changed(found, _run(ground, name, lora=2))


def test_rmu_changes_the_parameters_that_it_is_told_alone(ground: Ground) -> None:
    only = r"layers\.0\.mlp\.down_proj"
    changed = _changed(_run(ground, "rmu", only=only), ground.load(ground.target))
    assert changed == {"model.layers.0.mlp.down_proj.weight"}


def test_rmu_leaves_what_is_behind_its_layer_as_it_is(ground: Ground) -> None:
    changed = _changed(_run(ground, "rmu"), ground.load(ground.target))
    assert changed
    assert not any("layers.1" in one or one == "model.norm.weight" for one in changed)


def test_rmu_names_the_layers_there_are(ground: Ground) -> None:
    with pytest.raises(ValueError, match="choose from 0 to 0"):
        method("rmu").run(ground.work("rmu", layer=1))
    with pytest.raises(ValueError, match="no parameter"):
        method("rmu").run(ground.work("rmu", only="nowhere"))
