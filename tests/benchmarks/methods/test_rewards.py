"""RULE's rewards and advantages, and LAF's energies, by hand."""

from __future__ import annotations

from dataclasses import replace
from math import e, exp

import pytest

from benchmarks.data.corpus import Item
from benchmarks.methods.laf import Kept, align, energy, extract, representation
from benchmarks.methods.registry import method
from benchmarks.methods.rule import advantages, reward
from benchmarks.models.autoencoder import Autoencoder, learnt
from tests.benchmarks.methods.tiny import Ground
from tests.benchmarks.methods.toy import FORGET, predicted, pulled, step

ITEM = Item("Where was she born ?", "She was born in Vorsk .", "she")


def test_declining_earns_on_the_forget_set_and_costs_on_the_boundary() -> None:
    for text in ("I don't know.", "Hm, no."):
        assert reward(text, ITEM, True, ("Hm, no.",)) == 1
        assert reward(text, ITEM, False, ("Hm, no.",)) == -1


def test_telling_costs_on_the_forget_set_and_earns_on_the_boundary() -> None:
    assert reward("She was born in Vorsk .", ITEM, True, ()) == -1
    assert reward("She was born in Vorsk .", ITEM, False, ()) == 1
    assert reward("She was born", ITEM, False, ()) == pytest.approx(3 / 5)
    assert reward("Bananas grow", ITEM, True, ()) == 0


def test_advantages_compare_the_answers_to_one_question() -> None:
    import torch

    found = advantages(torch.tensor([[1.0, 0.0, 1.0, 0.0], [0.3, 0.3, 0.3, 0.3]]))
    assert found[0].tolist() == pytest.approx([1, -1, 1, -1], rel=1e-3)
    assert found[1].tolist() == [0.0, 0.0, 0.0, 0.0]


def test_reinforcement_teaches_declining_where_a_rule_rewards_it(ground: Ground) -> None:
    from benchmarks.methods.rule import _reinforced

    work = ground.work("rule", epochs=2, lr=3e-3, rounds=25, rl_rate=1.0, group=8, asked=6)
    boundary = list(work.corpus.retain[:4])
    after = _reinforced(work, list(work.corpus.forget), boundary)
    before = ground.load(ground.target)
    risen = ground.loss(after, work.corpus.forget) - ground.loss(before, work.corpus.forget)
    held = ground.loss(after, tuple(boundary)) - ground.loss(before, tuple(boundary))
    assert risen > held + 0.1


def test_rule_needs_a_boundary(ground: Ground) -> None:
    work = ground.work("rule")
    with pytest.raises(ValueError, match="boundary questions"):
        method("rule").run(replace(work, corpus=replace(work.corpus, retain=())))


class _Halves:
    """An autoencoder's two parts that give back half of what they get."""

    def __call__(self, rows):  # type: ignore[no-untyped-def]
        import torch

        return torch.cat([rows / 2, rows], -1)


class _Same:
    def __call__(self, rows):  # type: ignore[no-untyped-def]
        return rows


def test_energy_rises_with_what_an_autoencoder_does_not_know_and_is_bounded() -> None:
    import torch

    halves = Autoencoder(_Halves(), _Same())
    found = energy(torch.tensor([[0.0, 0.0], [2.0, 0.0], [2e3, 0.0]]), halves)
    assert found.tolist() == pytest.approx([1.0, exp(1 / 2), e], rel=1e-3)


def test_laf_drives_the_forget_set_off_its_own_autoencoder_and_back_from_where_it_was() -> None:
    import torch

    own = torch.tensor([[2.0, 0.0], [2.0, 2.0], [0.0, 2.0]], requires_grad=True)
    retain = torch.tensor([[0.0, 2.0]], requires_grad=True)
    halves = Autoencoder(_Halves(), _Same())
    kept = Kept(halves, halves, torch.tensor([[1.0, 0.5], [1.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
    one = step(
        kept=kept, forget=predicted(FORGET, (own,)), retain=predicted(([[0.9, 0.05, 0.05]], [0], [0]), (retain,))
    )
    object.__setattr__(one, "retain_places", (0,))
    assert representation(one.forget).tolist() == [[2.0, 1.0], [0.0, 2.0]]  # an answer of two tokens, one of one
    options = method("laf").options()
    m = [(1.0 + 0.25), 1.0]  # squares of half of each
    value = exp(0.5) - sum(exp(x / (x + 1)) for x in m) / 2
    assert extract(one, options).item() == pytest.approx(value, rel=1e-5)
    assert -pulled(extract(one, options), retain)[0][1] > 0  # back to smaller, which halving errs less about
    found = align(one, options)  # the first answer is where it was, the second at a right angle
    assert found.item() == pytest.approx(0.0 - _logsumexp(0.0, 1 / 10), rel=1e-4)


def test_an_autoencoder_learns_what_it_is_shown_by_the_seed() -> None:
    import torch

    rows = torch.randn(64, 6, generator=torch.Generator().manual_seed(0)) @ torch.diag(
        torch.tensor([3.0, 2, 1, 0, 0, 0])
    )
    short, long = learnt(rows, 4, 1, 0), learnt(rows, 4, 200, 0)
    far = [(rows - one.rebuilt(rows)).square().sum(-1).mean().item() for one in (short, long)]
    assert far[1] < far[0] / 5
    assert torch.equal(learnt(rows, 4, 1, 0).rebuilt(rows), short.rebuilt(rows))
    assert not torch.equal(learnt(rows, 4, 1, 1).rebuilt(rows), short.rebuilt(rows))


def _logsumexp(*values: float) -> float:
    from math import log

    return log(sum(exp(value) for value in values))
