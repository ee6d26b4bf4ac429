"""The last requests, so that a change can be tried on them: in this process's memory alone, never written out."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from guard.scope import Asker
from server.judging import Prompt
from server.surfaces import Body

RECENT = 256  # requests
_MOST_CHARACTERS = 4_000_000  # of all of them
_LONGEST = 100_000  # characters of one; a longer one is not kept
_LONGEST_ID = 200  # characters


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as the judge read it, without what it does not need."""

    id: str
    prompt: Prompt
    asker: Asker
    size: int  # characters


class Recent:
    """Keeps the last ``size`` requests; with 0 none. Safe to use from many threads."""

    def __init__(self, size: int = RECENT) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._seen: deque[Seen] = deque()
        self._characters = 0
        self._numbers = count(1)

    def note(self, prompt: Prompt, asker: Asker, request_id: str | None = None) -> None:
        """Take in a request. ``request_id``: the client's own name for it."""
        if not self._size:
            return
        size = sum(len(segment.text) for surface in prompt.surfaces for segment in surface.segments)
        if size > _LONGEST:
            return
        lean = Prompt(_lean(prompt.body), prompt.surfaces, [_role(m) for m in prompt.messages])
        with self._lock:
            own = (request_id or f"recent-{next(self._numbers)}")[:_LONGEST_ID]
            self._seen.append(Seen(own, lean, asker, size))
            self._characters += size
            while len(self._seen) > self._size or self._characters > _MOST_CHARACTERS:
                self._characters -= self._seen.popleft().size

    def all(self) -> list[Seen]:
        """Those that are kept, the oldest first."""
        with self._lock:
            return list(self._seen)


def _lean(body: Body) -> Body:
    """Which options are on, without their texts."""
    return {key: value if value is None or isinstance(value, (bool, int, float)) else True
            for key, value in body.items()}  # fmt: skip


def _role(message: Mapping[str, object]) -> Mapping[str, object]:
    return {"role": message.get("role")}
