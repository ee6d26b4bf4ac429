"""Nearest vectors by cosine (FAISS): exact while that is fast, a graph above, quantised cells for millions."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

FLAT_LIMIT = 10_000
HNSW_LIMIT = 150_000
_FEWEST = 64
_SMALL = 20_000  # products
_PROBES = 24


class Index(Protocol):
    """Searches rows ``(n, dim)`` of unit length that it was built over."""

    def search(self, queries: Floats, k: int) -> tuple[Floats, Rows]:
        """Cosines and rows, each ``(len(queries), k)``, best first; row -1 is no result. ``1 <= k <= n``."""
        ...


class Flat:
    """Every row is looked at. Keeps no copy."""

    def __init__(self, vectors: Floats) -> None:
        self._vectors = vectors

    def search(self, queries: Floats, k: int) -> tuple[Floats, Rows]:
        """See ``Index``."""
        if len(queries) * len(self._vectors) <= _SMALL:  # FAISS wakes its threads for ever so little
            scores = queries @ self._vectors.T
            rows = np.argsort(-scores, axis=1, kind="stable")[:, :k] if k > 1 else scores.argmax(1)[:, None]
            return np.take_along_axis(scores, rows, 1), rows
        import faiss

        found: tuple[Floats, Rows] = faiss.knn(queries, self._vectors, k, metric=faiss.METRIC_INNER_PRODUCT)
        return found


class Hnsw:
    """A navigable small-world graph (Malkov and Yashunin, 2016, arXiv 1603.09320)."""

    def __init__(self, vectors: Floats, built: Any = None) -> None:
        self.built = _graph(vectors) if built is None else built

    def search(self, queries: Floats, k: int) -> tuple[Floats, Rows]:
        """See ``Index``."""
        scores, rows = self.built.search(queries, k)
        return scores, rows


class IvfPq:
    """Cells with product-quantised rows (Jégou et al., 2011); the best of them are compared exactly."""

    _REFINED = 48

    def __init__(self, vectors: Floats, built: Any = None) -> None:
        self.built = _cells(vectors) if built is None else built
        self._vectors = vectors

    def search(self, queries: Floats, k: int) -> tuple[Floats, Rows]:
        """See ``Index``."""
        _, found = self.built.search(queries, max(k, min(self._REFINED, len(self._vectors))))
        scores = np.einsum("qkd,qd->qk", self._vectors[found], queries)
        scores[found < 0] = -2.0
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(scores, order, 1), np.take_along_axis(found, order, 1)


def _graph(vectors: Floats) -> Any:
    import faiss

    index: Any = faiss.IndexHNSWFlat(vectors.shape[1], 24, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 80
    index.hnsw.efSearch = 64
    index.add(vectors)
    return index


def _cells(vectors: Floats) -> Any:
    import faiss

    count, dim = vectors.shape
    cells = int(max(1, min(4096, count // 40, 4 * count**0.5)))
    parts = next(p for p in (96, 64, 48, 32, 16, 8, 4, 2, 1) if dim % p == 0 and dim >= p)
    bits = 4  # scanned in registers (André et al., 2015)
    index: Any = faiss.index_factory(dim, f"IVF{cells},PQ{parts}x{bits}fs", faiss.METRIC_INNER_PRODUCT)
    sample = vectors[np.random.default_rng(0).permutation(count)[: max(cells * 40, 4000)]]
    if len(sample) < _FEWEST:  # a codebook has 16 words whether or not there are so many rows
        sample = np.resize(sample, (_FEWEST, dim))
    index.cp.min_points_per_centroid = 1
    index.train(np.ascontiguousarray(sample))
    index.add(vectors)
    index.nprobe = min(_PROBES, cells)
    return index


BACKENDS: dict[str, type[Flat] | type[Hnsw] | type[IvfPq]] = {"flat": Flat, "hnsw": Hnsw, "ivfpq": IvfPq}


def backend_for(count: int) -> str:
    """The back end for ``count`` rows."""
    return "flat" if count <= FLAT_LIMIT else "hnsw" if count <= HNSW_LIMIT else "ivfpq"


class IndexFiles(Protocol):
    """Keeps what took long to build."""

    def name(self, backend: str, vectors: Floats) -> str:
        """What an index over exactly these vectors is called."""
        ...

    def get(self, name: str, vectors: Floats) -> Any:
        """The FAISS index over ``vectors`` that was put here, or None."""
        ...

    def put(self, name: str, built: Any) -> None:
        """Keep it."""
        ...


class VectorIndex:
    """Rows ``(n, dim)`` of unit length, searched by inner product. n may be 0."""

    def __init__(self, vectors: Floats, *, backend: str | None = None, files: IndexFiles | None = None) -> None:
        self._count = len(vectors)
        self.backend = backend or backend_for(self._count)
        self.kept_as: str | None = None  # the name of its file, if any
        self._index = self._made(np.ascontiguousarray(vectors, np.float32), files) if self._count else None

    def search(self, queries: Floats, k: int) -> tuple[Floats, Rows]:
        """Cosines and rows, each ``(len(queries), min(k, n))``, best first; row -1 is no result."""
        k = min(k, self._count)
        if self._index is None or not k or not len(queries):
            empty = (len(queries), 0)
            return np.empty(empty, np.float32), np.empty(empty, np.int64)
        return self._index.search(np.ascontiguousarray(queries, np.float32), k)

    def _made(self, vectors: Floats, files: IndexFiles | None) -> Index:
        kind: Any = BACKENDS[self.backend]
        if self.backend == "flat" or files is None:
            flat: Index = kind(vectors)
            return flat
        self.kept_as = files.name(self.backend, vectors)
        kept = files.get(self.kept_as, vectors)
        index: Any = kind(vectors, kept)
        if kept is None:
            files.put(self.kept_as, index.built)
        made: Index = index
        return made
