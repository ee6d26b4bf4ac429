"""One contract for every back end of the vector index."""

from __future__ import annotations

import numpy as np
import pytest

from classifiers.index import BACKENDS, VectorIndex, backend_for


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


def test_no_rows_give_no_results() -> None:
    cosines, found = VectorIndex(np.empty((0, 64), np.float32)).search(_unit(2), 4)
    assert cosines.shape == found.shape == (2, 0)


def test_larger_sets_get_back_ends_for_larger_sets() -> None:
    assert [backend_for(n) for n in (100, 50_000, 1_000_000)] == ["flat", "hnsw", "ivfpq"]
