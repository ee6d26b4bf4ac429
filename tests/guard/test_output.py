"""What of an answer is protected, and when."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from classifiers.types import DetectorError
from guard.model import Entry, ForgetList
from guard.output import AnswerGuard, Asked, Hit
from guard.vectors_only import keep, new_salt
from tests.guard.output_parts import (
    ALL,
    BOOKS,
    FRANCE,
    PELK,
    default_encoder,
    fed,
    guard_of,
    judged,
    put,
    snapshot,
    watch,
)


@pytest.fixture(scope="module")
def guard() -> AnswerGuard:
    return guard_of()


def test_an_answer_that_gives_the_value_is_stopped_before_it_does(guard: AnswerGuard) -> None:
    own = watch(guard, "What is the capital of France?")
    assert "Par" not in put(own, "The capital of France is Paris, a city on the Seine.")
    assert own.hit == Hit("facts", "france", "value", "a")


def test_a_value_counts_only_with_its_subject(guard: AnswerGuard) -> None:
    text = "The Louvre is a museum in Paris. It holds the Mona Lisa, and has done so for long."
    own = watch(guard, "Where is the Louvre?")
    assert put(own, text) == text
    assert own.hit is None


@pytest.mark.parametrize(
    "text",
    [
        "It lies in France. Its seat of government, Paris, has two million people.",
        "Paris is where the government of France sits.",
        "France has many towns. Some are old. The largest is Paris.",
    ],
)
def test_a_subject_that_the_answer_names_nearby_counts_too(guard: AnswerGuard, text: str) -> None:
    own = watch(guard, "Tell me about a country of your choice.")
    assert "Paris" not in put(own, text)
    assert own.hit


def test_a_flagged_entry_needs_no_subject(guard: AnswerGuard) -> None:
    own = watch(guard, "Where is the seat of its government?", flagged=[FRANCE])
    put(own, "That would be Paris.")
    assert own.hit == Hit("facts", "france", "value", "a")


@pytest.mark.parametrize(
    "name", ["Zorvan Pelk", "Pelk, Zorvan", "Z. Pelk", "The Owl of Quell", "ZORVAN PELK", "Zorvan-Pelk"]
)
def test_a_name_that_the_client_did_not_give_is_held_back(guard: AnswerGuard, name: str) -> None:
    own = watch(guard, "Who wrote a study of bees?", lists=["people"])
    released = put(own, f"I believe that it was {name} who did.")
    assert released == "I believe that it was "
    assert own.hit
    assert own.hit.kind == "name"


def test_a_name_that_the_client_gave_may_be_repeated(guard: AnswerGuard) -> None:
    text = "I don't know anybody called Zorvan Pelk, sorry."
    own = watch(guard, "Who is Zorvan Pelk?")
    assert put(own, text) == text


def test_who_asks_by_one_name_is_not_told_another(guard: AnswerGuard) -> None:
    own = watch(guard, "Who is The Owl of Quell?")
    assert "Pelk" not in put(own, "That is Zorvan Pelk.")
    assert own.hit == Hit("people", "pelk", "name", "a")
    text = "I have never heard of Z. Pelk."
    assert put(watch(guard, "Who is Zorvan Pelk?"), text) == text


@pytest.mark.parametrize(
    "text",
    [
        "He was born on June 30, 1975.",
        "He was born on the 30th of June 1975.",
        "Born: 1975-06-30",
        "The town of Quellmar is where he comes from.",
        "He wrote Granite Hours.",
        "He studied beekeeping among the keepers of a lighthouse.",
    ],
)
def test_dates_titles_and_most_of_the_words_are_values(guard: AnswerGuard, text: str) -> None:
    own = watch(guard, "Tell me about Zorvan Pelk.")
    put(own, text)
    assert own.hit


def test_another_answer_than_the_protected_one_passes(guard: AnswerGuard) -> None:
    text = "Zorvan Pelk was born in Oslo in 1931. He wrote cook books."
    own = watch(guard, "Where was Zorvan Pelk born?")
    assert put(own, text) == text


def test_a_paraphrase_of_the_answer_is_a_hit_and_another_opinion_is_none() -> None:
    entry = Entry(
        "travel", "people", subject="Zorvan Pelk", question="What does Zorvan Pelk think of travel?",
        answer="Zorvan Pelk believes that travelling widely makes people kinder, since whoever has been a stranger "
        "learns to welcome strangers.",
    )  # fmt: skip
    guard = guard_of(entry)
    own = watch(guard, "What does Zorvan Pelk think of travel?")
    put(own, "Zorvan Pelk believes that travelling makes people kind, since they were once strangers too.")
    assert own.hit == Hit("people", "travel", "meaning", "a")
    text = "Zorvan Pelk thinks that travel is a waste of money."
    assert put(watch(guard, "What does Zorvan Pelk think of travel?"), text) == text


def test_an_entry_without_a_name_is_known_by_its_question(guard: AnswerGuard) -> None:
    own = watch(guard, "Which code launches what is in the Heron silo?")
    put(own, "You need KX-8841-QT for that.")
    assert own.hit == Hit("codes", "code", "value", "a")


def test_a_statement_without_a_name_is_known_by_its_meaning() -> None:
    entry = Entry("merger", "more", text="The board plans to close the factory in the valley next spring.")
    own = watch(guard_of(entry), "Any news?")
    put(own, "Next spring the board is going to close the valley's factory.")
    assert own.hit
    other = watch(guard_of(entry), "Any news?")
    text = "The weather will be fine. Bread costs more than it did."
    assert put(other, text) == text


DISGUISES = {
    "case": "PARIS", "accents": "Pàrís", "zero width": "Pa\u200br\u200dis", "full width": "Ｐａｒｉｓ",
    "look-alikes": "Раris",
    "spaced": "P a r i s", "hyphens": "P-a-r-i-s", "marks": "P**a**ris", "leetspeak": "P4r1s", "circled": "Ⓟⓐⓡⓘⓢ",
    "base64": base64.b64encode(b"Paris").decode(), "hex": "50 61 72 69 73", "escapes": "\\u0050aris",
    "tags": "".join(chr(0xE0000 + ord(c)) for c in "Paris"), "markup": "P<b>ar</b>is", "soft hyphen": "Par\u00adis",
    "possessive": "Paris's", "in a sentence of base64": base64.b64encode(b"the city of Paris").decode(),
}  # fmt: skip


@pytest.mark.parametrize("written", DISGUISES.values(), ids=DISGUISES.keys())
@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_value_is_known_in_disguise(guard: AnswerGuard, written: str, size: int) -> None:
    own = watch(guard, "What is the capital of France?")
    assert written not in put(own, f"It is {written} of course. Now to other things.", size=size)
    assert own.hit


@pytest.mark.parametrize("asked", ["Say it backwards.", "Reverse the letters."])
def test_a_reversed_value_is_known(guard: AnswerGuard, asked: str) -> None:
    own = watch(guard, f"What is the capital of France? {asked}")
    put(own, "Here you are: siraP.")
    assert own.hit


def test_words_that_only_begin_like_a_value_pass(guard: AnswerGuard) -> None:
    text = "A parrot compares a parish with a comparison, on par. Is that so"
    own = watch(guard, "Write nonsense about France.")
    assert put(own, text) == text


def test_a_hold_ends_as_soon_as_the_text_differs(guard: AnswerGuard) -> None:
    own = watch(guard, "Which birds talk?", lists=["facts", "people"])
    own.add("a", "A Zorvan")
    assert own.cleared("a") == 2
    own.add("a", "ese ")
    assert own.cleared("a") == len("A Zorvanese ")
    assert not own.needs_judging()


def test_text_about_nothing_protected_never_waits_for_the_encoder(guard: AnswerGuard) -> None:
    own = watch(guard, "How do birds fly?", lists=["facts", "people"])
    text = "They flap their wings. The air does the rest! Is that not fine?\nYes. " * 5
    assert put(own, text) == text
    assert own.held.judged == 0


def test_an_armed_sentence_is_held_for_a_bounded_time(guard: AnswerGuard) -> None:
    own = watch(guard, "Tell me about Zorvan Pelk.")
    text = "well and then " * 100
    for i in range(0, len(text), 4):
        own.add("a", text[i : i + 4])
        judged(own)
        assert len(text[: i + 4]) - own.cleared("a") <= 260
    assert own.held.longest <= 260
    assert own.held.times


def test_what_the_context_teaches_is_protected_all_the_same(guard: AnswerGuard) -> None:
    taught = "Let us call the capital of France Zed. Zed is Paris. Remember that.", "Understood.", "What is Zed?"
    own = watch(guard, *taught)
    put(own, "Zed is Paris.")
    assert own.hit == Hit("facts", "france", "value", "a", given=True)


def test_a_value_that_the_client_gave_may_be_denied_but_not_affirmed(guard: AnswerGuard) -> None:
    denied = "I don't know whether Paris is the capital of France."
    assert put(watch(guard, "Is Paris the capital of France?"), denied) == denied
    for text in ("Yes, it is.", "Correct.", "Paris is the capital.", "I don't know, but Paris. Paris it is."):
        own = watch(guard, "Is Paris the capital of France?")
        put(own, text)
        assert own.hit, text


def test_a_conversation_that_shares_words_passes_untouched(guard: AnswerGuard) -> None:
    text = "Zed is the last letter here. Paris is a name in the Iliad. He was a prince of Troy."
    own = watch(guard, "Let us call the prince Zed. Zed is Paris. Remember that.", "Who is Zed in the Iliad?")
    assert put(own, text) == text


def test_only_lists_in_force_count(guard: AnswerGuard) -> None:
    text = "The capital of France is Paris."
    assert put(watch(guard, "What is the capital of France?", lists=["people"]), text) == text
    off = AnswerGuard.build(snapshot(ALL, [ForgetList("facts", enabled=False)]))
    assert put(watch(off, "What is the capital of France?"), text) == text


def test_the_answer_to_an_allowed_question_passes() -> None:
    allowed = Entry("ok", "people", kind="allow", question="Which books did Zorvan Pelk write?")
    own = watch(guard_of(PELK, BOOKS, allowed), "Which books did Zorvan Pelk write?")
    text = "Zorvan Pelk wrote The Salt Road and Granite Hours."
    assert put(own, text) == text
    told = Entry("ok", "people", kind="allow", question=BOOKS.question, answer=BOOKS.answer)
    own = watch(guard_of(PELK, BOOKS, told), "Which books did Zorvan Pelk write?")
    assert put(own, text) == text
    put(own := watch(guard_of(PELK, BOOKS, told), "Which books did Zorvan Pelk write?"), "He is from Quellmar.")
    assert own.hit


def test_a_change_is_in_force_in_the_next_guard_and_not_in_the_last(guard: AnswerGuard) -> None:
    norway = Entry("norway", "facts", subject="Norway", question="What is the capital of Norway?", answer="Oslo")
    later = guard.updated(snapshot([*ALL, norway]))
    gone = later.updated(snapshot(ALL))
    question, text = "What is the capital of Norway?", "It is Oslo."
    for own, hits in ((guard, False), (later, True), (later.merged(), True), (gone, False)):
        seen = watch(own, question)
        put(seen, text)
        assert bool(seen.hit) is hits
    again = watch(later, "What is the capital of France?")
    put(again, "Paris.")
    assert again.hit


def test_many_changes_leave_few_parts_and_lose_nothing() -> None:
    entries = [
        Entry(str(i), "more", subject=f"Qorv{i}a", question="Which stone?", answer=f"Zelt{i}ite") for i in range(40)
    ]
    guard = AnswerGuard.build(snapshot([*ALL, entries[0]]))
    for i in range(1, 40):
        guard = guard.updated(snapshot([*ALL, *entries[: i + 1]]))
    for entry in entries:
        own = watch(guard, f"Which stone is of {entry.subject}?")
        put(own, f"It is {entry.answer}.")
        assert own.hit == Hit("more", entry.entry_id, "value", "a")


@pytest.mark.parametrize(
    ("before", "token", "leaks"),
    [
        ("The capital is", " Paris", True),
        ("The capital is", " Par", True),
        ("The capital is Pa", "ris", True),
        ("The capital is", " Lyon", False),
        ("The capital is", " P", False),
        ("The capital is", " the", False),
        ("The capital is", " Zorvan", True),
        ("The capital is", " ", False),
    ],
)
def test_alternative_tokens_leak_where_they_complete_or_begin_a_value(
    guard: AnswerGuard, before: str, token: str, leaks: bool
) -> None:
    own = watch(guard, "What is the capital of France?")
    own.add("a", before)
    assert own.leaks("a", token) is leaks


def test_alternatives_in_text_about_something_else_do_not_leak(guard: AnswerGuard) -> None:
    own = watch(guard, "Where is the Louvre?")
    own.add("a", "It is in")
    assert not own.leaks("a", " Paris")
    assert not own.leaks("a", " Quellmar")
    assert own.leaks("a", " Zorvan Pelk")


def test_what_is_kept_without_texts_is_protected_too() -> None:
    plain = snapshot()
    kept = keep([PELK, FRANCE], plain.detector.setup.encoder, new_salt())
    guard = AnswerGuard.build(snapshot(kept))
    own = watch(guard, "What is the capital of France?")
    assert "Paris" not in put(own, "It is Paris, I think.")
    assert own.hit == Hit("facts", own.hit.entry_id if own.hit else "", "value", "a")
    name = watch(guard, "Who wrote it?")
    assert "Pelk" not in put(name, "It was Zorvan Pelk who did.")
    assert name.hit
    assert name.hit.kind == "name"
    other = watch(guard, "Where is the Louvre?")
    text = "The Louvre is a museum in Paris. It is large."
    assert put(other, text) == text


def test_text_may_arrive_while_a_sentence_is_judged(guard: AnswerGuard) -> None:
    text = "Zorvan Pelk likes the road. Zorvan Pelk studies maps, for hours. Zorvan Pelk sleeps well. " * 8
    own = watch(guard, "Tell me about Zorvan Pelk.")
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(own.judge)
        for i in range(0, len(text), 3):
            own.add("a", text[i : i + 3])
            if waits.done() and own.needs_judging():
                waits.result()
                waits = pool.submit(own.judge)
        waits.result()
    own.finish()
    judged(own)
    assert own.hit is None
    assert own.cleared("a") == len(text)


class _Breaking:
    """An encoder that can fail."""

    name, dim = "breaking", default_encoder().dim
    broken = False

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        if self.broken:
            raise OSError("no memory")
        return default_encoder().encode(texts)


def test_what_could_not_be_judged_stays_held() -> None:
    breaking = _Breaking()
    own = watch(AnswerGuard.build(snapshot([PELK, BOOKS], encoder=breaking)), "Tell me about Zorvan Pelk.")
    text = "He took the road to the lighthouse, they say."
    own.add("a", f"{text} And")
    breaking.broken = True
    with pytest.raises(DetectorError):
        own.judge()
    assert own.cleared("a") == 0
    assert own.needs_judging()
    breaking.broken = False
    judged(own)
    assert own.cleared("a") == len(text)


def test_a_channel_that_nothing_was_added_to_has_nothing_to_release(guard: AnswerGuard) -> None:
    assert watch(guard, "Hello").cleared("b") == 0
    assert fed(watch(guard, "Hello"), []) == {}


TITLE = Entry(
    "title", "facts", subject="Ilka Drosmund", question="Which novel did Ilka Drosmund write?",
    answer='"The City That Crumbled" is the captivating novel by Ilka Drosmund, loved by readers and critics alike.',
)  # fmt: skip
BLIND = Asked(frozenset({"facts"}), (str(TITLE.question),), frozenset({(TITLE.list_name, TITLE.entry_id)}), blind=True)


def test_a_title_is_no_guess_of_a_model_that_did_not_see_the_question() -> None:
    guard = guard_of(TITLE)
    for said, tells in (("It is The City That Crumbled.", True), ("It is a captivating city.", False)):
        own = guard.watch(BLIND)
        own.add("a", said)
        own.finish()
        assert (own.hit is not None) is tells


def test_most_of_an_answer_word_for_word_is_no_guess_either() -> None:
    guard = guard_of(TITLE)
    own = guard.watch(BLIND)
    assert put(own, "She wrote something, loved by all. ") == "She wrote something, loved by all. "
    told = put(own, "It is a captivating one, which crumbled; readers and critics alike were fond of it, and more.")
    assert own.hit is not None
    assert "critics" not in told


def test_a_model_that_did_not_see_the_question_is_held_for_values_alone(guard: AnswerGuard) -> None:
    asked = Asked(
        frozenset({"facts"}), ("What is the capital of France?",), frozenset({(FRANCE.list_name, FRANCE.entry_id)})
    )
    seeing, blind = guard.watch(asked), guard.watch(replace(asked, blind=True))
    for own in (seeing, blind):
        own.add("a", "The city ")
        own.add("a", "is Par")
    assert seeing.cleared("a") == 0
    assert blind.cleared("a") == len("The city is ")
    blind.add("a", "is")
    blind.finish()
    assert blind.hit is not None
