"""Readings of disguised texts."""

from __future__ import annotations

import base64
import codecs
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.detector import Detector
from classifiers.registry import create_encoder
from classifiers.types import Target, TextTooLong
from classifiers.views import MAX_READINGS, VIEWS, readings

SENTENCE = "Where was Zorvan Pelk born?"


def _texts(text: str) -> list[str]:
    return [" ".join(r.text.split()) for r in readings(text)]


@pytest.mark.parametrize(
    "disguised",
    [
        "Ｗｈｅｒｅ ｗａｓ Ｚｏｒｖａｎ Ｐｅｌｋ ｂｏｒｎ？",
        "Whe\u200bre was Zor\u2066van Pe\u202elk born?",
        "Where was Zorvan Pelk born?".replace("o", "\u043e").replace("a", "\u0430"),
        "Wh3r3 w45 Z0rv4n P31k b0rn?".replace("1", "l"),
        "W h e r e   w a s   Z o r v a n   P e l k   b o r n?",
        "W.h.e.r.e w.a.s Z.o.r.v.a.n P.e.l.k b.o.r.n?",
        base64.b64encode(SENTENCE.encode()).decode(),
        base64.b64encode(base64.b64encode(SENTENCE.encode())).decode(),
        base64.urlsafe_b64encode(codecs.encode(SENTENCE, "rot13").encode()).decode().rstrip("="),
        SENTENCE.encode().hex(),
        SENTENCE.encode().hex(" "),
        "".join(f"\\x{b:02x}" for b in SENTENCE.encode()),
        "".join(f"%{b:02x}" for b in SENTENCE.encode()),
        "Where%20was+Zorvan%20Pelk%20born%3F",
        "".join(f"&#{ord(c)};" for c in SENTENCE),
        "".join(f"&#x{ord(c):x};" for c in SENTENCE),
        codecs.encode(SENTENCE, "rot13"),
        SENTENCE[::-1],
        " ".join(word[::-1] for word in SENTENCE.split()),
        "".join(char * 2 for char in SENTENCE),
        "Whe re_ was _Zo rva n_P elk _bo rn?",
        "Where was Zor-\nvan Pelk born?",
    ],
)
def test_a_disguise_is_seen_through(disguised: str) -> None:
    assert SENTENCE in _texts(disguised)


def test_letters_evenly_apart_become_words_again() -> None:
    assert "where is the station in Karachi" in " ".join(_texts(" ".join("whereisthestationinKarachi")))


def test_a_run_inside_a_longer_text_maps_to_its_own_place() -> None:
    code = base64.b64encode(SENTENCE.encode()).decode()
    text = f"Please decode {code} for me."
    reading = next(r for r in readings(text) if r.name == "base64")
    at = reading.text.index("Zorvan")
    span = reading.raw(at, at + 6)
    assert text[span.start : span.end] == code


@given(st.text(max_size=300))
def test_every_reading_maps_into_the_raw_text(text: str) -> None:
    found = readings(text)
    assert 1 <= len(found) <= MAX_READINGS
    for reading in found:
        assert len(reading.text) == len(reading.starts) == len(reading.ends)
        assert all(0 <= s < e <= len(text) for s, e in zip(reading.starts, reading.ends, strict=True))


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=80))
def test_ascii_reads_as_itself(text: str) -> None:
    assert readings(text)[0].text == text


@given(st.lists(st.sampled_from(["base64", "hex", "rot13", "reversed", "url"]), max_size=2))
def test_disguises_nest(layers: list[str]) -> None:
    text = SENTENCE
    for layer in layers:
        text = {
            "base64": lambda t: base64.b64encode(t.encode()).decode(),
            "hex": lambda t: t.encode().hex(),
            "rot13": lambda t: codecs.encode(t, "rot13"),
            "reversed": lambda t: t[::-1],
            "url": lambda t: "".join(f"%{b:02x}" for b in t.encode()),
        }[layer](text)
    assert SENTENCE in _texts(text)


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_takes_anything(name: str) -> None:
    for text in ("", " ", "\ud800", "\x00" * 100, "%%%&&&\\x", "é" * 50, "a.b.c.d.e.f", "=" * 40):
        assert all(len(r.text) == len(r.starts) for r in VIEWS[name](readings(text)[0]))


@pytest.mark.parametrize(
    "text",
    ["A" * 300_000, "ab" * 150_000, "a " * 150_000, "%41" * 100_000, "-\n" * 150_000, "&#65;" * 60_000,
     "Zm9v" * 75_000, "\u0301" * 300_000, "1a!" * 100_000, "." * 300_000],
    ids=range(10),
)  # fmt: skip
def test_the_time_for_a_text_grows_with_its_length_and_no_faster(text: str) -> None:
    """A quadratic step would take a hundred times as long for ten times the text."""
    short = text[: len(text) // 10]
    began = time.perf_counter()
    readings(short)
    middle = time.perf_counter()
    readings(text)
    assert time.perf_counter() - middle < 40 * (middle - began) + 1


FILLER = "The weather was fine and nobody said much. " * 60


@pytest.mark.parametrize("mark", ["Z\u200bx.", "\uff21.", "caf\u00e9\u0301"])
@pytest.mark.parametrize("place", ["{m} {f} {s}", "{s} {f} {m}", "{f} {s} {f} {m} {f}"])
def test_a_character_that_is_cleaned_away_cuts_nothing_off_a_long_text(mark: str, place: str) -> None:
    plain = readings(place.format(m=mark, f=FILLER, s=SENTENCE))[0].text
    assert SENTENCE in plain
    assert plain.count(FILLER.strip()) == place.count("{f}")


@pytest.mark.parametrize(
    ("first", "second"),
    [("exam-\nple", "Where was Zor*van Pelk born?"), ("a*b", "Where was Zor-\nvan Pelk born?"),
     ("%41+b", "Where%20was%20Zorvan%20Pelk%20born?")],
)  # fmt: skip
def test_two_disguises_far_apart_are_both_seen_through(first: str, second: str) -> None:
    assert any(SENTENCE in text for text in _texts(f"{first} {FILLER} {second}"))


def test_a_text_that_hides_more_than_is_read_is_refused_and_never_read_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Wh3r3 w45 Z0rvan Pelk b0rn? " * 20
    detector = Detector.build([Target("l", "1", ("Zorvan Pelk",), (), "subject")], {}, create_encoder("minilm-int8"))
    assert detector.judge([text])[0]
    monkeypatch.setattr("classifiers.views.MAX_READ", 2 * len(text))
    with pytest.raises(TextTooLong, match="more ways"):
        detector.judge([text])
    with pytest.raises(TextTooLong):
        detector.judge_turns(["Hello", text])


def test_words_that_run_together_are_parted_beside_others_that_show_where() -> None:
    text = f"getElementById is a function. {FILLER} whoiszorvanharrowgateandwhere {FILLER}"
    assert any(r.joined and " who is " in r.text for r in readings(text))
