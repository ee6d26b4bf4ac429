"""Vectors that processes of one machine leave for each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifiers.shared_vectors import KEPT, SharedVectors

ONE, TWO = b"1" * 16, b"2" * 16


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "recent.vectors"


def _vector(value: float) -> np.ndarray:
    return np.full(4, value, np.float32)


def test_what_one_leaves_another_finds(file: Path) -> None:
    one, other = SharedVectors(file, 4), SharedVectors(file, 4)
    with one.turn():
        one.add({ONE: _vector(1), TWO: _vector(2)})
    with other.turn():
        found = other.find([ONE, b"3" * 16])
    assert list(found) == [ONE]
    assert (found[ONE] == _vector(1)).all()
    assert oct(file.stat().st_mode & 0o777) == "0o600"


def test_the_oldest_make_room(file: Path) -> None:
    one, other = SharedVectors(file, 4, slots=3), SharedVectors(file, 4, slots=3)
    digests = [bytes([i]) * 16 for i in range(1, 8)]
    for i, digest in enumerate(digests):
        with one.turn():
            one.add({digest: _vector(i)})
        if i == 1:
            with other.turn():
                assert list(other.find(digests)) == digests[:2]
    for each in (one, other):
        with each.turn():
            found = each.find(digests)
        assert {d: v[0] for d, v in found.items()} == {d: i for i, d in enumerate(digests) if i > 3}


def test_after_a_minute_no_trace_is_left(file: Path) -> None:
    now = 1000.0
    one, other = (SharedVectors(file, 4, clock=lambda: now) for _ in range(2))
    with one.turn():
        one.add({ONE: _vector(1)})
    with other.turn():
        assert other.find([ONE])
    now += KEPT - 1
    one.forget()
    with other.turn():
        assert other.find([ONE])
    now += 2
    one.forget()
    with other.turn():
        assert not other.find([ONE])
    assert ONE not in file.read_bytes()
    assert _vector(1).tobytes() not in file.read_bytes()


def test_a_vector_whose_writer_died_half_way_is_not_found(file: Path) -> None:
    one = SharedVectors(file, 4)
    with one.turn():
        one.add({ONE: _vector(1)})
    raw = bytearray(file.read_bytes())
    at = raw.index(_vector(1).tobytes())
    raw[at : at + 4] = b"\0\0\0\0"
    file.write_bytes(raw)
    other = SharedVectors(file, 4)
    with other.turn():
        assert not other.find([ONE])
    other.close()


def test_a_file_of_another_size_is_made_anew(file: Path) -> None:
    file.write_bytes(b"something else")
    one = SharedVectors(file, 4)
    with one.turn():
        assert not one.find([ONE])
        one.add({ONE: _vector(1)})
        assert one.find([ONE])
