"""FADE, and what draws samples and looks at their likelihood."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from benchmarks.attacks.victim import Victim
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.models.generating import Sampling
from benchmarks.models.packing import Chat
from benchmarks.probes.fade import drawn, fade, log_probs
from benchmarks.probes.registry import probe
from tests.benchmarks.attacks.test_attacks import Silent


def _chat(victim: Victim) -> Chat:
    chat = victim.chat(victim.sets["forget"][0])
    assert chat is not None
    return chat


def test_the_retained_model_is_at_no_distance_from_itself(ignorant: Victim, victim: Victim) -> None:
    near, far = (probe("fade").measure(one) for one in (ignorant, victim))
    assert isinstance(near, Measured)
    assert isinstance(far, Measured)
    assert near.value == 0
    assert near.values == (0,) * 6
    assert far.value > 0.5


def test_the_estimate_comes_to_the_sum_of_both_divergences(victim: Victim) -> None:
    """One token: the divergences are sums over the vocabulary."""
    import torch

    items, count = victim.sets["forget"][:1], 2000
    chat = _chat(victim)
    ends = torch.tensor([list(chat.prompt)])
    with torch.no_grad():
        p, q = (load()(ends).logits[0, -1].double().log_softmax(-1) for load in (victim.load, victim.retained))
    expected = float(((p.exp() - q.exp()) * (p - q)).sum())
    found = fade(replace(victim, sets={"forget": items}), "forget", samples=count, tokens=1)
    assert isinstance(found, Measured)
    assert found.value == pytest.approx(expected, rel=0.1)


def test_a_drawn_answer_ends_with_its_end_token_and_is_as_likely_as_its_tokens(victim: Victim) -> None:
    import torch

    model, chat = victim.load().eval(), _chat(victim)
    answers = drawn(victim, model, chat, Sampling(4, seed=1), 12)
    end = victim.tokenizer.eos_token_id
    assert all(end not in answer[:-1] for answer in answers)
    assert any(answer[-1] == end for answer in answers)
    found = log_probs(victim, model, chat, answers)
    ids = torch.tensor([[*chat.prompt, *answers[0]]])
    with torch.no_grad():
        logs = model(ids).logits[0].log_softmax(-1)
    steps = [float(logs[len(chat.prompt) - 1 + at, token]) for at, token in enumerate(answers[0])]
    assert found[0] == pytest.approx(math.fsum(steps), abs=1e-4)


def test_there_is_no_likelihood_of_what_a_guard_says_itself(victim: Victim) -> None:
    found = probe("fade").measure(replace(victim, guard=Silent()))
    assert isinstance(found, Undefined)
    assert "by itself" in found.why
