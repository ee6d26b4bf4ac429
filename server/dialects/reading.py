"""The texts of a native request: the conversation as chat messages, and every string beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from server.errors import ApiError
from server.strings import FREE, is_free, texts
from server.surfaces import Body, Path, Segment, Surface, chat_surfaces

Message = dict[str, Any]

# Parts that only a model of another medium reads, and the fields that hold the medium.
_MEDIA = frozenset(
    {"image", "image_url", "input_image", "input_audio", "audio_url", "video_url", "input_file", "file", "document"}
)
# Token ids or tensors would walk round any detector of text.
_FORBIDDEN = frozenset({"prompt_embeds", "prompt_token_ids", "token_ids", "kv_transfer_params", "ec_transfer_params"})


def native_surfaces(body: Body, conversation: Sequence[Message]) -> list[Surface]:
    """The surfaces of ``conversation`` (places in the chat body), then whatever else ``body`` says (native places).

    The latter cannot be rewritten: embeddings have no place there.
    """
    found = chat_surfaces({"messages": list(conversation)}) if conversation else []
    seen = {segment.text for surface in found for segment in surface.segments}
    for path, value in _elements(body):
        rest = [t for t in dict.fromkeys(texts(value, free=path[0] in FREE)) if t not in seen]
        if rest:
            found.append(Surface((Segment(path, "\n".join(rest)),), "", False))
    return found


def _elements(body: Body) -> Iterator[tuple[Path, Any]]:
    """The values of a body, lists (messages, tools) item by item. Its own keys reach no model, nor does its name."""
    for key, value in body.items():
        if key == "model":
            continue
        if isinstance(value, list):
            yield from (((key, i), item) for i, item in enumerate(value))
        else:
            yield (key,), value


def media(body: Body) -> list[str]:
    """Where in ``body`` there are images, sound or files: their places, "messages/0/content/1"."""
    found: list[str] = []
    stack: list[tuple[Any, str]] = [(body, "")]
    while stack:
        value, place = stack.pop()
        if isinstance(value, dict):
            kind = value.get("type")
            if isinstance(kind, str) and kind in _MEDIA:
                found.append(place)
                continue
            prefix = f"{place}/" if place else ""
            stack += [(child, prefix + key) for key, child in value.items() if not is_free(key, child)]
        elif isinstance(value, list):
            stack += [(child, f"{place}/{i}") for i, child in enumerate(value)]
    return sorted(found)


def refuse_tokens(body: Body) -> None:
    """Refuse token ids and tensors where a native body can hold them.

    Raises:
        ApiError: 400.
    """
    stack: list[Any] = [{k: v for k, v in body.items() if k != "tools"}]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack.extend(value)
        elif isinstance(value, dict):
            for key, child in value.items():
                ids = key == "tokens" and isinstance(child, list) and any(isinstance(t, int) for t in child)
                if ids or (key in _FORBIDDEN and child is not None):
                    raise ApiError(
                        400, f"'{key}' is not accepted: send text, so that it can be judged.", param=key,
                        code="unsupported_parameter",
                    )  # fmt: skip
            stack.extend(value.values())


def unsupported(what: str, param: str, instead: str) -> ApiError:
    """A feature that a guarded request cannot have, and what to do about it."""
    return ApiError(400, f"{what} is not supported here: {instead}", param=param, code="unsupported_parameter")


def wrong(message: str, param: str) -> ApiError:
    """A request that its own API would refuse as well."""
    return ApiError(400, message, param=param)
