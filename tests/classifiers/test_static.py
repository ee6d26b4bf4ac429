"""The static stage: near enough to the encoder to end what is far, and never a reason to miss what is near."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifiers.detector import Detector
from classifiers.fitting import Aim, learn
from classifiers.ordinary import prompts
from classifiers.registry import create_encoder
from classifiers.static import StaticEmbedding, load_or_distil
from classifiers.types import Encoder, Target

FREE = [
    Target("facts", "1", (), ("What is the boiling point of tolvanium in degrees?",)),
    Target("facts", "2", (), ("Which enzyme breaks down the sugar in fermented quince?",)),
    Target("facts", "3", (), ("The password of the west gate is changed every Friday by the gardener.",)),
]
ASKED = [
    "At how many degrees does tolvanium boil?",
    "What enzyme is it that breaks the sugar of fermented quince down?",
    "Every Friday the gardener changes the password of the west gate.",
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return create_encoder("minilm-int8")


@pytest.fixture(scope="module")
def static(encoder: Encoder) -> StaticEmbedding:
    return StaticEmbedding.distil(encoder, sentences=1200)


@pytest.fixture(scope="module")
def detector(encoder: Encoder, static: StaticEmbedding) -> Detector:
    bare = Detector.build(FREE, {}, encoder)
    found = learn(bare, {"facts": Aim()}, static=static)
    assert found.bound is not None
    return bare.learnt(head=found.head, calibrated=found.thresholds, static=static, bound=found.bound)


def test_what_is_alike_to_the_encoder_is_alike_here(static: StaticEmbedding) -> None:
    vectors, known = static.encode([ASKED[0], FREE[0].texts[0], "My cat sleeps on the warm roof."])
    assert known.all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.3


@pytest.mark.parametrize("text", ["", "   ", "\u16a0\u16a2\u16a6", "tolvanium \U0001f3f4"])
def test_a_text_that_it_cannot_read_has_no_vector(static: StaticEmbedding, text: str) -> None:
    assert not static.encode([text])[1][0]


def test_many_texts_get_the_vectors_of_each(static: StaticEmbedding) -> None:
    texts = prompts(80, 5)
    together, known = static.encode(texts)
    for i in range(0, 80, 9):
        alone, own = static.encode([texts[i]])
        np.testing.assert_allclose(alone[0], together[i], atol=1e-6)
        assert own[0] == known[i]


def test_it_ends_most_of_what_is_far_and_nothing_that_is_flagged(detector: Detector, encoder: Encoder) -> None:
    full = Detector.build(FREE, {}, encoder)
    texts = [*ASKED, *prompts(150, 77)]
    ended, whole = detector.inspect(texts), full.inspect(texts)
    assert all(ended.verdicts[:3])
    assert [bool(v) for v in ended.verdicts] == [bool(v) for v in whole.verdicts]
    assert whole.stages.count("encoder") == len(texts)
    assert ended.stages[:3] == ["encoder"] * 3
    assert ended.stages.count("static") >= 0.8 * len(texts)


def test_a_text_that_it_cannot_read_goes_to_the_encoder(detector: Detector) -> None:
    assert detector.inspect(["\u16a0\u16a2\u16a6 gate"]).stages == ["encoder"]


def test_an_entry_that_it_cannot_read_leaves_the_stage_out(encoder: Encoder, static: StaticEmbedding) -> None:
    runes = Target("facts", "4", (), ("\u16a0\u16a2\u16a6\u16a8",))
    odd = Detector.build([*FREE, runes], {}, encoder).learnt(static=static, bound=0.9)
    assert odd.inspect(["My cat sleeps on the warm roof."]).stages == ["encoder"]


def test_entries_added_later_are_seen_by_the_stage(detector: Detector) -> None:
    late = Target("facts", "9", (), ("Whose umbrella hangs behind the organ of the old chapel?",))
    asked = "Whose is the umbrella that hangs behind the old chapel's organ?"
    assert not detector.judge([asked])[0]
    assert detector.changed({}, added=[late]).judge([asked])[0]


def test_it_outlives_a_restart_and_a_damaged_file_is_made_anew(
    tmp_path: Path, static: StaticEmbedding, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "static.bin"
    static.save(file)
    kept = StaticEmbedding.load(file, encoder)
    assert kept.floor == static.floor
    np.testing.assert_allclose(kept.encode(ASKED)[0], static.encode(ASKED)[0], atol=2e-3)
    damaged = bytearray(file.read_bytes())
    damaged[-5] ^= 4
    file.write_bytes(bytes(damaged))
    with pytest.raises(ValueError, match="checksum"):
        StaticEmbedding.load(file, encoder)
    monkeypatch.setattr(StaticEmbedding, "distil", lambda _: static)
    load_or_distil(file, encoder)
    assert StaticEmbedding.load(file, encoder).floor == static.floor
    file.write_bytes(b"{}\n")
    with pytest.raises(ValueError, match="no static embedding"):
        StaticEmbedding.load(file, encoder)
