"""A route that the operator enabled by name: all of its strings are judged, in requests and in answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from server.dialects.base import Answer, Nearly
from server.dialects.chat import ChatEnding
from server.dialects.pieces import Piece
from server.dialects.texts import texts
from server.errors import ApiError
from server.strings import texts as strings
from server.surfaces import Body, Decode, Segment, Surface


@dataclass(frozen=True, slots=True)
class Other:
    """What is known of such a route is its path."""

    path: str

    def surfaces(self, body: Body, decode: Decode | None) -> list[Surface]:
        """Every string, each by itself: nobody knows which of them a model reads together."""
        found = dict.fromkeys(text for value in body.values() for text in strings(value, free=True))
        return [Surface((Segment((), text),), "", False) for text in found]

    def conversation(self, body: Body) -> list[dict[str, Any]]:
        """No turns that are known."""
        return []

    def media(self, body: Body) -> list[str]:
        """None that are known."""
        return []

    def pieces(self, answer: Answer) -> list[Piece]:
        """Every string."""
        return list(texts(answer, "answer"))

    def event_pieces(self, event: Answer) -> list[Piece]:
        """Every string."""
        return list(texts(event, "answer"))

    def prune(self, answer: Answer, nearly: Nearly) -> bool:
        """Alternatives are strings as any other here."""
        return False

    def ending(self, body: Body) -> ChatEnding:
        """Nothing is known of how its streams end, but that most end so."""
        return ChatEnding(body, "chat.completion.chunk")

    def error(self, error: ApiError) -> Response:
        """OpenAI's shape."""
        return error.response()
