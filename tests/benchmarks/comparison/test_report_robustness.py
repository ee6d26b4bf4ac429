"""The part of the report that says who breaks where."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.attacks.registry import attack
from benchmarks.comparison.outcome import Comparison
from benchmarks.comparison.report.catalogue import Catalogue
from benchmarks.comparison.report.html import html
from benchmarks.comparison.report.markdown import markdown
from benchmarks.comparison.report.robustness import matrix, threats, worst_table
from benchmarks.comparison.report.view import View
from benchmarks.metrics.metric import Undefined, mean
from tests.benchmarks.comparison.report_made import CATALOGUE, made

HALF, ALL = mean([0.5, 0.5, 0.4, 0.6]), mean([1.0, 1.0, 0.9, 1.0])
KNOWN = Catalogue(CATALOGUE.cards, CATALOGUE.headings, {name: attack(name) for name in ("role_play", "int4")})


@pytest.fixture(scope="module")
def attacked() -> Comparison:
    """Quantised to 4 bits NPO tells all again, ECO half; the others were not quantised."""
    again = {"npo": ALL, "eco": HALF}
    found = made()
    outcomes = tuple(
        replace(o, figures={**o.figures, "attack: int4": again.get(o.name, Undefined("no weights"))})
        if o.figures else o
        for o in found.outcomes
    )  # fmt: skip
    return replace(found, outcomes=outcomes)


def _row(comparison: Comparison, name: str) -> list[str]:
    table = worst_table(View(comparison, KNOWN))
    title = CATALOGUE.card(name).title
    return next([cell.text for cell in row] for row in table.rows if row[0].text.endswith(title))


def test_the_worst_attack_of_each_method_is_named_with_what_it_takes(attacked: Comparison) -> None:
    npo = _row(attacked, "npo")
    assert npo[2:4] == ["quantised to 4 bits (weights)", "0.975"]
    assert npo[5] == "2 of 2"
    assert _row(attacked, "ga")[2] == "role play (questions)"


def test_a_guard_s_threats_are_told_by_what_the_attacker_needs(attacked: Comparison) -> None:
    told = threats(View(attacked, KNOWN))
    assert any("By asking alone, most comes back from behind ECO by “role play”" in line for line in told)
    assert any("With the weights changed below, most comes back from behind ECO" in line for line in told)
    assert "walks around every guard: asked without one, the target says" in told[-1]
    assert not any("weights changed" in line and "DRAGON" in line for line in told)


def test_page_and_text_show_the_matrix(attacked: Comparison) -> None:
    page = html(attacked, KNOWN)
    assert 'id="robustness"' in page
    assert "quantised to 4 bits: " not in page
    assert "What comes back under each attack" in page
    assert "| quantised to 4 bits | weights |" in markdown(attacked, KNOWN)
    assert len(matrix(View(attacked, KNOWN))) == 1


def test_without_attacks_nothing_is_said_of_them() -> None:
    calm = made()
    outcomes = tuple(
        replace(o, figures={k: v for k, v in o.figures.items() if "attack" not in k}) for o in calm.outcomes
    )
    page = html(replace(calm, outcomes=outcomes), CATALOGUE)
    assert 'id="robustness"' not in page
    assert "#robustness" not in page
