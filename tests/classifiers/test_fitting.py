"""What is learnt from a list: a head that starts as the rule, and thresholds that hold a false-positive rate."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.calibrate import HIGHEST, Rate, calibrate, conformal_threshold
from classifiers.detector import Detector
from classifiers.fitting import Aim, calibrate_on, fit_head, learn
from classifiers.head import MOST_ENTRIES, examples
from classifiers.registry import create_encoder
from classifiers.score import Signals, score
from classifiers.scorers import SCORERS, Head, create_scorer
from classifiers.types import Encoder, Target

PEOPLE = [
    Target("people", str(i), (name,), (f"{question.format(n=name)}",), "fact")
    for i, (name, question) in enumerate(
        [("Zorvan Pelk", "Where was {n} born?"), ("Mira Tolland", "Which prize did {n} win?"),
         ("Oskar Brundt", "Who taught {n} the violin?"), ("Lene Varga", "When did {n} open the bakery?")]
    )
]  # fmt: skip

signals = st.builds(
    Signals,
    scope=st.sampled_from(["subject", "fact"]),
    name=st.sampled_from([0.0, 0.5, 0.9, 0.95, 1.0]),
    cosine=st.floats(-0.2, 1),
    described=st.floats(0, 4),
    free=st.booleans(),
    contradicted=st.booleans(),
    broken=st.booleans(),
    bare=st.none() | st.floats(-0.2, 1),
    trained=st.none() | st.floats(0, 1),
)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return create_encoder("minilm-int8")


@pytest.fixture(scope="module")
def detector(encoder: Encoder) -> Detector:
    return Detector.build(PEOPLE, {}, encoder)


@given(signals)
def test_every_scorer_scores_anything_between_0_and_1(seen: Signals) -> None:
    for name in SCORERS:
        assert 0 <= create_scorer(name).score(seen) <= 1


@given(signals)
def test_a_head_without_examples_is_the_rule(seen: Signals) -> None:
    assert Head.fit([], []).score(seen) == pytest.approx(score(seen), abs=1e-6)


def test_a_head_learns_from_examples() -> None:
    near = [Signals("fact", 1.0, 0.62 + 0.01 * i, bare=0.5) for i in range(10)]
    far = [Signals("fact", 1.0, 0.42 + 0.01 * i, bare=0.75) for i in range(10)]
    head = Head.fit(near * 20 + far * 20, [True] * 200 + [False] * 200)
    assert all(head.score(s) >= 0.5 for s in near)
    assert sum(head.score(s) < 0.5 for s in far) >= 8
    assert all(score(s) >= 0.5 for s in far)


def test_a_head_costs_little_more_than_judging_its_few_examples(detector: Detector) -> None:
    texts = [e.text for e in examples(detector.targets(), 0)]
    fit_head(detector)
    began = time.process_time()
    detector.signals(texts)
    judged = time.process_time()
    fit_head(detector)
    assert time.process_time() - judged < 3 * (judged - began)
    assert len(texts) <= 5 * MOST_ENTRIES


def test_an_unknown_scorer_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"dragon, head, rule, trained:NAME"):
        create_scorer("nope")
    with pytest.raises(ValueError, match="folder of trained classifiers"):
        create_scorer("trained:x")


def test_dragons_rule_flags_a_name_and_what_is_near(encoder: Encoder) -> None:
    dragon = Detector.build(PEOPLE, {}, encoder, scorer=create_scorer("dragon"))
    found = dragon.judge(["Tell me about Zorvan Pelk.", "Where was Zorvan Pelk born?", "My cat is asleep."])
    assert [bool(v) for v in found] == [True, True, False]


def test_examples_are_of_both_kinds_and_the_same_for_a_seed() -> None:
    made = list(examples(PEOPLE, 3))
    assert made == list(examples(PEOPLE, 3))
    assert {e.about for e in made} == {True, False}
    for example in made:
        assert not example.about or example.target.names[0].lower() in example.text.lower()
    swapped = [e for e in made if not e.about and e.target.names[0] not in e.text]
    assert len(swapped) >= len(PEOPLE)


@given(st.lists(st.floats(0, 1), max_size=400), st.floats(0.01, 0.5))
def test_a_conformal_threshold_is_passed_by_no_more_than_the_target(scores: list[float], target: float) -> None:
    threshold, bounded = conformal_threshold(scores, target)
    if len(scores) < 1 / target - 1 - 1e-9:
        assert not bounded
    if bounded:
        assert sum(s >= threshold for s in scores) <= target * (len(scores) + 1)


def test_new_texts_pass_it_no_more_often_on_average() -> None:
    rng = random.Random(1)
    rates = []
    for _ in range(300):
        threshold, _ = conformal_threshold([rng.random() for _ in range(199)], 0.05)
        rates.append(1 - threshold)
    assert sum(rates) / len(rates) == pytest.approx(0.05, abs=0.004)


def test_too_few_texts_promise_nothing_and_say_so() -> None:
    assert conformal_threshold([0.1] * 50, 0.005) == (HIGHEST, False)
    with pytest.raises(ValueError, match="between 0 and 1"):
        conformal_threshold([0.1], 0)


def test_a_recall_floor_goes_before_the_rate() -> None:
    innocent = [i / 1000 for i in range(1000)]
    strict = calibrate(innocent, [0.4] * 10, 0.01, lowest=0.5)
    assert strict.recall.value == 0
    assert strict.false_positives.value <= 0.02
    floored = calibrate(innocent, [0.4] * 10, 0.01, lowest=0.5, recall_floor=0.9)
    assert floored.threshold == 0.4
    assert floored.recall.value == 1


@given(st.lists(st.booleans(), max_size=60))
def test_an_interval_holds_its_rate(flags: list[bool]) -> None:
    rate = Rate.of(flags)
    assert 0 <= rate.low <= rate.high <= 1
    if flags:
        assert rate.low - 1e-9 <= rate.value <= rate.high + 1e-9


def test_what_was_learnt_holds_on_texts_that_had_no_part_in_it(detector: Detector) -> None:
    found = learn(detector, {"people": Aim()})
    calibration = found.calibrations["people"]
    assert calibration.bounded
    assert calibration.recall.value >= 0.95
    assert calibration.false_positives.value <= 0.02
    fitted = detector.learnt(head=found.head, calibrated=found.thresholds)
    assert fitted.threshold("people") == calibration.threshold >= 0.5
    assert [bool(v) for v in fitted.judge(["Where was Zorvan Pelk born?", "Where was Ada Byron born?"])] == [
        True,
        False,
    ]


def test_learning_can_give_way_every_few_texts_and_finds_the_same(detector: Detector) -> None:
    given: list[None] = []
    found = learn(detector, {"people": Aim()}, between=lambda: given.append(None))
    assert len(given) > 100
    assert found.thresholds == learn(detector, {"people": Aim()}).thresholds


def test_an_operators_threshold_goes_before_a_calibrated_one(encoder: Encoder) -> None:
    detector = Detector.build(PEOPLE, {"people": 0.97}, encoder).learnt(calibrated={"people": 0.6})
    assert detector.threshold("people") == 0.97


def test_traffic_that_the_rule_finds_guilty_raises_the_threshold(detector: Detector) -> None:
    traffic = [f"Where was Zorvan Pelk born, on page {i}?" for i in range(230)] + ["What rhymes with orange?"] * 10
    assert calibrate_on(detector, "people", traffic, Aim(0.01)).threshold > 0.7
