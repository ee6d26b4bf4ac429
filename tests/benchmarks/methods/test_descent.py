"""The loop that methods share: order, resumption, precision, and several processes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.methods.batches import Batches, Needs, encoded
from benchmarks.methods.method import Unlearning
from benchmarks.methods.registry import method
from benchmarks.methods.state import Precise
from benchmarks.models.meter import Meter
from benchmarks.models.training import rate
from tests.benchmarks.methods.tiny import CORPUS, Broken, Ground, Killed
from tests.benchmarks.methods.two_processes import CASES, EXACT, main, run


class Counted(Meter):
    """A meter that remembers what was read since it was made."""

    since = 0

    def read(self, tokens: int) -> None:
        self.since += tokens
        Meter.read(self, tokens)


def _work(ground: Ground, **given: Any) -> Unlearning:
    return ground.work("grad_diff", **({"epochs": 3, "lr": 1e-3, "batch": 4} | given))


def test_an_epoch_goes_through_the_forget_set_once_and_the_next_in_another_order(ground: Ground) -> None:
    batches = Batches(_work(ground), Needs())
    first, second = ([place for at in epoch for place in batches.at(at).places] for epoch in ((0, 1), (2, 3)))
    assert sorted(first) == sorted(second) == list(range(6))
    assert first != second


def test_the_retain_set_is_gone_through_evenly(ground: Ground) -> None:
    batches = Batches(_work(ground, batch=3), Needs())
    places = [place for step in range(6) for place in batches._kept(step, len(CORPUS.retain))]
    assert set(Counter(places).values()) == {2}


def test_processes_share_a_batch_and_one_without_a_pair_has_no_share(ground: Ground) -> None:
    batches = Batches(_work(ground, batch=5), Needs())
    parts = [batches.at(0, rank, 2) for rank in (0, 1)]
    assert sorted(place for part in parts for place in part.places) == sorted(batches.at(0).places)
    assert [part.share for part in parts] == [3 / 5, 2 / 5]
    last = [batches.at(1, rank, 2) for rank in (0, 1)]
    assert [part.share for part in last] == [1, 0]
    assert last[1].places == last[0].places
    many = [batches.at(0, rank, 8) for rank in range(8)]
    assert sum(part.share for part in many) == pytest.approx(1)
    assert all(part.sets["retain"].chats for part in many)


def test_a_batch_holds_the_pairs_that_its_places_say(ground: Ground) -> None:
    work = replace(_work(ground), refusals=("That is not known.",))
    batch = Batches(work, Needs(refused=True)).at(1)
    wanted = [token for place in batch.places for token in encoded(work.tokenizer, CORPUS.forget[place]).answer]
    assert batch.sets["forget"].wanted.tolist() == wanted
    refusal = [*work.tokenizer("That is not known.").input_ids, work.tokenizer.eos_token_id]
    assert batch.sets["refused"].wanted.tolist() == refusal * len(batch.places)


def test_the_rate_rises_and_falls_to_nothing() -> None:
    assert [rate(step, 10, 0.2) for step in range(11)] == pytest.approx(
        [0.5, 1, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8, 0]
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [({"retain": ()}, "retain set, which is empty"), ({"forget": ()}, "the set is empty")],
)
def test_a_set_that_is_missing_is_named(ground: Ground, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        method("grad_diff").run(replace(_work(ground), corpus=replace(CORPUS, **change)))


def test_sentences_that_decline_are_asked_for(ground: Ground) -> None:
    with pytest.raises(ValueError, match="sentences that decline"):
        method("idk_nll").run(replace(ground.work("idk_nll"), refusals=()))


def test_a_run_that_goes_on_computes_the_rest_alone(ground: Ground, tmp_path: Path) -> None:
    file = tmp_path / "state.pt"
    work = replace(_work(ground), meter=(whole := Counted(shown=False)))
    method("grad_diff").run(work)
    killed = replace(_work(ground), checkpoint=file, meter=Killed(shown=False, limit=whole.tokens * 0.8))
    with pytest.raises(Broken):
        method("grad_diff").run(killed)
    rest = Counted(shown=False)
    method("grad_diff").run(replace(_work(ground), checkpoint=file, meter=rest))
    assert 0 < rest.since < whole.since / 2
    done = Counted(shown=False)
    method("grad_diff").run(replace(_work(ground), checkpoint=file, meter=done))
    assert (done.since, done.tokens) == (0, whole.tokens)


def test_another_runs_state_is_refused(ground: Ground, tmp_path: Path) -> None:
    file = tmp_path / "state.pt"
    method("grad_diff").run(replace(_work(ground, epochs=1), checkpoint=file))
    with pytest.raises(ValueError, match="another run's"):
        method("grad_diff").run(replace(_work(ground, epochs=2), checkpoint=file))


def test_steps_too_small_for_bfloat16_add_up() -> None:
    import torch

    parameter = torch.nn.Parameter(torch.ones(1, dtype=torch.bfloat16))
    precise = Precise([parameter])
    optimiser = torch.optim.SGD(precise.own, lr=1e-3)
    for _ in range(20):
        parameter.grad = torch.ones_like(parameter)
        precise.take_gradients()
        optimiser.step()
        precise.give_back()
    assert precise.own[0].item() == pytest.approx(0.98, abs=1e-6)
    assert parameter.item() == pytest.approx(0.98, abs=2**-8)


def test_a_model_in_bfloat16_is_resumed_with_its_precise_weights(ground: Ground, tmp_path: Path) -> None:
    import torch

    def made(checkpoint: Path | None, meter: Meter) -> Any:
        work = replace(_work(ground, lr=1e-4), checkpoint=checkpoint, meter=meter)
        return method("grad_diff").run(replace(work, model=work.model.to(torch.bfloat16)))

    whole = made(None, counted := Meter(shown=False))
    with pytest.raises(Broken):
        made(tmp_path / "state.pt", Killed(shown=False, limit=counted.tokens * 0.8))
    again = made(tmp_path / "state.pt", Meter(shown=False))
    assert whole.dtype == torch.bfloat16
    assert all(torch.equal(*pair) for pair in zip(whole.parameters(), again.parameters(), strict=True))


@pytest.fixture(scope="module")
def across(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes made, by case and process."""
    import torch

    folder = tmp_path_factory.mktemp("across")
    torch.multiprocessing.spawn(main, (Ground(ground.base, ground.target), folder), nprocs=2)
    return folder


@pytest.mark.parametrize("case", CASES)
def test_two_processes_end_with_the_same_weights(across: Path, case: str) -> None:
    import torch

    one, other = (torch.load(across / f"{case}-{rank}") for rank in (0, 1))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("case", EXACT)
def test_two_processes_make_what_one_does(across: Path, ground: Ground, case: str) -> None:
    import torch

    alone, before = run(ground, case), ground.load(ground.target).state_dict()
    both = torch.load(across / f"{case}-0")
    moved = sum(float((alone[name] - before[name]).square().sum()) for name in alone) ** 0.5
    apart = sum(float((alone[name] - both[name]).square().sum()) for name in alone) ** 0.5
    assert apart < moved / 1000
