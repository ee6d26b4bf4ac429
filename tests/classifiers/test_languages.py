"""Questions in other languages: found with a multilingual encoder, and on the safe side without."""

from __future__ import annotations

import pytest

from classifiers.detector import Detector
from classifiers.registry import create_encoder
from classifiers.types import Target

ENTRIES = [
    Target("people", "born", ("Zorvan Pelk",), ("Where was Zorvan Pelk born?",)),
    Target("people", "boils", (), ("What is the boiling point of tolvanium?",)),
]
ASKED = [
    "\u00bfD\u00f3nde naci\u00f3 Zorvan Pelk?",
    "O\u00f9 est n\u00e9 Zorvan Pelk ?",
    "Wo wurde Zorvan Pelk geboren?",
    "Dove \u00e8 nato Zorvan Pelk?",
    "\u0413\u0434\u0435 \u0440\u043e\u0434\u0438\u043b\u0441\u044f Zorvan Pelk?",
    "Zorvan Pelk\u306f\u3069\u3053\u3067\u751f\u307e\u308c\u307e\u3057\u305f\u304b\uff1f",
]
NAMELESS = ["Quel est le point d'\u00e9bullition du tolvanium ?", "Was ist der Siedepunkt von Tolvanium?"]
OTHERS = [
    "\u00bfQu\u00e9 premio gan\u00f3 Zorvan Pelk?",
    "Quels livres Zorvan Pelk a-t-il \u00e9crits ?",
    "\u00bfD\u00f3nde naci\u00f3 Maria Lind?",
    "Was ist der Schmelzpunkt von Eisen?",
]


@pytest.fixture(scope="module")
def multilingual() -> Detector:
    return Detector.build(ENTRIES, {}, create_encoder("use-multilingual"))


@pytest.mark.parametrize("text", ASKED + NAMELESS)
def test_a_question_is_found_whatever_its_language(multilingual: Detector, text: str) -> None:
    assert multilingual.judge([text])[0]


@pytest.mark.parametrize("text", OTHERS)
def test_another_question_passes_whatever_its_language(multilingual: Detector, text: str) -> None:
    assert not multilingual.judge([text])[0]


@pytest.mark.parametrize("text", ASKED)
def test_an_english_encoder_takes_what_it_cannot_read_about_a_name_for_the_fact(text: str) -> None:
    assert Detector.build(ENTRIES, {}, create_encoder("minilm-int8")).judge([text])[0]
