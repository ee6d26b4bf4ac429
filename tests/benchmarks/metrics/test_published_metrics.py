"""Figures that open-unlearning's own functions gave for the answers below.

Source of the numbers: locuslab/open-unlearning at commit d3d7cf9e6b3c125d16687d4232680d8d83548f1a, its
``probability``, ``probability_w_options``, ``truth_ratio``, ``exact_memorization``, ``extraction_strength``,
``ks_test``, ``privleak``, ``hm_aggregate`` and ``mia_*`` called on a model of six tokens whose logits are
``3 sin(1 + 3 answer + 5 place + 7 token)``, and rouge-score 0.1.2 with its stemmer. It computes in 32-bit floats.
"""

from __future__ import annotations

import math

import pytest

from benchmarks.data.corpus import Item
from benchmarks.metrics.membership import Score, by_loss, by_min_k, by_min_k_plus_plus, by_zlib
from benchmarks.metrics.reading import Reading, Readings, Scored
from benchmarks.metrics.truth_ratio import log_ratios
from guard.text_metrics import rouge_l
from tests.benchmarks.metrics.made import figure

TRUE = {0: (2, 4, 4, 5, 0), 1: (5, 0, 0, 0), 2: (1, 5, 5, 5, 0, 0), 3: (4, 0)}
HELD = {10: (5, 2, 0), 11: (1, 1, 2, 4, 0), 12: (2, 3, 5, 0)}
REWORDED = {20: (3, 1, 0), 21: (5, 4, 4, 0), 22: (2, 0), 23: (4, 1, 2, 0)}
WRONG = {30: (1, 2, 0), 31: (2, 2, 0), 32: (3, 4, 5, 0), 33: (5, 0),
         40: (4, 4, 0), 41: (1, 3, 0), 42: (5, 1, 0), 43: (2, 2, 2, 0)}  # fmt: skip
CLOSE = 1e-5


def _scored(number: int, tokens: tuple[int, ...]) -> Scored:
    rows = [[3 * math.sin(1 + 3 * number + 5 * place + 7 * v) for v in range(6)] for place in range(len(tokens))]
    logs = [[value - math.log(math.fsum(map(math.exp, row))) for value in row] for row in rows]
    means = [math.fsum(math.exp(log) * log for log in row) for row in logs]
    squares = [math.fsum(math.exp(log) * (log - m) ** 2 for log in row) for row, m in zip(logs, means, strict=True)]
    return Scored(
        tuple(row[token] for row, token in zip(logs, tokens, strict=True)),
        tuple(row[token] == max(row) for row, token in zip(logs, tokens, strict=True)),
        tuple(means), tuple(map(math.sqrt, squares)),
    )  # fmt: skip


def _item(number: int, tokens: tuple[int, ...], reworded: str | None) -> Item:
    answer = " ".join(f"w{token}" for token in tokens if token)
    return Item(f"{number}?", answer, reworded=reworded, wrong=("one", "two") if number < 10 else ())


def _readings(reworded: str | None) -> Readings:
    forget = tuple(
        Reading(
            _item(n, tokens, reworded), _scored(n, tokens), _scored(20 + n, REWORDED[20 + n]) if reworded else None,
            (_scored(30 + n, WRONG[30 + n]), _scored(40 + n, WRONG[40 + n])),
        )
        for n, tokens in TRUE.items()
    )  # fmt: skip
    held = tuple(Reading(_item(n, tokens, None), _scored(n, tokens)) for n, tokens in HELD.items())
    return {"forget": forget, "retain": forget, "world_facts": forget, "held": held}


READ = _readings("in other words")


def test_probabilities_are_theirs() -> None:
    found = figure("forget_probability", READ)
    theirs = (0.36074551939964294, 0.3187362253665924, 0.28775155544281006, 0.3511800169944763)
    assert found.values == pytest.approx(theirs, abs=CLOSE)
    assert figure("world_facts_probability", READ).value == pytest.approx(0.882348349876584, abs=CLOSE)


