"""The no-leak matrix, with every third cut: nothing leaves the proxy, and neighbours' answers are untouched."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.leaks.house import house
from benchmarks.leaks.matrix import Cell, cells, run_cell
from benchmarks.leaks.requests import ENDPOINTS


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_nothing_leaks_in_any_form(endpoint: str, checkpoint: Path) -> None:
    found: list[Cell] = []
    async with house(checkpoint) as built:
        for cell in cells(lambda e, _: e == endpoint):
            found.append(await run_cell(built, *cell, every=9))
    assert found
    assert [c for c in found if c.leaks or c.broken or c.refused or not c.unchanged or not c.n] == []


async def test_the_matrix_sees_leaks_where_answers_are_not_checked(checkpoint: Path) -> None:
    async with house(checkpoint, check_answers=False) as built:
        for streamed in (False, True):
            for place in ("content", "tool_arguments", "reasoning", "n2", "logprobs"):
                cell = await run_cell(built, "chat", streamed, place, "eco", every=9)
                assert (cell.leaks, cell.unchanged) == (cell.n, True), cell
