"""What the detector found in texts that a client sends again: a chat comes with all its earlier turns every time."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from classifiers.conversation import Mentioned
from classifiers.detector import Detector
from classifiers.types import Verdict

REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in one text: verdicts, the highest score by list, whether it needed no encoder, names."""

    verdicts: tuple[Verdict, ...]
    scores: dict[str, float]
    early: bool
    mentioned: Mentioned


class JudgedBefore:
    """Holds for one detector what it found in the last ``most`` texts; every change of a list makes another detector.

    Texts are not kept, only their hashes under a key that is made at the start. Each client has his own, so that
    nobody learns by the time whether somebody else has asked the same. Safe to use from many threads.
    """

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._detector: Detector | None = None
        self._found: OrderedDict[bytes, Found] = OrderedDict()

    def known(self, detector: Detector, client: str, texts: Sequence[str]) -> dict[str, Found]:
        """Those of ``texts`` that ``client`` sent before, with what ``detector`` found."""
        if not self._most:
            return {}
        keys = {text: self._hash(client, text) for text in texts}
        with self._lock:
            if detector is not self._detector:
                return {}
            found = {text: self._found[key] for text, key in keys.items() if key in self._found}
            for text in found:
                self._found.move_to_end(keys[text])
        return found

    def remember(self, detector: Detector, client: str, found: dict[str, Found]) -> None:
        """Keep what ``detector`` found in texts, but for names that are known by these texts alone."""
        if not self._most:
            return
        keys = {self._hash(client, text): own for text, own in found.items() if not own.mentioned.quoted}
        with self._lock:
            if detector is not self._detector:
                self._detector = detector
                self._found.clear()
            self._found.update(keys)
            while len(self._found) > self._most:
                self._found.popitem(last=False)

    def _hash(self, client: str, text: str) -> bytes:
        whose = client.encode("utf-8", "surrogatepass")
        made = blake2b(len(whose).to_bytes(4, "big") + whose, digest_size=16, key=self._key)
        made.update(text.encode("utf-8", "surrogatepass"))
        return made.digest()
