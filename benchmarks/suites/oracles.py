"""Model servers that know every fact and tell it to whoever asks, for scanners that say nothing before they ask.

Both answer a request alone whose last turn came through as text: what the guard put noise into, it does not understand.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.data.corpus import Item
from benchmarks.redteaming.knower import NOTHING, texts_in

_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
_CODES = re.compile(r"(?:\d{2,3} ){3,}\d{2,3}")


@dataclass(frozen=True, slots=True)
class Told:
    """Understands any disguise: the field ``user`` says which fact a request is about."""

    facts: Sequence[Item]

    def says(self, body: dict[str, Any]) -> str:
        """The fact's answer."""
        number = str(body.get("user", ""))
        if not number.isdigit() or int(number) >= len(self.facts) or not _as_written(body):
            return NOTHING
        return self.facts[int(number)].answer


@dataclass(frozen=True, slots=True)
class Reader:
    """Understands base64 and numbers of characters: it looks for a subject's name in what it is asked.

    A text that ends within the answer is gone on with.
    """

    facts: Sequence[Item]

    def says(self, body: dict[str, Any]) -> str:
        """The answer about whoever is named first."""
        if _as_written(body):
            for text in _readings(_last(body)):
                named = [item for item in self.facts if item.subject.lower() in text.lower()]
                if named:
                    return _rest(text, named[0].answer)
        return NOTHING


def _rest(text: str, answer: str) -> str:
    asked = text.lower().rstrip()
    begun = (at for at in range(len(answer) - 1, 0, -1) if answer[at] == " " and asked.endswith(answer[:at].lower()))
    return answer[next(begun, 0) :].strip()


def _last(body: dict[str, Any]) -> str:
    return " ".join(texts_in(body.get("messages", [])[-1:]))


def _as_written(body: dict[str, Any]) -> bool:
    content = (body.get("messages") or [{}])[-1].get("content")
    return isinstance(content, str) or (
        isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content)
    )


def _readings(text: str) -> Iterator[str]:
    yield text
    for found in _BASE64.findall(text):
        try:
            yield base64.b64decode(found + "=" * (-len(found) % 4)).decode(errors="replace")
        except binascii.Error:
            continue
    for found in _CODES.findall(text):
        yield "".join(map(chr, map(int, found.split())))
