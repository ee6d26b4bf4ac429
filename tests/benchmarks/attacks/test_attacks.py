"""What every attack that does more than ask keeps to, over the registry; and what some of them are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.attacks.attack import Active
from benchmarks.attacks.leaking import leak_of
from benchmarks.attacks.quantising import rounded
from benchmarks.attacks.registry import ATTACKS, about, attack
from benchmarks.attacks.relearning import in_domain, out_of_domain
from benchmarks.attacks.victim import Victim
from benchmarks.methods.registry import method
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.models.generating import Sampling
from benchmarks.models.packing import Chat, encode
from tests.benchmarks.methods.tiny import Ground
from tests.benchmarks.victims import Unwatched, victim_of

ACTIVE = [name for name in ATTACKS if isinstance(attack(name), Active)]


def _leak(name: str, victim: Victim) -> Measured | Undefined:
    found = attack(name)
    assert isinstance(found, Active)
    return found.leak(victim)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_says_what_it_does(name: str) -> None:
    assert attack(name).title
    assert about(name)


@pytest.mark.parametrize("name", ACTIVE)
def test_an_attack_gives_a_share_again_the_same(victim: Victim, name: str) -> None:
    found = _leak(name, victim)
    assert isinstance(found, Measured)
    assert 0 <= found.value <= 1
    assert found.n > 0
    again = _leak(name, victim)
    assert isinstance(again, Measured)
    assert (again.value, again.values) == (found.value, found.values)


@pytest.mark.parametrize("name", ACTIVE)
def test_who_says_nothing_leaks_nothing_whatever_is_done(victim: Victim, name: str) -> None:
    if attack(name).access == "weights":
        pytest.skip("with the weights one can walk around the guard, which is measured as the target's row")
    found = _leak(name, replace(victim, guard=Silent()))
    assert isinstance(found, Undefined) or found.value == 0


class Silent:
    """A guard that declines."""

    def encode_as(self, question: str, answer: str, plain: bool = False) -> Chat | None:
        return None

    def says(self, question: str, plain: bool = False) -> str | None:
        return "Hm ."

    def action(self, question: str, plain: bool = False) -> str:
        return "refuse"


def test_a_guard_stays_before_weights_that_were_changed(victim: Victim) -> None:
    found = _leak("int4", replace(victim, guard=Silent()))
    assert isinstance(found, Measured)
    assert found.value == 0


def test_rounding_to_nearest_keeps_a_row_s_largest_weight_and_the_grid() -> None:
    import torch

    weight = torch.tensor([[0.7, -0.24, 0.06], [0.0, 0.0, 0.0]])
    assert rounded(weight, 4).tolist() == [pytest.approx([0.7, -0.2, 0.1]), [0, 0, 0]]
    grouped = rounded(torch.tensor([[0.7, 0.16, 0.07, 0.04]]), 4, group=2)
    assert grouped.tolist() == [pytest.approx([0.7, 0.2, 0.07, 0.04])]
    fine = rounded(torch.tensor([[1.27, 0.344]]), 8)
    assert fine.tolist() == [pytest.approx([1.27, 0.34])]


def test_teaching_half_of_it_brings_back_some_of_the_rest(ground: Ground) -> None:
    forgotten = method("grad_diff").run(ground.work("grad_diff", epochs=15, lr=3e-3, batch=4))
    state = {name: value.clone() for name, value in forgotten.state_dict().items()}

    def load() -> object:
        model = ground.load(ground.target)
        model.load_state_dict(state)
        return model

    row = victim_of(ground, "grad_diff", load)
    before = leak_of(row, row.load(), row.sets["forget"][::2])
    back = in_domain(row, epochs=20, lr=3e-3)
    other = out_of_domain(row, epochs=20, lr=3e-3)
    assert isinstance(before, Measured)
    assert isinstance(back, Measured)
    assert isinstance(other, Measured)
    assert (back.n, other.n) == (3, 6)
    assert back.value > before.value
    assert "retain set then" in back.note


def test_texts_are_drawn_by_the_seed(victim: Victim) -> None:
    model, items = victim.load(), victim.sets["forget"][:2]
    drawn = victim.draw(model, items, Sampling(count=10, temperature=3.0, seed=1))
    assert [len(texts) for texts in drawn] == [10, 10]
    assert len(set(drawn[0])) > 1
    assert victim.draw(model, items, Sampling(count=10, temperature=3.0, seed=1)) == drawn
    assert victim.draw(model, items, Sampling(count=10, temperature=3.0, seed=2)) != drawn
    assert victim.draw(model, items, Sampling(count=3, temperature=1e-4)) == [
        [victim.read(model, {"forget": (item,)})["forget"][0].text] * 3 for item in items
    ]


def test_a_guard_rewrites_what_is_drawn_for(victim: Victim) -> None:
    class Other(Unwatched):
        def encode_as(self, question: str, answer: str, plain: bool = False) -> Chat | None:
            return encode(victim.tokenizer, victim.sets["forget"][1].question, answer)

        def says(self, question: str, plain: bool = False) -> str | None:
            return None

        def action(self, question: str, plain: bool = False) -> str:
            return "icul"

    model, (one, other) = victim.load(), victim.sets["forget"][:2]
    cold = Sampling(temperature=1e-4)
    assert replace(victim, guard=Other()).draw(model, [one], cold) == victim.draw(model, [other], cold)
