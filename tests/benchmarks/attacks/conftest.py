"""The tiny models of the methods' tests, as what is attacked."""

from __future__ import annotations

from functools import partial

import pytest

from benchmarks.attacks.victim import Victim
from tests.benchmarks.methods.conftest import ground as ground
from tests.benchmarks.methods.tiny import Ground
from tests.benchmarks.victims import victim_of


@pytest.fixture(scope="session")
def victim(ground: Ground) -> Victim:
    """The target's row."""
    return victim_of(ground, "target", partial(ground.load, ground.target))


@pytest.fixture(scope="session")
def ignorant(ground: Ground) -> Victim:
    """A row that knows nothing: the model from before."""
    return victim_of(ground, "retained", partial(ground.load, ground.base))
