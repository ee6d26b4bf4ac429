"""One process of a machine at a time, for work that would take all its processors."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

_LOOK = 0.2  # seconds


@contextmanager
def one_at_a_time(file: Path | None, stopped: Callable[[], bool]) -> Iterator[bool]:
    """Wait for one's turn, which ``file`` stands for; False where ``stopped`` came first. Without a file: at once.

    Raises:
        OSError: the file cannot be made.
    """
    if file is None:
        yield not stopped()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as held:
        while not stopped():
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                sleep(_LOOK)
                continue
            yield True
            return
        yield False
