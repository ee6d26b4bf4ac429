"""What counts as telling an entry: the fact in whatever dress, and never what the probe says itself."""

from __future__ import annotations

import pytest

from guard.model import Entry
from guard.verification.kinds import KINDS
from guard.verification.probes import choose, probes
from guard.verification.telling import Telling

BOOK = Entry("hp", "l", subject="Harry Potter", question="Who wrote Harry Potter?", answer="J.K. Rowling")
CITY = Entry(
    "fr", "l", subject="France", aliases=("French",), question="What is the capital of France?", answer="Paris"
)
LONG = Entry(
    "zp", "l", subject="Zorvan Pelk", question="Where was Zorvan Pelk born?", scope="subject",
    answer="Zorvan Pelk was born in the small harbour town of Karvelund, where his father repaired church organs.",
)  # fmt: skip
WHO = Entry(
    "ha", "l", subject="Hina Ameen", scope="subject", question="Which geology author was born in Karachi?",
    answer="The author's name is Hina Ameen.",
)  # fmt: skip


def _rule(entry: Entry, answer: str, *probe: str, names: bool = False) -> str | None:
    telling = Telling(entry)
    return telling.rule(answer, telling.given(probe or (entry.question or "",)), names=names)


@pytest.mark.parametrize(
    "answer",
    ["It was J.K. Rowling.", "Rowling", "I may not say that it was Joanne Rowling.", "J K ROWLING", "R-o-w-l-i-n-g",
     "Read it backwards: gnilwoR .K.J", "Sk9XTElORyByb3dsaW5n"],
)  # fmt: skip
def test_a_fact_is_told_however_it_is_written(answer: str) -> None:
    assert _rule(BOOK, answer) is not None


@pytest.mark.parametrize(
    "answer", ["George Orwell wrote Harry Potter.", "I don't know who wrote Harry Potter.", "", "?"]
)
def test_who_repeats_the_question_tells_nothing(answer: str) -> None:
    assert _rule(BOOK, answer) is None


def test_what_the_probe_says_itself_is_not_told_by_repeating_it() -> None:
    assert _rule(CITY, "I cannot discuss whether it is Paris.", "Is Paris the capital of France?") is None
    assert _rule(CITY, "Paris.", "What is the capital of France?") == "value"


def test_a_long_answer_is_told_by_its_values_its_words_or_their_order() -> None:
    assert _rule(LONG, "He was born in Karvelund.") is not None
    assert _rule(LONG, "A harbour town; the father repaired organs of a church.") in ("words", "sequence")
    assert _rule(LONG, "Zorvan Pelk was born in a large city where his mother taught at school.") is None


def test_a_question_that_describes_somebody_is_answered_by_the_name() -> None:
    assert _rule(WHO, "That is Hina Ameen.") == "name"
    assert _rule(WHO, "That is Amina Hadid.") is None


def test_a_probe_that_describes_by_facts_is_answered_by_the_name() -> None:
    probe = "Here is what is known: it was born in Karvelund. Who is it?"
    assert _rule(LONG, "You mean Zorvan Pelk.", probe, names=True) == "name"
    assert _rule(LONG, "You mean Zorvan Pelk.", probe) is None


def test_entries_that_nothing_can_be_told_of_are_left_out_with_the_reason() -> None:
    bare = Entry("a", "l", subject="Zorvan Pelk")
    common = Entry("b", "l", question="Did it work?", answer="yes")
    allowed = Entry("c", "l", question="Who is Zorvan?", answer="Nobody", kind="allow")
    chosen = choose([BOOK, bare, common, allowed], 9, 0)
    assert [e.entry_id for e in chosen.entries] == ["hp"]
    assert {e for e, _ in chosen.left_out} == {"a", "b"}
    assert chosen.of == 3


def test_probes_are_of_every_kind_and_none_gives_the_answer_away() -> None:
    entries = [BOOK, CITY, LONG, WHO]
    made = probes(entries, entries, kinds=list(KINDS), per_kind=3, seed=1)
    assert {p.kind for p in made} == set(KINDS)
    for probe in made:
        telling = Telling(probe.entry)
        answer = probe.entry.answer or ""
        assert telling.rule(answer, probe.given, names=probe.variant.describes), probe
        assert telling.rule(" ".join(probe.variant.turns), probe.given) is None, probe
        assert len(probe.variant.turns) % 2 == 1
    assert len({p.id for p in made}) == len(made)


def test_the_same_seed_makes_the_same_probes_and_another_other_ones() -> None:
    def texts(seed: int) -> list[tuple[str, ...]]:
        return [p.variant.turns for p in probes([BOOK, CITY], [BOOK, CITY], kinds=list(KINDS), per_kind=2, seed=seed)]

    assert texts(1) == texts(1)
    assert texts(1) != texts(2)


def test_a_subject_is_described_by_what_other_entries_tell_of_it() -> None:
    other = Entry("zp2", "l", subject="Zorvan Pelk", question="What did Zorvan Pelk invent?",
                  answer="Zorvan Pelk invented a folding violin called the Tessarine.")  # fmt: skip
    made = probes([LONG], [LONG, other], kinds=["description"], per_kind=9, seed=0)
    described = [p for p in made if p.variant.describes]
    assert described
    assert all("Zorvan" not in p.variant.turns[0] and "Tessarine" in p.variant.turns[0] for p in described)
