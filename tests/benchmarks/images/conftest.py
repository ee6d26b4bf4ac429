from __future__ import annotations

import pytest

from benchmarks.images import diffusion, gan, scorer
from benchmarks.images.ground import Ground, Recipes, made
from benchmarks.images.method import Kind

QUICK = Recipes(diffusion.Recipe(1000), gan.Recipe(700, 2e-3, 64, average=0.95), scorer.Recipe(500))


@pytest.fixture(scope="session")
def images() -> Ground:
    """Generators that know the digits well enough, in seconds."""
    return made(0, None, set(Kind), QUICK)
