"""The values that pass between the output guard and the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Key = tuple[str, str]  # list, entry
HitKind = Literal["value", "name", "meaning", "guard"]


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that an answer answers.

    Attributes:
        lists: the lists in force for it.
        texts: every text of it in order: system, turns, tool results, definitions of tools, schemas.
        flagged: the entries (list, id) that it was flagged for.
        blind: the model did not see what was flagged (ECO). Its sentences then go out word by word, held only for
            values and names; they are judged by their meaning when they end, and the answer ends where one tells.
    """

    lists: frozenset[str]
    texts: tuple[str, ...] = ()
    flagged: frozenset[Key] = frozenset()
    blind: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """Something protected that an answer was about to give away, and the channel that brought it.

    ``given``: a value that the client itself wrote in the request, which the answer repeats or affirms.
    """

    list_name: str
    entry_id: str
    kind: HitKind
    channel: str
    given: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """What holding back came to: calls of ``add`` after which text stayed held, and the most characters held at once.

    ``judged``: sentences that the encoder looked at.
    """

    times: int = 0
    longest: int = 0
    judged: int = 0
