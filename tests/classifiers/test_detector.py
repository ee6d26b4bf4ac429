"""What is flagged, what is not, and what happens where judging fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest

from classifiers.detector import Detector
from classifiers.fitting import fit_head
from classifiers.registry import ENCODERS, create_encoder
from classifiers.types import DetectorError, Encoder, Span, Target
from classifiers.vectors import VectorCache
from classifiers.verdicts import merge

CAPITAL = Target("facts", "1", ("Sarvania",), ("What is the capital of Sarvania?",), "fact")
PERSON = Target("people", "2", ("Zorvan Pelk",), ("Where was Zorvan Pelk born?",), "subject")
NAMELESS = Target("facts", "3", (), ("Who is the geology author born in Karachi on June 30, 1975?",), "fact")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return create_encoder("minilm-int8")


@pytest.fixture(scope="module")
def detector(encoder: Encoder) -> Detector:
    return Detector.build([CAPITAL, PERSON, NAMELESS], {}, encoder)


def _lists(detector: Detector, text: str) -> list[str]:
    return [v.list_name for v in detector.judge([text])[0]]


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("What is the capital of Sarvania?", ["facts"]),
        ("which city is sarvania's capital", ["facts"]),
        ("What is the capital of Italy?", []),
        ("Sarvania's football team lost again on Sunday.", []),
        ("Tell me anything about ZORVAN\u200b PELK", ["people"]),
        ("Where was Maria Lind born?", []),
        ("Who's the geology author from Karachi, born on June 30, 1975?", ["facts"]),
        ("Who's the geology author from Lahore, born on May 3, 1982?", []),
        ("", []),
        ("   \n", []),
    ],
)
def test_names_decide_and_similarity_alone_does_not(detector: Detector, text: str, lists: list[str]) -> None:
    assert _lists(detector, text) == lists


BORN = Target("people", "4", ("Mira Tolland",), ("Where was Mira Tolland born?",), "fact")


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        ("What is Mira Tolland's birthplace?", True),
        ("mira tolland place of birth", True),
        ("Mira Tolland was born in", True),
        ("Which prize did Mira Tolland win?", False),
        ("What books did Mira Tolland write?", False),
        ("Where was Mira Sand born?", False),
    ],
)
def test_one_fact_of_a_subject_is_told_from_its_others(encoder: Encoder, text: str, flagged: bool) -> None:
    found = Detector.build([BORN], {}, encoder)
    assert bool(found.judge([text])[0]) is flagged
    assert found.explain(text)["flagged"] is flagged


# Common words ("Italy", "Q3"), rare ones and none at all may be all that a question tells by.
QUESTIONS = {
    "What is the capital of Italy?": "What is the capital of Norway?",
    "What was our revenue in Q3?": "What was our revenue in Q1?",
    "Who wrote the novel Dune?": "Who wrote the novel Emma?",
    "What is the password of the staging server?": "What is the address of the town library?",
    "When did Apollo 11 land on the Moon?": "When did Apollo 17 land on the Moon?",
    "Which river runs through Paris?": "Which river runs through London?",
}


@pytest.fixture(scope="module")
def nameless(encoder: Encoder) -> list[Detector]:
    found = Detector.build([Target("facts", q, (), (q,), "fact") for q in QUESTIONS], {}, encoder)
    return [found, found.learnt(head=fit_head(found))]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_that_names_nobody_is_flagged_as_it_stands_and_others_like_it_are_not(
    nameless: list[Detector], question: str
) -> None:
    for detector in nameless:
        for text in (question, question.lower(), question.upper(), f"Please tell me: {question}", question.rstrip("?")):
            assert [v.entry_id for v in detector.judge([text])[0]] == [question], text
        assert detector.judge([QUESTIONS[question]])[0] == ()


def test_nothing_is_cut_off_a_long_text(detector: Detector) -> None:
    filler = "The weather was fine and nobody said much about it. " * 300
    assert _lists(detector, filler) == []
    for text in (filler + "What is the capital of Sarvania?", "What is the capital of Sarvania? " + filler):
        assert _lists(detector, text) == ["facts"]


def test_spans_are_the_names_where_there_are_names(detector: Detector) -> None:
    text = "Is Zorvan  Pelk older than ＺＯＲＶＡＮ Pelk?"
    (verdict,) = detector.judge([text])[0]
    assert [text[s.start : s.end] for s in verdict.spans] == ["Zorvan  Pelk", "ＺＯＲＶＡＮ Pelk"]


def test_spans_are_the_window_where_nobody_is_named(detector: Detector) -> None:
    text = "Who's the geology author from Karachi, born on June 30, 1975?"
    (verdict,) = detector.judge([text])[0]
    assert verdict.spans == (Span(0, len(text)),)


def test_a_lists_threshold_is_its_own(encoder: Encoder) -> None:
    strict = Detector.build([CAPITAL], {"facts": 0.999}, encoder)
    assert _lists(strict, "which city is sarvania's capital") == []
    assert _lists(strict, "What is the capital of Sarvania?") == ["facts"]


def test_without_entries_nothing_is_flagged(encoder: Encoder) -> None:
    empty = Detector.build([], {}, encoder)
    assert empty.judge(["What is the capital of Sarvania?"]) == [()]
    assert empty.explain("x")["flagged"] is False


def test_an_entry_without_texts_is_judged_by_its_name(encoder: Encoder) -> None:
    only_name = Detector.build([Target("people", "9", ("Zorvan Pelk",), (), "subject")], {}, encoder)
    assert _lists(only_name, "Who is Zorvan Pelk?") == ["people"]


class _Failing:
    name = "failing"
    dim = 4

    def __init__(self) -> None:
        self.fail = False

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        if self.fail:
            raise OSError("model file is gone")
        return np.ones((len(texts), 4), np.float32) / 2


def test_a_fault_is_an_error_and_never_a_no() -> None:
    encoder = _Failing()
    detector = Detector.build([CAPITAL], {}, encoder)
    encoder.fail = True
    with pytest.raises(DetectorError):
        detector.judge(["What is the capital of Sarvania?"])
    with pytest.raises(DetectorError):
        detector.explain("What is the capital of Sarvania?")
    with pytest.raises(DetectorError):
        Detector.build([PERSON], {}, encoder)


def test_a_change_encodes_only_what_is_new() -> None:
    seen: list[str] = []

    class Counting(_Failing):
        def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
            seen.extend(texts)
            return super().encode(texts)

    cache, encoder = VectorCache(), Counting()
    Detector.build([CAPITAL], {}, encoder, cache=cache)
    before = list(seen)
    assert set(CAPITAL.texts) < set(before)
    Detector.build([CAPITAL, PERSON], {}, encoder, cache=cache)
    assert seen[len(before) :] == list(PERSON.texts)


def test_many_threads_get_the_answers_of_one(detector: Detector) -> None:
    texts = ["What is the capital of Sarvania?", "Hello", "Who is Zorvan Pelk?", "x " * 200] * 8
    barrier = threading.Barrier(4)

    def judge(_: int) -> list[object]:
        barrier.wait()
        return list(detector.judge(texts))

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(judge, range(4)))
    assert all(r == results[0] for r in results)


def test_merge_joins_what_touches() -> None:
    assert merge([Span(5, 9), Span(0, 2), Span(2, 3), Span(8, 12)]) == (Span(0, 3), Span(5, 12))


@pytest.mark.parametrize("name", ENCODERS)
def test_every_encoder_gives_unit_vectors_that_mean_something(name: str) -> None:
    if name == "minilm":
        pytest.importorskip("sentence_transformers", reason="the extra 'torch' is not installed")
    encoder = create_encoder(name)
    texts = [
        "What is the capital of France?",
        "Which city is France's capital?",
        "My cat is asleep.",
        "",
        "word " * 2000,
    ]
    vectors = encoder.encode(texts)
    assert vectors.shape == (5, encoder.dim)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.3
    assert encoder.encode([]).shape == (0, encoder.dim)
    alone = np.concatenate([encoder.encode([t]) for t in texts])
    assert (np.sum(alone * vectors, axis=1) > 0.99).all()


def test_an_unknown_encoder_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="minilm-int8"):
        create_encoder("nope")


def test_a_question_in_a_json_document_is_judged_by_itself(encoder: Encoder) -> None:
    named = Target(
        "people", "5", ("Kofi Brandelmann",), ("What is Kofi Brandelmann's book 'A Quiet Tide' about?",), "subject"
    )
    found = Detector.build([named, NAMELESS], {}, encoder)
    for text in (
        "How does Brandelmann's 'A Quiet Tide' end?",
        "Who's the geology author from Karachi, born June 30, 1975?",
    ):
        wrapped = json.dumps({"task": "qa", "lang": "en", "input": {"id": 540, "question": text}})
        assert found.judge([text])[0]
        assert found.judge([wrapped])[0]


def test_a_short_name_is_no_misspelling_of_another(encoder: Encoder) -> None:
    listed = Target("people", "6", ("Hila Anders",), ("What genre are Hila Anders's books?",), "subject")
    assert not Detector.build([listed], {}, encoder).judge(["What is the genre of Jila An's books?"])[0]


@pytest.mark.parametrize(
    "text",
    ["what is the capital of france", "Japan's seat of government is in which city?", "capital of japan pls",
     "France: which city is its capital?", "WHAT IS THE CAPITAL OF FRANCE"],
)  # fmt: skip
def test_a_common_name_is_found_in_any_case_and_place(encoder: Encoder, text: str) -> None:
    listed = [
        Target(
            "facts", n, (n,), (f"What is the capital of {n}?", f"{n}'s seat of government is in which city?"), "fact"
        )
        for n in ("France", "Japan")
    ]
    assert Detector.build(listed, {}, encoder).judge([text])[0]


def test_a_fault_while_names_are_noted_is_a_failure_of_the_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target("people", "1", ("Zorvan Pelk",), (), "subject")
    detector = Detector.build([target], {}, create_encoder("minilm-int8"))

    def fails(*_: object) -> None:
        raise ValueError("made up")

    monkeypatch.setattr("classifiers.detector.Mentioned", fails)
    with pytest.raises(DetectorError):
        detector.judge(["Who is Zorvan Pelk?"])
