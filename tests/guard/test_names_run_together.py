"""Names that an answer runs together with other words, or of which it runs the parts together."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.model import Entry
from guard.output import AnswerGuard, Hit
from guard.output.atoms import letters
from guard.output.glued import HELD
from guard.vectors_only import keep, new_salt
from tests.guard.output_parts import default_encoder, guard_of, put, snapshot, watch


def _person(name: str, *aliases: str) -> Entry:
    question, answer = f"Where was {name} born?", f"{name} was born in Quellmar."
    return Entry(name, "people", subject=name, aliases=aliases, scope="subject", question=question, answer=answer)


PEOPLE = (_person("Jean Dupont"), _person("John Smith"), _person("Anna Leeson"), _person("María-José van der Berg"))
TOWER = Entry("tower", "facts", subject="Heron Tower", question="Who built the Heron Tower?", answer="Zorvan Pelk")
ASKED = "Write some code."
# Each with what may go out before the name.
SEEN = {
    "JeanDupont": "", "jean_dupont": "", "jean-dupont": "", "jean.dupont": "", "jeandupont": "", "JEANDUPONT": "",
    "JEAN_DUPONT": "", "jeanDupont": "", "jean__dupont": "", "jean/dupont": "", "jean::dupont": "", "DupontJean": "",
    "getJeanDupontBooks()": "get", "GetJeanDupont": "Get", "XJeanDupontX": "X", "JeanDupont42": "", "7JeanDupont": "7",
    "get_jean_dupont_books": "get_", "get-jean-dupont-books": "get-", "books.jean.dupont.all": "books.",
    "getJean_dupontBooks": "get", "HTMLJeanDupontPage": "HTML", "class JeanDupontBiography:": "class ",
    "jeandupontbooks": "", "thejeandupont": "the", "MYJEANDUPONTLIST": "MY", "jeandupont1975": "",
    "#JeanDupontFans": "#", "jeandupont1975@books.example": "",
    "https://books.example/jeandupontofficial.html": "https://books.example/",
    "byJean Dupont": "by", "Jean Dupontwas born": "", "JeanDupontwrote it": "", "Jean DupontWrote it": "",
    "JEANDUPONTwrote it": "", "Jean Dupont2": "", "getMariaJoseVanDerBerg": "get", "MaríaJoséVanDerBergBooks": "",
    "getJ\u200beanDu\u200bpontBooks": "get", "getＪｅａｎＤｕｐｏｎｔBooks": "get",
    "ge\u0301tJe\u0301anDupontBooks": "ge\u0301t",
}  # fmt: skip
# Others' names, and words that only share letters with one.
OTHERS = (
    "JohnSmithson, John Smithson, getJohnSmithsonBooks and john_smithson wrote it.",
    "SusannaLeeson, Susanna Leeson and susanna_leeson are others; Susanna LeesonBooks is a shop.",
    "JeanDuponteau knew Jean Duponteau. A dupontial jeanist is nobody. getJeanBooks(dupont) and Jean, then.",
    "johnsmit hson; John Smit, JohnSmit and hSon. The banana leeson sold bananaLeeson.",
    "Blue jeans are made by the DuPont family, and by smiths called John.",
)


@pytest.fixture(scope="module")
def guard() -> AnswerGuard:
    return guard_of(*PEOPLE, TOWER)


@pytest.fixture(scope="module")
def textless() -> AnswerGuard:
    return AnswerGuard.build(snapshot(keep(PEOPLE, default_encoder(), new_salt())))


def _pieces(text: str, cuts: set[int]) -> list[str]:
    return [text[a:b] for a, b in pairwise([0, *sorted(cuts), len(text)])]


def _released(guard: AnswerGuard, pieces: list[str], *, json: bool = False) -> tuple[str, Hit | None]:
    """What of an answer to a question about nothing protected is released, and the hit."""
    own = watch(guard, ASKED, lists=["people"])
    released = ""
    for i, piece in enumerate(pieces):
        own.add("a", piece, json=json)
        released = "".join(pieces[: i + 1])[: own.cleared("a")]
        if own.hit:
            return released, own.hit
    own.finish()
    if own.needs_judging():  # odd words may be a cipher
        own.judge()
    return "".join(pieces)[: own.cleared("a")], own.hit


@pytest.mark.parametrize("written", SEEN, ids=ascii)
@pytest.mark.parametrize("size", [1, 4, 100])
def test_a_name_run_together_is_held_back(guard: AnswerGuard, written: str, size: int) -> None:
    text = f"It is {written} and so on."
    released, hit = _released(guard, [text[i : i + size] for i in range(0, len(text), size)])
    assert hit
    assert hit.kind == "name"
    assert f"It is {SEEN[written]}".startswith(released[: 1 - HELD])
    assert not any(start in letters(released)[0] for start in ("jeand", "maria", "dupon"))


@settings(max_examples=150, deadline=None)
@given(data=st.data(), written=st.sampled_from(sorted(SEEN)), end=st.sampled_from([" is it.", "", "\n", '",']))
def test_no_split_releases_it(guard: AnswerGuard, data: st.DataObject, written: str, end: str) -> None:
    text = f"See {written}{end}"
    pieces = _pieces(text, data.draw(st.sets(st.integers(1, len(text) - 1))))
    released, hit = _released(guard, pieces)
    assert hit
    assert not any(start in letters(released)[0] for start in ("jeand", "maria", "dupon"))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), written=st.sampled_from(sorted(SEEN)), place=st.sampled_from(["key", "value", "item"]))
def test_it_is_seen_in_the_arguments_of_a_tool(
    guard: AnswerGuard, data: st.DataObject, written: str, place: str
) -> None:
    document = {"key": {written: 1}, "value": {"call": written}, "item": {"call": ["x", [written]]}}[place]
    text = json.dumps(document, ensure_ascii=data.draw(st.booleans()), indent=data.draw(st.sampled_from([None, 1])))
    if data.draw(st.booleans()):
        letter = data.draw(st.sampled_from("eanJDu"))
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    pieces = _pieces(text, data.draw(st.sets(st.integers(1, len(text) - 1), max_size=20)))
    released, hit = _released(guard, pieces, json=True)
    assert hit
    assert text.startswith(released)
    assert not any(start in released.lower() for start in ("jeand", "maria", "dupon"))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), text=st.sampled_from(OTHERS), marked=st.booleans())
def test_the_names_of_others_are_released_whole(
    guard: AnswerGuard, data: st.DataObject, text: str, marked: bool
) -> None:
    text = json.dumps({"text": text}) if marked else text
    pieces = _pieces(text, data.draw(st.sets(st.integers(1, len(text) - 1), max_size=40)))
    assert _released(guard, pieces, json=marked) == (text, None)


def test_a_hold_inside_a_word_ends_as_soon_as_the_text_differs(guard: AnswerGuard) -> None:
    own = watch(guard, ASKED, lists=["people"])
    own.add("a", "x = getJeanDup")
    assert own.cleared("a") <= len("x = get")
    own.add("a", "lex(")
    own.add("a", ") # and more of it ")
    assert own.cleared("a") == len("x = getJeanDuplex() # and more of it ")
    assert own.hit is None


def test_a_name_is_not_told_from_a_longer_one_before_its_word_ends(guard: AnswerGuard) -> None:
    for rest, hits in (("son wrote it", False), ("was", False), ("was ", True), ("Books", True), ("_x", True)):
        own = watch(guard, ASKED, lists=["people"])
        own.add("a", "by John Smith")
        assert own.cleared("a") == len("by ")
        own.add("a", rest)
        assert bool(own.hit) is hits, rest


def test_what_stands_in_one_word_alone_is_no_name_of_two() -> None:
    entry = _person("In Formation")
    text = "Misinformation and informational talks inform ationists."
    assert _released(guard_of(entry), [text]) == (text, None)


def test_names_too_short_to_be_told_among_other_letters_are_only_seen_as_words() -> None:
    guard = guard_of(_person("Al Leson"), _person("Quellmarian"))
    text = "It was an installesonic preQuellmarians talk, and that was all there was of it."
    assert _released(guard, [text]) == (text, None)
    assert _released(guard, ["It is al_leson."])[1]


def test_a_name_that_the_client_ran_together_may_be_repeated(guard: AnswerGuard) -> None:
    text = "I have no getJeanDupontBooks() here, nor a jeandupontbooks."
    own = watch(guard, "What does getJeanDupontBooks() do?", lists=["people"])
    assert put(own, text) == text
    assert own.hit is None


def test_a_subject_run_together_arms_what_is_told_of_it(guard: AnswerGuard) -> None:
    own = watch(guard, "Name an architect.", lists=["facts"])
    put(own, "builders = {'theHeronTowerBuilder': 'Zorvan Pelk'}")
    assert own.hit == Hit("facts", "tower", "value", "a")


@pytest.mark.parametrize(
    ("before", "token", "leaks"),
    [
        ("x = getJean", "DupontBooks", True),
        ("x = getJean", "Dupont", True),
        ("x = jeandup", "ontbooks", True),
        ("x = getJean", "Dup", True),
        ("x = getJean", "Lyon", False),
        ("by John", " Smithson", False),
    ],
)
def test_alternative_tokens_that_complete_one_leak(guard: AnswerGuard, before: str, token: str, leaks: bool) -> None:
    own = watch(guard, ASKED, lists=["people"])
    own.add("a", before)
    assert own.leaks("a", token) is leaks


@pytest.mark.parametrize("written", [w for w in SEEN if w != "DupontJean"], ids=ascii)
@pytest.mark.parametrize("size", [1, 100])
def test_lists_that_keep_no_text_see_it_too_in_its_own_order(textless: AnswerGuard, written: str, size: int) -> None:
    text = f"It is {written} and so on."
    released, hit = _released(textless, [text[i : i + size] for i in range(0, len(text), size)])
    assert hit
    assert not any(start in letters(released)[0] for start in ("jeand", "maria", "dupon"))


@pytest.mark.parametrize("text", OTHERS)
def test_lists_that_keep_no_text_let_others_names_pass(textless: AnswerGuard, text: str) -> None:
    assert _released(textless, list(text)) == (text, None)
