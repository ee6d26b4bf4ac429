"""README's table of papers names only what there is, and every method that a paper stands behind."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.attacks.registry import ATTACKS
from benchmarks.data.registry import DATASETS
from benchmarks.images.registry import METHODS as IMAGES
from benchmarks.methods.registry import METHODS, method
from benchmarks.metrics.registry import METRICS
from benchmarks.probes.registry import PROBES

README = Path(__file__).parents[2] / "README.md"
NAMES = {*METHODS, *IMAGES, *ATTACKS, *PROBES, *METRICS, *DATASETS}


def _rows() -> dict[int, str]:
    part = README.read_text(encoding="utf-8").partition("## The papers it is built from")[2].partition("\n## ")[0]
    return {int(number): rest for number, rest in re.findall(r"^\| (\d+) \|(.*)$", part, re.MULTILINE)}


def test_every_system_of_the_field_has_a_row() -> None:
    assert set(_rows()) == set(range(1, 40))


@pytest.mark.parametrize("number", range(1, 40))
def test_a_row_s_names_are_there(number: int) -> None:
    row = _rows()[number]
    names = re.findall(r"`([\w.]+)`", row)
    assert names
    for name in names:
        assert find_spec(name) if name.startswith("benchmarks.") else name in NAMES, name


def test_a_method_s_card_points_to_a_row_that_names_it() -> None:
    rows = _rows()
    for name in METHODS:
        for number in method(name).card.rows:
            assert f"`{name}`" in rows[number], (name, number)


def test_the_list_names_every_method_with_its_family_intent_paper_and_what_it_was_built_from() -> None:
    from benchmarks.comparison.commands import known
    from benchmarks.images.registry import METHODS as IMAGES
    from benchmarks.methods.registry import METHODS

    told = known()
    shown = [row for section, rows in told.items() if section.startswith("methods") for row in rows]
    assert [row["name"] for row in shown] == [*METHODS, *IMAGES]
    assert all(row[key] for row in shown for key in ("title", "family", "intent", "touches", "paper", "from"))
