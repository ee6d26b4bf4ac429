"""However an answer is split, and over whatever it is spread, what is protected does not get out."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.output import AnswerGuard
from guard.output.atoms import letters
from tests.guard.output_parts import fed, guard_of, put, watch

LISTS = ("facts", "people")
ANSWERS = (
    "The capital of France is Paris, of course. It has two million people.",
    "Paris! That is what they call the capital of France.",
    "I think that Zorvan Pelk wrote it; he is from Quellmar, born on June 30, 1975.",
    "It is P a r i s in France, or P**a**ris, or Pàris.",
    "See UGFyaXM= for France, or 50 61 72 69 73.",
)
HARMLESS = (
    "The Louvre is a museum in Paris. It holds many paintings, and costs 22 euros to see.",
    "A parrot and a zorse met a quellist in Zorva. JavaScript v1.2.3 is at https://a.example/b?c=d%20e.",
    "def f(x):\n    return {'a': [1, 2, 3], 'b': x ** 2}  # \\n and \\t\n\n- 12 34 56\n- be ad fa ce\n",
    "在巴黎有很多博物馆。 Ünïcödé, émigrés & 🎉 … and so on",
)
QUESTION = "What do you know about the capital of France?"


@pytest.fixture(scope="module")
def guard() -> AnswerGuard:
    return guard_of()


@st.composite
def splits(draw: st.DrawFn, texts: Sequence[str]) -> list[str]:
    """One of ``texts`` in pieces."""
    text = draw(st.sampled_from(texts))
    cuts = sorted(draw(st.sets(st.integers(1, len(text) - 1), max_size=30)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def _tells(text: str) -> bool:
    said = letters(text)[0]
    return any(value in said for value in ("paris", "quellmar", "zorvanpelk", "ugfyaxm", "5061726973", "june301975"))


@settings(max_examples=150, deadline=None)
@given(pieces=splits(ANSWERS))
def test_no_split_releases_a_value(guard: AnswerGuard, pieces: list[str]) -> None:
    own = watch(guard, QUESTION, lists=LISTS)
    released = fed(own, [("a", p) for p in pieces])["a"]
    assert own.hit
    assert "".join(pieces).startswith(released)
    assert not _tells(released)


@settings(max_examples=100, deadline=None)
@given(pieces=splits(HARMLESS))
def test_what_holds_nothing_protected_is_released_whole(guard: AnswerGuard, pieces: list[str]) -> None:
    own = watch(guard, "Write something.", lists=LISTS)
    assert fed(own, [("a", p) for p in pieces]) == {"a": "".join(pieces)}
    assert own.hit is None
    assert own.held.judged == 0


@settings(max_examples=150, deadline=None)
@given(pieces=splits(ANSWERS), noise=splits(HARMLESS), order=st.randoms(use_true_random=False))
def test_no_interleaving_of_channels_releases_a_value(
    guard: AnswerGuard, pieces: list[str], noise: list[str], order: object
) -> None:
    left = {"a": list(pieces), "b": list(noise)}
    mixed: list[tuple[str, str]] = []
    while any(left.values()):
        channel = order.choice([c for c, own in left.items() if own])  # type: ignore[attr-defined]
        mixed.append((channel, left[channel].pop(0)))
    own = watch(guard, QUESTION, lists=LISTS)
    released = fed(own, mixed)
    assert own.hit
    assert not _tells(released.get("a", ""))


@settings(max_examples=100, deadline=None)
@given(cut=st.integers(1, 4), before=splits(("The capital is ", "France: ", "So it is, in the end, ")))
def test_a_value_begun_in_one_channel_and_ended_in_another_is_caught(
    guard: AnswerGuard, cut: int, before: list[str]
) -> None:
    own = watch(guard, QUESTION, lists=LISTS)
    pieces = [*(("a", p) for p in before), ("a", "Paris"[:cut]), ("b", "Paris"[cut:]), ("b", " indeed.")]
    released = fed(own, pieces)
    assert own.hit
    assert "is" not in letters(released.get("b", ""))[0]


DOCUMENTS = (
    {"capital": "Paris"},
    {"a": "The capital of France is Paris."},
    {"parts": ["Par", "is"]},
    {"first": "Par", "second": "is"},
    {"Paris": 1},
    {"born": {"town": "Quellmar"}, "who": "Zorvan", "name": "Pelk"},
)


@settings(max_examples=200, deadline=None)
@given(document=st.sampled_from(DOCUMENTS), data=st.data(), escaped=st.booleans(), marked=st.booleans())
def test_a_value_in_the_strings_of_a_document_is_caught(
    guard: AnswerGuard, document: object, data: st.DataObject, escaped: bool, marked: bool
) -> None:
    text = json.dumps(document, indent=data.draw(st.sampled_from([None, 1])))
    if escaped:
        letter = data.draw(st.sampled_from("Paris"))
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text) - 1), max_size=20)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    own = watch(guard, QUESTION, lists=LISTS)
    released = fed(own, [("tool", p) for p in pieces], json=marked)["tool"]
    assert own.hit
    assert text.startswith(released)
    assert not _tells(json.dumps(released))


@settings(max_examples=60, deadline=None)
@given(
    document=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    size=st.integers(1, 9),
)
def test_other_documents_are_released_whole(guard: AnswerGuard, document: object, size: int) -> None:
    text = json.dumps(document)
    assert put(watch(guard, "Hello", lists=LISTS), text, size=size, json=True) == text


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=300), size=st.integers(1, 40))
def test_any_text_is_released_whole_at_the_end(guard: AnswerGuard, text: str, size: int) -> None:
    own = watch(guard, "Hello", lists=LISTS)
    assert put(own, text, size=size) == text


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=200), size=st.integers(1, 40))
def test_any_text_is_read_where_an_entry_is_armed(guard: AnswerGuard, text: str, size: int) -> None:
    own = watch(guard, QUESTION, lists=LISTS)
    released = put(own, text, size=size)
    assert released == text or own.hit


def test_values_spread_over_calls_of_tools_are_caught(guard: AnswerGuard) -> None:
    own = watch(guard, QUESTION, lists=LISTS)
    released = fed(own, [("call/0", '{"a": "Par"}'), ("call/1", '{"b": "is"}')], json=True)
    assert own.hit
    assert "is" not in released.get("call/1", "")


def test_a_name_in_one_channel_arms_the_others(guard: AnswerGuard) -> None:
    own = watch(guard, "Where do you want to go?", lists=LISTS)
    fed(own, [("reasoning", "Perhaps to France. "), ("content", "To Paris!")])
    assert own.hit
    assert own.hit.channel == "content"


def test_two_answers_side_by_side_to_a_harmless_question_pass(guard: AnswerGuard) -> None:
    text = "The museum is on par with others. It is open all day, and costs nothing at all for children."
    words = [w + " " for w in text.split()]
    own = watch(guard, "Tell me of museums.", lists=LISTS)
    released = fed(own, [(channel, word) for word in words for channel in ("0", "1")])
    assert released == {"0": " ".join([text, ""]), "1": " ".join([text, ""])}
