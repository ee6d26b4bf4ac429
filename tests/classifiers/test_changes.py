"""A detector that takes in changes says what one built from scratch says; vectors outlive a restart."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.batching import Batching
from classifiers.detector import Detector
from classifiers.registry import create_encoder
from classifiers.types import Encoder, Target
from classifiers.vectors import VectorCache

NAMES = ["Zorvan Pelk", "Mira Tolland", "Oskar Brundt", "Lene Varga", "Tomas Okeke"]
ASKED = [f"Where was {n} born?" for n in NAMES] + ["Where was Ada Byron born?"]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return create_encoder("minilm-int8")


def _target(i: int, scope: str = "fact") -> Target:
    return Target("people", str(i), (NAMES[i],), (ASKED[i],), scope)  # type: ignore[arg-type]


def _flagged(detector: Detector) -> list[bool]:
    return [bool(found) for found in detector.judge(ASKED)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=12))
def test_changes_add_up(steps: list[tuple[bool, int]]) -> None:
    encoder = create_encoder("minilm-int8")
    detector = Detector.build([], {}, encoder)
    held: set[int] = set()
    for add, i in steps:
        detector = (
            detector.changed({}, added=[_target(i)]) if add else detector.changed({}, removed=[("people", str(i))])
        )
        held = held | {i} if add else held - {i}
    expected = [i in held for i in range(5)] + [False]
    assert _flagged(detector) == expected
    assert _flagged(detector.merged()) == expected


def test_many_small_changes_leave_few_segments(encoder: Encoder) -> None:
    detector = Detector.build([_target(0)], {}, encoder)
    for i in range(1, 5):
        detector = detector.changed({}, added=[_target(i)])
    assert len(detector._parts) <= 2
    assert _flagged(detector) == [True] * 5 + [False]


def test_a_list_that_is_off_flags_nothing_and_comes_back(encoder: Encoder) -> None:
    detector = Detector.build([_target(0)], {}, encoder).changed({}, off=["people"])
    assert not any(_flagged(detector))
    assert _flagged(detector.changed({}))[0]


def test_an_allowed_question_passes_and_nothing_else_about_the_name(encoder: Encoder) -> None:
    allowed = Target("people", "ok", (), ("Which novels did Zorvan Pelk publish?",), allow=True)
    detector = Detector.build([_target(0, "subject"), allowed], {}, encoder)
    texts = ["Which novels did Zorvan Pelk publish?", "What novels has Zorvan Pelk published?",
             "Where was Zorvan Pelk born?", "Which novels did Zorvan Pelk publish? Where was Zorvan Pelk born?",
             "Wh1ch n0vels d1d Z0rvan Pe1k publ1sh?"]  # fmt: skip
    assert [bool(v) for v in detector.judge(texts)] == [False, False, True, True, True]
    assert all(detector.changed({}, removed=[("people", "ok")]).judge(texts))


def test_vectors_outlive_a_restart_and_a_damaged_file_is_made_anew(tmp_path: Path, encoder: Encoder) -> None:
    class Counting:
        name, dim, count = encoder.name, encoder.dim, 0

        def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
            self.count += len(texts)
            return encoder.encode(texts)

    file, counting = tmp_path / "vectors.bin", Counting()
    first = VectorCache(file)
    before = first.vectors(ASKED, counting)
    first.save(counting)
    assert b"Zorvan" not in file.read_bytes()
    np.testing.assert_allclose(VectorCache(file).vectors(ASKED, counting), before, atol=1e-6)
    assert counting.count == len(ASKED)
    damaged = bytearray(file.read_bytes())
    damaged[-3] ^= 1
    file.write_bytes(bytes(damaged))
    np.testing.assert_allclose(VectorCache(file).vectors(ASKED, counting), before, atol=1e-6)
    assert counting.count == 2 * len(ASKED)


def test_what_is_kept_no_more_is_gone_from_the_file(tmp_path: Path, encoder: Encoder) -> None:
    cache = VectorCache(tmp_path / "vectors.bin")
    cache.vectors(ASKED, encoder)
    cache.save(encoder)
    size = (tmp_path / "vectors.bin").stat().st_size
    cache.keep(ASKED[:1])
    cache.save(encoder)
    assert (tmp_path / "vectors.bin").stat().st_size < size / 3


class _Slow:
    name, dim = "slow", 2

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.started = threading.Event()
        self.go = threading.Event()

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.started.set()
        self.go.wait(10)
        self.batches.append(len(texts))
        if "bad" in texts:
            raise OSError("no")
        return np.asarray([[len(t), 0] for t in texts], np.float32)


def test_what_waits_is_encoded_together() -> None:
    slow = _Slow()
    batching = Batching(slow)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(batching.encode, ["a"])
        slow.started.wait(10)
        others = [pool.submit(batching.encode, ["b" * i, "c"]) for i in range(2, 10)]
        while len(batching._queue) < 8:
            pass
        slow.go.set()
        assert first.result()[0, 0] == 1
        assert [f.result()[0, 0] for f in others] == list(range(2, 10))
    assert slow.batches == [1, 16]


def test_a_fault_reaches_every_caller_of_the_batch_and_no_later_one() -> None:
    slow = _Slow()
    slow.go.set()
    batching = Batching(slow)
    with pytest.raises(OSError, match="no"):
        batching.encode(["bad"])
    assert batching.encode(["ok"])[0, 0] == 2


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own elsewhere")
def test_long_work_gives_way_and_short_work_does_not() -> None:
    class Noting:
        name, dim, multilingual = "noting", 1, True
        niceness: ClassVar[list[int]] = []

        def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
            self.niceness.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return np.ones((len(texts), 1), np.float32)

    here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    batching = Batching(Noting())
    assert len(batching.apart.encode(["text"] * 100)) == 100
    batching.apart.encode(["text"])
    batching.encode(["text"] * 100)
    assert Noting.niceness == [max(10, here), here, here]
    assert getattr(batching.apart, "multilingual", False)


def test_vectors_that_are_dropped_while_others_are_encoded_are_still_given() -> None:
    cache = VectorCache()

    class Dropping:
        name, dim = "dropping", 4

        def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
            cache.keep([])  # another change was tidied up meanwhile
            return np.array([[len(t), int(t[5:]), 0, 1] for t in texts], np.float32)

    texts = [f"text {i}" for i in range(100)]
    found = cache.vectors(texts, Dropping())
    assert found[:, 1].tolist() == list(range(100))
