"""The tiny models, made once for the tests of all methods."""

from __future__ import annotations

import pytest

from tests.benchmarks.methods.tiny import Ground, made


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """A base and a target model."""
    import torch

    torch.set_num_threads(1)
    return made(tmp_path_factory.mktemp("ground"))
