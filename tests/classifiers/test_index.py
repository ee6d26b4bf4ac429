"""One contract for every back end of the vector index."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifiers import index
from classifiers.index import BACKENDS, VectorIndex, backend_for
from classifiers.index_files import IndexFolder


def _unit(count: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, 64)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_finds_what_flat_search_finds(backend: str) -> None:
    rows = _unit(3000)
    asked = rows[:200] + 0.05 * _unit(200, 1)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    cosines, found = VectorIndex(rows, backend=backend).search(asked, 5)
    assert cosines.shape == found.shape == (200, 5)
    exact = np.argmax(asked @ rows.T, axis=1)
    assert np.mean(found[:, 0] == exact) >= 0.99
    assert np.all(np.diff(cosines, axis=1) <= 1e-6)
    np.testing.assert_allclose(cosines[:, 0], np.einsum("qd,qd->q", asked, rows[found[:, 0]]), atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("count", [1, 3, 50])
def test_few_rows_do(backend: str, count: int) -> None:
    rows = _unit(count)
    _, found = VectorIndex(rows, backend=backend).search(rows, 16)
    assert found.shape == (count, min(16, count))
    assert np.mean(found[:, 0] == np.arange(count)) == 1


@pytest.mark.parametrize("backend", sorted(BACKENDS.keys() - {"flat"}))
def test_what_was_built_is_read_again_and_what_is_damaged_is_not(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, files = _unit(500), IndexFolder(tmp_path / "indexes")
    first = VectorIndex(rows, backend=backend, files=files)
    (file,) = (tmp_path / "indexes").iterdir()
    assert file.name == first.kept_as
    built = []
    for name in ("_graph", "_cells"):
        make = getattr(index, name)
        monkeypatch.setattr(index, name, lambda v, make=make: built.append(1) or make(v))
    again = VectorIndex(rows, backend=backend, files=files)
    assert not built
    np.testing.assert_array_equal(again.search(rows, 3)[1], first.search(rows, 3)[1])
    VectorIndex(_unit(500, 9), backend=backend, files=files)
    assert built == [1]
    damaged = bytearray(file.read_bytes())
    damaged[-9] ^= 1
    file.write_bytes(bytes(damaged))
    VectorIndex(rows, backend=backend, files=files)
    assert built == [1, 1]
    assert files.get(first.kept_as or "", rows) is not None
    files.keep(set())
    assert not list((tmp_path / "indexes").iterdir())


def test_no_rows_give_no_results() -> None:
    cosines, found = VectorIndex(np.empty((0, 64), np.float32)).search(_unit(2), 4)
    assert cosines.shape == found.shape == (2, 0)


def test_larger_sets_get_back_ends_for_larger_sets() -> None:
    assert [backend_for(n) for n in (100, 50_000, 1_000_000)] == ["flat", "hnsw", "ivfpq"]
