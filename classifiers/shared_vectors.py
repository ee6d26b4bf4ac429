"""Vectors that the processes of one machine made lately: what one has encoded the others need not.

A ring of slots in a file that all of them map. A slot holds a digest of the text, never the text; it is emptied after
a minute, by when every process has taken in the change that the vector was made for.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

DIGEST = 16
KEPT = 60.0  # seconds
_SLOTS = 16_384
_HEADER = struct.Struct("<Q")  # vectors written so far
_SLOT = struct.Struct(f"<{DIGEST}sId")  # digest, checksum of the vector, time
_FREE = bytes(DIGEST)
_YIELD = 0.001  # seconds between turns: whoever waits for one must not starve


class SharedVectors:
    """One process's view of the file. Safe to use from threads, and whatever another process dies of."""

    def __init__(self, file: Path, dim: int, *, slots: int = _SLOTS, clock: Callable[[], float] = time.time) -> None:
        """Map ``file``, which is made if it is not there.

        Raises:
            OSError: it cannot be made or mapped.
        """
        self._dim, self._slots, self._clock = dim, slots, clock
        self._stride = _SLOT.size + 4 * dim
        size = _HEADER.size + slots * self._stride
        self._threads = threading.Lock()
        self._known: dict[bytes, int] = {}  # digest -> slot
        self._seen = 0
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with self._locked():
                if os.fstat(self._file).st_size != size:
                    os.ftruncate(self._file, 0)
                    os.ftruncate(self._file, size)
            self._map = mmap.mmap(self._file, size)
        except OSError:
            os.close(self._file)
            raise

    def close(self) -> None:
        """Unmap the file."""
        with self._threads:
            self._map.close()
            os.close(self._file)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """While one encodes, no other process does: it will find what it needs afterwards."""
        with self._threads, self._locked():
            yield
        time.sleep(_YIELD)

    def find(self, digests: Sequence[bytes]) -> dict[bytes, Floats]:
        """Those vectors that are here; to be called in one's turn."""
        self._catch_up()
        found = {}
        for digest in digests:
            slot = self._known.get(digest)
            if slot is not None and (vector := self._read(slot, digest)) is not None:
                found[digest] = vector
        return found

    def add(self, vectors: Mapping[bytes, Floats]) -> None:
        """Leave vectors for the others; to be called in one's turn."""
        now = self._clock()
        (written,) = _HEADER.unpack_from(self._map)
        for digest, vector in vectors.items():
            body = np.ascontiguousarray(vector, "<f4").tobytes()
            at = self._at(written % self._slots)
            self._map[at + _SLOT.size : at + self._stride] = body
            _SLOT.pack_into(self._map, at, digest, zlib.crc32(body), now)
            written += 1
            _HEADER.pack_into(self._map, 0, written)

    def forget(self) -> None:
        """Empty the slots whose time is over."""
        with self._threads, self._locked():
            oldest = self._clock() - KEPT
            for slot in range(self._slots):
                at = self._at(slot)
                digest, _, made = _SLOT.unpack_from(self._map, at)
                if digest != _FREE and not oldest <= made:
                    self._map[at : at + self._stride] = bytes(self._stride)
                    self._known.pop(digest, None)

    def _catch_up(self) -> None:
        (written,) = _HEADER.unpack_from(self._map)
        if written < self._seen or written - self._seen > self._slots:
            self._known, self._seen = {}, max(0, written - self._slots)
        for number in range(self._seen, written):
            slot = number % self._slots
            digest, _, _ = _SLOT.unpack_from(self._map, self._at(slot))
            self._known[digest] = slot
        self._seen = written

    def _read(self, slot: int, wanted: bytes) -> Floats | None:
        at = self._at(slot)
        digest, checksum, _ = _SLOT.unpack_from(self._map, at)
        body = self._map[at + _SLOT.size : at + self._stride]
        if digest != wanted or zlib.crc32(body) != checksum:  # overwritten since, or its writer died
            return None
        return np.frombuffer(body, "<f4").astype(np.float32)

    def _at(self, slot: int) -> int:
        return _HEADER.size + slot * self._stride

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
