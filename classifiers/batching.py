"""Many callers, one encoder: what waits is encoded together."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from classifiers.types import Encoder

Floats = npt.NDArray[np.float32]

_MOST = 256


class _Job:
    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.done = False
        self.vectors = np.empty((0, 0), np.float32)
        self.error: Exception | None = None


class Batching:
    """An encoder that joins the texts of concurrent calls into one batch.

    No thread of its own and no waiting for a batch to fill: whoever finds the encoder free takes along
    all that queued up while it was busy.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.apart = encoder  # for long work, which is not to hold up the prompts that wait here
        self.name = encoder.name
        self.dim = encoder.dim
        self._running = threading.Lock()
        self._queue_lock = threading.Lock()
        self._queue: list[_Job] = []

    def encode(self, texts: Sequence[str]) -> Floats:
        """See ``Encoder``."""
        if not texts:
            return np.empty((0, self.dim), np.float32)
        job = _Job(texts)
        with self._queue_lock:
            self._queue.append(job)
        with self._running:
            while not job.done:
                self._run_some()
        if job.error is not None:
            raise job.error
        return job.vectors

    def _run_some(self) -> None:
        with self._queue_lock:
            chosen: list[_Job] = []
            while self._queue and (not chosen or sum(len(j.texts) for j in chosen) < _MOST):
                chosen.append(self._queue.pop(0))
        try:
            vectors = self.apart.encode([t for job in chosen for t in job.texts])
            at = 0
            for job in chosen:
                job.vectors = vectors[at : at + len(job.texts)]
                at += len(job.texts)
        except Exception as error:  # noqa: BLE001 - handed to every caller
            for job in chosen:
                job.error = error
        finally:
            for job in chosen:
                job.done = True
