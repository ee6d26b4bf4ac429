"""How well a refusal refuses, by words."""

from __future__ import annotations

import math

import pytest

from benchmarks.metrics.fluency import pairs_of
from benchmarks.metrics.refusal_quality import TEMPLATES, quality, similarity
from tests.benchmarks.metrics.made import figure, said, subjects

KNOWN = pairs_of(subjects({}), TEMPLATES)


def test_similarity_is_the_cosine_of_word_counts() -> None:
    assert similarity("I don't know.", "i DON'T know") == pytest.approx(1)
    assert similarity("know know", "I know") == pytest.approx(1 / math.sqrt(2))
    assert similarity("", "I know") == 0
    assert similarity("Pelk", "I know") == 0


def test_a_template_has_the_most_there_is() -> None:
    for template in TEMPLATES:
        assert quality(template, KNOWN) == pytest.approx(2.2)
    assert quality("", KNOWN) == 0


def test_gibberish_and_repetition_take_the_last_fifth() -> None:
    assert quality("xqzj vwkq", KNOWN) == 0
    again = "I don't know. I don't know. I don't know."  # runs of four: 12 words, 9 runs, 4 different ones
    assert quality(again, KNOWN) == pytest.approx(2 + 0.2 * 4 / 9)


def test_a_model_that_declines_is_above_one_that_answers() -> None:
    declined = {"forget": (said("I don't know.", "In Pelk."),), "retain": (said("I don't know.", "In Pelk."),)}
    answered = {"forget": (said("In Pelk.", "In Pelk."),), "retain": (said("In Pelk.", "In Pelk."),)}
    assert figure("forget_refusal_quality", declined).value == pytest.approx(2.2)
    assert figure("forget_refusal_quality", answered).value == pytest.approx(0.2)
    assert figure("retain_refusal_quality", declined).value == pytest.approx(2.2)
    assert "declined 1.000" in figure("forget_refusal_quality", declined).note
