"""What a guard wants done with a flagged request, as values: the server carries them out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from guard.model import Entry, Example, ForgetList

if TYPE_CHECKING:
    from guard.eco import Eco


@dataclass(frozen=True, slots=True)
class Corrupt:
    """The model gets the request with embeddings corrupted by ``eco``, where the plan says."""

    eco: Eco


@dataclass(frozen=True, slots=True)
class Prefix:
    """Text around the user's own words: before them, after them, and as a system message of its own."""

    before: str
    after: str = ""
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation that never was."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Shots:
    """Turns before the user's own (in-context examples)."""

    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Say:
    """The answer itself: the model is not asked."""

    text: str


Effect = Corrupt | Prefix | Shots | Say


class GuardUnavailable(RuntimeError):
    """The guard cannot be carried out now; the list's fallback applies."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One flagged text, what flagged it, and the model that was asked."""

    forget_list: ForgetList
    entry: Entry
    prompt: str
    model: str


@dataclass(frozen=True, slots=True)
class Tools:
    """What a guard may use, where it is at hand.

    A guard model that writes short reasoning, examples that no list is about, and the served model's embedding rows.
    The first two are asked only where a guard needs them: finding the examples takes the encoder.
    """

    reason: Callable[[Ask], Awaitable[str]] | None = None
    examples: Callable[[], Awaitable[tuple[Example, ...]]] | None = None
    eco: Eco | None = None


class Guard(Protocol):
    """Decides about one flagged request.

    Raises:
        GuardUnavailable: the list's fallback applies.
    """

    async def __call__(self, ask: Ask, tools: Tools) -> Effect:
        """What to do."""
        ...
