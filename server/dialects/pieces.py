"""The unit in which an answer is checked before it is released."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of an answer.

    ``channel``: where it stands; the pieces of one channel, put together in order, are one text
    ("choices/0/content", "output/1/arguments"). ``json``: a fragment of a JSON document in a string.
    """

    channel: str
    text: str
    json: bool = False
