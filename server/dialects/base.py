"""What the proxy has to know of an API: where its texts are, in requests and in answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from starlette.responses import Response

from server.dialects.pieces import Piece
from server.dialects.served import Served
from server.errors import ApiError
from server.surfaces import Body, Decode, Surface

Answer = dict[str, Any]


class Nearly(Protocol):
    """Judges tokens that the model might have written in place of those that it wrote."""

    def leaks(self, channel: str, token: str) -> bool:
        """Whether ``token``, after what was said in ``channel``, would tell what is protected."""
        ...

    def said(self, channel: str, token: str) -> None:
        """Note the token that the model did write."""
        ...


class Ending(Protocol):
    """Ends a stream before its time in a way that clients take for an end."""

    def see(self, event: Answer) -> None:
        """Note an event that the client has got."""
        ...

    def missing(self) -> list[Answer]:
        """The chunks that are missing, where the endpoint is chat completions; else none."""
        ...

    def end(self) -> list[bytes]:
        """The events that are missing, and the end of the stream."""
        ...


class Dialect(Protocol):
    """One endpoint's requests and answers."""

    @property
    def path(self) -> str:
        """Its route, the same here and at the model server."""
        ...

    def surfaces(self, body: Body, decode: Decode | None) -> list[Surface]:
        """Every text of a request that a model could read; may put text in place of token ids in ``body``.

        Raises:
            ApiError: 400 where the request cannot be read.
        """
        ...

    def conversation(self, body: Body) -> list[dict[str, Any]]:
        """The request's messages as chat completions would have them; none where it is no conversation."""
        ...

    def media(self, body: Body) -> list[str]:
        """Where the request holds images, audio, video or files."""
        ...

    def pieces(self, answer: Answer) -> list[Piece]:
        """The texts of a whole answer."""
        ...

    def event_pieces(self, event: Answer) -> list[Piece]:
        """The texts of one event of a streamed answer."""
        ...

    def prune(self, answer: Answer, nearly: Nearly) -> bool:
        """Take alternatives to tokens out of ``answer`` (or an event) that would tell; whether there were any."""
        ...

    def ending(self, body: Body) -> Ending:
        """What ends a stream that answers ``body``."""
        ...

    def error(self, error: ApiError) -> Response:
        """An error in the endpoint's own shape."""
        ...


class Translation(Protocol):
    """From chat completions' stream to the endpoint's own."""

    def chunk(self, chunk: Answer) -> list[bytes]:
        """Events for one chunk."""
        ...

    def done(self) -> list[bytes]:
        """Events after the last chunk."""
        ...


class Translated(Dialect, Protocol):
    """An endpoint that the model server cannot guard by itself: a flagged request goes the way of chat completions."""

    def to_chat(self, body: Body) -> Body:
        """The request as chat completions would have it.

        Raises:
            ApiError: 400 where it cannot be carried there.
        """
        ...

    def from_chat(self, answer: Answer, body: Body, served: Served | None = None) -> Answer:
        """A whole chat completion as the answer to ``body``."""
        ...

    def translation(self, body: Body, served: Served | None = None) -> Translation:
        """The translator of one stream."""
        ...

    def foreign_error(self, status: int, payload: Any, headers: Mapping[str, str] | None = None) -> Response:
        """An error of the chat endpoint in the endpoint's own shape."""
        ...
