"""What every probe keeps to, over the registry."""

from __future__ import annotations

import pytest

from benchmarks.attacks.victim import Victim
from benchmarks.metrics.metric import Measured
from benchmarks.probes.registry import PROBES, probe


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_gives_a_figure_again_the_same(victim: Victim, name: str) -> None:
    found = probe(name).measure(victim)
    assert isinstance(found, Measured)
    assert found.n > 0
    again = probe(name).measure(victim)
    assert isinstance(again, Measured)
    assert (again.value, again.values) == (found.value, found.values)
    assert probe(name).title


def test_a_model_that_was_left_as_it_is_has_not_moved(victim: Victim, ignorant: Victim) -> None:
    near, far = (probe("distance").measure(one) for one in (victim, ignorant))
    assert isinstance(near, Measured)
    assert isinstance(far, Measured)
    assert near.value == 0 < far.value
    assert near.n == 2