def test_truth_ratios_are_theirs() -> None:
    found = log_ratios(READ, "forget")
    assert isinstance(found, tuple)
    theirs = (0.130384118484932, 1.4284688586232976, 0.0997037482165667, 0.5392195230174754)
    assert tuple(map(math.exp, found)) == pytest.approx(theirs, abs=CLOSE)
    assert figure("forget_truth_ratio", READ).value == pytest.approx(0.36733941313834356, abs=CLOSE)
    assert figure("retain_truth_ratio", READ).value == pytest.approx(0.5576731525702565, abs=CLOSE)


def test_forget_quality_is_theirs() -> None:
    item = Item("?", "yes", wrong=("no",))
    reference = tuple(
        Reading(item, Scored((0.0,), (True,), (0.0,), (0.0,)), wrong=(Scored((math.log(r),), (True,), (0.0,), (0.0,)),))
        for r in (0.2, 0.9, 1.4, 2.2, 3.1)
    )
    found = figure("forget_quality", READ, retained={"forget": reference})
    assert found.value == pytest.approx(0.4285714285714286)


def test_memorisation_is_theirs_but_for_answers_of_which_not_even_the_last_token_is_right() -> None:
    assert figure("exact_memorisation", READ).values == pytest.approx((0.5, 1.0, 0.8, 0.0), abs=CLOSE)
    assert figure("extraction_strength", READ).values == pytest.approx((0.5, 1.0, 0.6, 0.0))  # theirs: 1 for the last


@pytest.mark.parametrize(
    ("name", "score", "theirs", "auc"),
    [
        ("mia_loss", by_loss, (1.0195825099945068, 1.1433913707733154, 1.2456578016281128, 1.0464563369750977,
                               3.5564258098602295, 1.8416082859039307, 1.4113725423812866), 1.0),
        ("mia_min_k", by_min_k, (2.1637110710144043, 0.5686717629432678, 2.067563772201538, 1.8765779733657837,
                                 4.409674644470215, 2.344399929046631, 2.97088623046875), 1.0),
        ("mia_min_k_plus_plus", by_min_k_plus_plus,
         (1.1797096729278564, -0.4768730401992798, 1.1981889009475708, 1.2784565687179565, 5.0763020515441895,
          1.4051350355148315, 2.7826831340789795), 1.0),
        ("mia_zlib", by_zlib, (0.06797216733296713, 0.11433913707733154, 0.08897555725915092, 0.10464563369750976,
                               0.2735712161430946, 0.10832989917081945, 0.08821078389883041), 2 / 3),
    ],
)  # fmt: skip
def test_membership_scores_are_theirs_with_the_other_sign(
    name: str, score: Score, theirs: tuple[float, ...], auc: float
) -> None:
    found = figure(name, READ)
    assert found.values == pytest.approx(tuple(-each for each in theirs), abs=2 * CLOSE)
    assert found.value == pytest.approx(auc)
    reading = READ["forget"][0]
    assert reading.answer is not None
    assert score(reading, reading.answer) == found.values[0]


def test_privacy_leakage_is_theirs() -> None:
    def answers(*p: float) -> tuple[Reading, ...]:
        return tuple(Reading(Item("?", "a", plain=True), Scored((each,), (True,), (0.0,), (0.0,))) for each in p)

    held = answers(*range(-10, 0))
    own = {"forget": answers(-3.5, -3.5), "held": held}  # above 7 of 10
    retained = {"forget": answers(-5.5, -6.5), "held": held}  # above 5 and 4 of 10
    found = figure("privacy_leakage", own, retained=retained)
    assert found.value == pytest.approx(-45.45454544628099, abs=CLOSE)  # of AUCs .7 and .45


@pytest.mark.parametrize(
    ("text", "answer", "recall", "f1"),
    [
        ("She was born in Oslo, in 1931.", "She was born in the town of Oslo in 1931.", 0.7, 0.8235294117647058),
        ("no words alike", "Something else entirely.", 0.0, 0.0),
        ("in Oslo born", "born in Oslo", 2 / 3, 2 / 3),
    ],
)
def test_rouge_is_theirs_where_no_stem_differs(text: str, answer: str, recall: float, f1: float) -> None:
    found = rouge_l(text, answer)
    assert (found.recall, found.f1) == pytest.approx((recall, f1))
