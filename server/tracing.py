"""What a trace of a request is made with. Here it is nothing; ``server.tracing_otel`` makes real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

Value = str | int | float | bool | Sequence[str]
Attributes = Mapping[str, Value]
Kind = Literal["internal", "server", "client"]


class Span:
    """A piece of work in a trace. ``recording``: whether what is set is kept."""

    recording = False

    def set(self, attributes: Attributes) -> None:
        """Add attributes; never a prompt, an answer or an entry."""

    def named(self, name: str) -> None:
        """Give it another name."""

    def failed(self, kind: str) -> None:
        """Mark it as failed. ``kind``: an error's class or a status, never a message."""

    def headers(self) -> dict[str, str]:
        """The trace headers of a request that is part of this work; none where there is no trace."""
        return {}

    def end(self) -> None:
        """The work is done; more calls do nothing."""


NO_SPAN = Span()


class Tracing:
    """Makes no spans."""

    @contextmanager
    def span(
        self,
        name: str,
        *,
        kind: Kind = "internal",
        attributes: Attributes | None = None,
        parent: Mapping[str, str] | None = None,
    ) -> Iterator[Span]:
        """Work that what goes on within is part of. ``parent``: trace headers that came with a request."""
        yield NO_SPAN

    def begin(self, name: str, *, kind: Kind = "internal", attributes: Attributes | None = None) -> Span:
        """Work that goes on beside other work, until its ``end``."""
        return NO_SPAN

    def past(self, name: str, seconds: Sequence[tuple[str, float]]) -> None:
        """Pieces of work that have just ended, one after the other. ``name``: what stands before each one's."""

    def current(self) -> Span:
        """The work that goes on."""
        return NO_SPAN

    def inject(self) -> dict[str, str]:
        """Trace headers for what is asked on behalf of the work that goes on."""
        return {}

    def close(self) -> None:
        """Send what waits, and stop. Blocking."""


NO_TRACING = Tracing()
