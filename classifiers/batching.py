"""Many callers, one encoder: what waits is encoded together."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from classifiers.types import Encoder

Floats = npt.NDArray[np.float32]

_MOST = 256
_LONG = 32  # texts
_NICENESS = 10


class _Job:
    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.done = False
        self.vectors = np.empty((0, 0), np.float32)
        self.error: Exception | None = None


class GivingWay:
    """An encoder whose long work has a thread of low priority: on a busy machine prompts are answered first.

    Short work is done at once in the caller's thread: one changed entry is not to wait for an import.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name = encoder.name
        self.dim = encoder.dim
        self.multilingual = bool(getattr(encoder, "multilingual", False))
        self._pool = ThreadPoolExecutor(1, "letheward-encoding", initializer=_lower_priority)

    def encode(self, texts: Sequence[str]) -> Floats:
        """See ``Encoder``."""
        if len(texts) < _LONG:
            return self._encoder.encode(texts)
        return self._pool.submit(self._encoder.encode, texts).result()


def _lower_priority() -> None:
    if sys.platform == "linux":  # elsewhere it would be that of the whole process
        own = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, own, max(_NICENESS, os.getpriority(os.PRIO_PROCESS, own)))


class Batching:
    """An encoder that joins the texts of concurrent calls into one batch.

    No thread of its own and no waiting for a batch to fill: whoever finds the encoder free takes along
    all that queued up while it was busy.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.apart: Encoder = GivingWay(encoder)  # for long work, which is not to hold up the prompts that wait here
        self._encoder = encoder
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
            vectors = self._encoder.encode([t for job in chosen for t in job.texts])
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
