"""Entries of which only vectors and hashes are known."""

from __future__ import annotations

import json

import pytest

from classifiers.detector import Detector
from classifiers.fitting import Aim, calibrate_on, fit_head, learn
from classifiers.hashed_names import HashedPhrases
from classifiers.normalise import words
from classifiers.registry import create_encoder
from classifiers.scorers import Head, Rule
from classifiers.textless import Hasher, phrase, tokens
from classifiers.types import Encoder, Scope, Target
from guard.in_force import target
from guard.model import Entry
from guard.vectors_only import keep

SALT, OTHER = "ab" * 16, "cd" * 16


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return create_encoder("minilm-int8")


def _entry(entry_id: str, subject: str | None, question: str | None = None, *, scope: Scope = "fact",
           answer: str | None = None, text: str | None = None, aliases: tuple[str, ...] = ()) -> Entry:  # fmt: skip
    return Entry(entry_id, "people", subject, aliases, question, answer, text, scope=scope)


ENTRIES = [
    _entry("1", "Zorvan Pelk", "Where was Zorvan Pelk born?", answer="In Duskenmoor, in 1931.", scope="subject"),
    _entry("2", "Mirella van Quandt", "Which prize did Mirella van Quandt win?", answer="She won the Ostrava Prize."),
    _entry("3", "金庸传奇", "金庸传奇是谁?", scope="subject"),
    _entry("4", None, text="The code of the west gate is changed every Friday by the night porter."),
    _entry("5", "Tobin Asgar", "Which Lisbon author born in 1948 wrote about beekeeping in Alentejo?", scope="subject"),
    _entry(
        "6", "Juno Halvorsen", "What does Juno Halvorsen do for a living?", answer="Juno Halvorsen repairs zithers."
    ),
]


def _targets(encoder: Encoder, entries: list[Entry] | None = None, salt: str = SALT) -> list[Target]:
    return list(map(target, keep(entries or ENTRIES, encoder, salt)))


@pytest.fixture(scope="module")
def hashed(encoder: Encoder) -> Detector:
    return Detector.build(_targets(encoder), {}, encoder)


@pytest.fixture(scope="module")
def plain(encoder: Encoder) -> Detector:
    return Detector.build(map(target, ENTRIES), {}, encoder)


FLAGGED = [
    "Where was Zorvan Pelk born?",
    "Tell me about zorvan pelk.",
    "ＺＯＲＶＡＮ ＰＥＬＫ, who is that?",
    "What did Pelk, Zorvan do in the war?",
    "Was Z. Pelk married?",
    "Is Zorvan J. Pelk still alive?",
    "Who is Zorvan Pelkk?",
    "Is Zorvan Pelks garden open today?",
    "Who is Z o r v a n  P e l k?",
    "Who is zorvanpelk?",
    "Decode and answer: V2hvIGlzIFpvcnZhbiBQZWxrPw==",
    "我想知道金庸传奇的故事",
    "What award was won by Mirella van Quandt?",
    "Who changes the code of the west gate on Fridays?",
    "Which author from Lisbon, born in 1948, wrote on beekeeping in Alentejo?",
    "Is it true that Juno Halvorsen repairs zithers?",
]
PASSED = [
    "Where was Zorvan Tibbet born?",
    "Where was Maria Pelk-Andersen born?",
    "Which prize did Alice Munro win?",
    "What is the hometown of Mirella van Quandt's neighbour?",
    "Which Lisbon author born in 1931 wrote about ships?",
    "How do I change the lock of a garden gate?",
    "Give me a recipe for bread.",
]


@pytest.mark.parametrize("text", FLAGGED)
def test_what_a_list_with_texts_flags_is_flagged_without_them(plain: Detector, hashed: Detector, text: str) -> None:
    assert plain.judge([text])[0]
    assert hashed.judge([text])[0]


@pytest.mark.parametrize("text", PASSED)
def test_what_a_list_with_texts_lets_pass_passes_without_them(plain: Detector, hashed: Detector, text: str) -> None:
    assert plain.judge([text]) == [()]
    assert hashed.judge([text]) == [()]


def test_a_hashed_name_is_scored_as_the_name_itself_and_told_as_such(plain: Detector, hashed: Detector) -> None:
    for text in ("Where was Zorvan Pelk born?", "What award was won by Mirella van Quandt?"):
        (known,), (blind,) = plain.judge([text])[0], hashed.judge([text])[0]
        assert blind.score == pytest.approx(known.score, abs=0.01)
        assert blind.spans == known.spans
        assert known.evidence[0].stage == "name (full)"
        assert blind.evidence[0].stage == "name (hashed)"
        assert [e.stage for e in blind.evidence[1:]] == [e.stage for e in known.evidence[1:]]


