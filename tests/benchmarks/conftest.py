"""What all tests of the comparison share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _every_state_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a run that is killed goes on from must not depend on how fast the machine is."""
    monkeypatch.setattr("benchmarks.models.pace.SHARE", 1.0)
