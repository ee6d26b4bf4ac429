"""The targets of `make fuzz`, on their seeds and on what hypothesis makes of them, without a fuzzer's patience."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_SPEC = importlib.util.spec_from_file_location("fuzz_targets", Path(__file__).with_name("targets.py"))
assert _SPEC is not None and _SPEC.loader is not None  # noqa: PT018
_FOUND = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_FOUND)
SEEDS = st.sampled_from(_FOUND.SEEDS)
NEAR = st.builds(
    lambda a, at, part, b: a[:at] + part + b[at:], SEEDS, st.integers(0, 120), st.binary(max_size=12), SEEDS
)


@pytest.mark.parametrize("name", _FOUND.TARGETS)
def test_whatever_comes_raises_nothing(name: str) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(SEEDS | NEAR | st.binary(max_size=200) | st.text(max_size=100).map(lambda t: t.encode("utf-8", "replace")))
    def holds(data: bytes) -> None:
        _FOUND.TARGETS[name](data)

    holds()