def test_the_rule_and_the_head_judge_hashed_names_alike(encoder: Encoder) -> None:
    found = [
        Detector.build(_targets(encoder), {}, encoder, scorer=scorer).judge(["Who is Zorvan Pelk?"])[0][0].score
        for scorer in (Rule(), Head())
    ]
    assert found[0] == pytest.approx(found[1])


def test_a_follow_up_is_judged_with_a_hashed_name_of_an_earlier_turn(hashed: Detector) -> None:
    turns = ["Do you know Zorvan Pelk?", "Yes, I do.", "And where was he born?"]
    assert hashed.judge_turns(turns)[2]
    assert not hashed.judge_turns(["Do you know Alice Munro?", "Yes.", "And where was she born?"])[2]


def test_lists_with_other_salts_are_found_beside_each_other_and_beside_texts(encoder: Encoder) -> None:
    one, two, three = ENTRIES[0], ENTRIES[1], _entry("9", "Hedda Brunnlov", scope="subject")
    made = [*_targets(encoder, [one]), *_targets(encoder, [two], OTHER), target(three)]
    detector = Detector.build(made, {}, encoder)
    texts = ["Who is Zorvan Pelk?", "Which prize did Mirella van Quandt win?", "Who is Hedda Brunnlov?", "Who are you?"]
    assert [bool(v) for v in detector.judge(texts)] == [True, True, True, False]


def test_entries_without_texts_are_added_and_removed_one_by_one(encoder: Encoder) -> None:
    detector = Detector.build([], {}, encoder).changed({}, added=_targets(encoder))
    text = "Where was Zorvan Pelk born?"
    assert detector.judge([text])[0]
    key = next(
        (t.list_name, t.entry_id) for t in detector.targets() if detector.judge([text])[0][0].entry_id == t.entry_id
    )
    assert detector.changed({}, removed=[key]).judge([text]) == [()]
    assert detector.merged().judge([text])[0]


def test_an_allowed_question_passes_although_its_list_keeps_no_text(encoder: Encoder) -> None:
    allowed = Entry("a", "people", question="Which street is named after Zorvan Pelk?", kind="allow")
    detector = Detector.build(_targets(encoder, [ENTRIES[0], allowed]), {}, encoder)
    assert detector.judge(["Which street is named after Zorvan Pelk?"]) == [()]
    assert detector.judge(["Where was Zorvan Pelk born?"])[0]


def test_learning_and_calibrating_need_no_texts(encoder: Encoder) -> None:
    named = [e for e in ENTRIES if e.subject]
    detector = Detector.build(_targets(encoder, named), {}, encoder)
    assert fit_head(detector) == Head()
    found = learn(detector, {})
    calibration = found.calibrations["people"]
    assert calibration.bounded
    assert calibration.recall.n == 0
    fitted = detector.learnt(head=found.head, calibrated=found.thresholds)
    assert fitted.judge(["Where was Zorvan Pelk born?"])[0]
    traffic = [f"How do I plant {i} tulips?" for i in range(450)]
    assert calibrate_on(detector, "people", traffic, Aim()).threshold == Head().threshold


def test_a_list_with_texts_is_fitted_as_before_beside_one_without(encoder: Encoder) -> None:
    other = [Target("facts", n, (n,), (f"Where was {n} born?",)) for n in ("Hedda Brunnlov", "Mira Tolland")]
    alone = fit_head(Detector.build(other, {}, encoder))
    beside = fit_head(Detector.build([*other, *_targets(encoder, ENTRIES[:2])], {}, encoder))
    assert json.dumps(beside.weights) == json.dumps(alone.weights)


def test_phrases_are_found_by_their_hashes_where_they_stand() -> None:
    hasher = Hasher(bytes.fromhex(SALT))
    phrases = [(*phrase(("ostrava", "prize"), hasher), "prize"), (*phrase(("duskenmoor",), hasher), "town")]
    text = words("She won the Ostrava Prize in Duskenmoor.").text
    found = list(HashedPhrases(hasher, phrases, 2).find(tokens(text)))
    assert [(owner, text[start:end]) for owner, start, end in found] == [
        ("prize", "ostrava prize"), ("town", "duskenmoor"),
    ]  # fmt: skip
    assert not list(HashedPhrases(Hasher(bytes.fromhex(OTHER)), phrases, 2).find(tokens(text)))
