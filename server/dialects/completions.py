"""/v1/completions."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from server.dialects.base import Answer, Nearly
from server.dialects.chat import ChatEnding, choices, stopped
from server.dialects.pieces import Piece
from server.dialects.texts import elsewhere
from server.dialects.tokens import prune_completion, prune_prompt
from server.errors import ApiError
from server.surfaces import Body, Decode, Surface, completion_surfaces

path = "/v1/completions"


_READ = frozenset({"text"})


def surfaces(body: Body, decode: Decode | None) -> list[Surface]:
    """Each prompt, and everything else that holds text."""
    return completion_surfaces(body, decode)


def conversation(body: Body) -> list[dict[str, Any]]:
    """Prompts are no turns of one conversation."""
    return []


def media(body: Body) -> list[str]:
    """Completions take text alone."""
    return []


def pieces(answer: Answer) -> list[Piece]:
    """The text of every choice."""
    found: list[Piece] = []
    for i, choice in choices(answer):
        if isinstance(choice.get("text"), str):
            found.append(Piece(f"choices/{i}/text", choice["text"]))
        found += stopped(choice, i, "text")
    found += elsewhere(answer, _READ)
    return found


event_pieces = pieces


def prune(answer: Answer, nearly: Nearly) -> bool:
    """Take alternatives that tell out of ``logprobs`` and ``prompt_logprobs``."""
    found = [prune_completion(c.get("logprobs"), f"choices/{i}/text", nearly) for i, c in choices(answer)]
    return any([*found, *(prune_prompt(c, "prompt", nearly) for _, c in choices(answer))])


def ending(body: Body) -> ChatEnding:
    """What ends a stream that answers ``body``."""
    return ChatEnding(body, "text_completion")


def error(error: ApiError) -> Response:
    """OpenAI's shape."""
    return error.response()
