"""Every text of a request that a model could read, and where in the body it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classifiers.types import Span
from server.errors import ApiError
from server.strings import FREE, texts

Path = tuple[str | int, ...]
Body = dict[str, Any]
Decode = Callable[[Sequence[int]], str]

# Embeddings or token ids in a request would walk round any detector of text.
_FORBIDDEN_KEYS = frozenset(
    {"prompt_embeds", "image_embeds", "audio_embeds", "prompt_token_ids", "token_ids", "kv_transfer_params"}
)


@dataclass(frozen=True, slots=True)
class Segment:
    """One string of the body."""

    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class Surface:
    """Segments that the model reads as one text. ``rewritable``: each can be replaced by embeddings."""

    segments: tuple[Segment, ...]
    separator: str
    rewritable: bool

    @property
    def text(self) -> str:
        """The text to judge."""
        return self.separator.join(s.text for s in self.segments)

    @property
    def message(self) -> int | None:
        """Which message's content this is; None for anything else."""
        path = self.segments[0].path
        return path[1] if self.rewritable and path[0] == "messages" and isinstance(path[1], int) else None

    def locate(self, spans: Sequence[Span]) -> list[tuple[Segment, tuple[Span, ...]]]:
        """Spans of ``text`` as spans of the segments that they touch; without spans, every segment whole."""
        if not spans:
            return [(segment, ()) for segment in self.segments if segment.text]
        found: list[tuple[Segment, tuple[Span, ...]]] = []
        start = 0
        for segment in self.segments:
            end = start + len(segment.text)
            own = tuple(
                Span(max(s.start, start) - start, min(s.end, end) - start)
                for s in spans
                if s.start < end and start < s.end
            )
            if own:
                found.append((segment, own))
            start = end + len(self.separator)
        return found


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a request may be in ways other than bytes."""

    max_parts: int = 4096
    max_depth: int = 64


def check_shape(body: Body, limits: Limits) -> None:
    """Refuse bodies that are too deep, have too many values or carry embeddings.

    Raises:
        ApiError: 400 with what to change.
    """
    seen = 0
    stack: list[tuple[Any, int]] = [(body, 0)]
    while stack:
        value, depth = stack.pop()
        seen += 1
        if seen > limits.max_parts * 16:
            raise ApiError(400, f"The request has more than {limits.max_parts * 16} values.", code="too_many_parts")
        if depth > limits.max_depth:
            raise ApiError(400, f"The request is nested deeper than {limits.max_depth}.", code="too_deep")
        if isinstance(value, dict):
            if value.get("type") in ("prompt_embeds", "image_embeds", "audio_embeds"):
                raise _forbidden(str(value["type"]))
            for key, child in value.items():
                if key in _FORBIDDEN_KEYS and child is not None:
                    raise _forbidden(key)
                stack.append((child, depth + 1))
        elif isinstance(value, list):
            if len(value) > limits.max_parts and not all(isinstance(v, int) for v in value):
                raise ApiError(400, f"A list has more than {limits.max_parts} items.", code="too_many_parts")
            stack.extend((child, depth + 1) for child in value if isinstance(child, (dict, list)))


def _forbidden(what: str) -> ApiError:
    return ApiError(
        400, f"'{what}' is not accepted: send text, so that it can be judged.", param=what, code="unsupported_parameter"
    )


def chat_surfaces(body: Body) -> list[Surface]:
    """Surfaces of a chat completions request: each message's content, and everything else that holds text."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise ApiError(400, "'messages' must be a list with at least one message.", param="messages")
    surfaces: list[Surface] = []
    for i, message in enumerate(messages):
        if not isinstance(message, dict):
            raise ApiError(400, f"messages[{i}] must be an object.", param="messages")
        segments, rest = _content(message, ("messages", i, "content"))
        surfaces.extend(_joined(segments))
        rest += _told(message, but="content")
        surfaces.extend(_other(("messages", i), rest))
    surfaces.extend(_other((), list(_told(body, but="messages"))))
    return surfaces


def completion_surfaces(body: Body, decode: Decode | None) -> list[Surface]:
    """Surfaces of a completions request; prompts of token ids are decoded and replaced by their text in ``body``.

    That text holds the special tokens that the ids held, so the tokenizer is not to add its own again.
    """
    given = body.get("prompt")
    prompt = body["prompt"] = _as_text(given, decode)
    if isinstance(given, list) and not isinstance(given[0], str):
        body["add_special_tokens"] = False
    prompts = [prompt] if isinstance(prompt, str) else prompt
    paths: list[Path] = [("prompt",)] if isinstance(prompt, str) else [("prompt", i) for i in range(len(prompt))]
    surfaces = [Surface((Segment(p, t),), "", True) for p, t in zip(paths, prompts, strict=True) if t]
    surfaces.extend(_other((), list(_told(body, but="prompt"))))
    return surfaces


def _as_text(prompt: Any, decode: Decode | None) -> str | list[str]:
    if isinstance(prompt, str):
        return prompt
    if isinstance(prompt, list) and prompt:
        if all(isinstance(p, str) for p in prompt):
            return list(prompt)
        if _is_ids(prompt):
            return _decoded(prompt, decode)
        if all(isinstance(p, list) and p and _is_ids(p) for p in prompt):
            return [_decoded(p, decode) for p in prompt]
    raise ApiError(400, "'prompt' must be a string, a list of strings, or token ids.", param="prompt")


def _is_ids(values: list[Any]) -> bool:
    return all(isinstance(v, int) and not isinstance(v, bool) for v in values)


def _decoded(ids: list[int], decode: Decode | None) -> str:
    if decode is None:
        raise ApiError(
            400,
            "Prompts of token ids cannot be judged here: the model's tokenizer is not at hand. Send text.",
            param="prompt",
        )
    try:
        return decode(ids)
    except (ValueError, OverflowError) as error:
        raise ApiError(400, f"Bad token ids: {error}", param="prompt") from error


def _content(message: Mapping[str, Any], path: Path) -> tuple[list[Segment], list[str]]:
    """Text segments of a message's content, and the other strings in it."""
    content = message.get("content")
    if isinstance(content, str):
        return [Segment(path, content)], []
    segments: list[Segment] = []
    rest: list[str] = []
    parts = content if isinstance(content, list) else [content]
    for j, part in enumerate(parts):
        if isinstance(part, str):
            segments.append(Segment((*path, j), part))
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            segments.append(Segment((*path, j), part["text"]))
            rest += _told(part, but="text")
        else:
            rest += texts(part)
    return segments, rest


def _joined(segments: list[Segment]) -> Iterator[Surface]:
    """Templates join parts by a newline or by nothing, so both readings are judged."""
    if not any(s.text for s in segments):
        return
    yield Surface(tuple(segments), "\n", True)
    if len(segments) > 1:
        yield Surface(tuple(segments), "", True)


def _other(path: Path, texts: list[str]) -> Iterator[Surface]:
    text = "\n".join(t for t in texts if t)
    if text:
        yield Surface((Segment(path, text),), "", False)


def _told(mapping: Mapping[str, Any], *, but: str) -> Iterator[str]:
    """What an object of the protocol says; its own keys are no text of the client's."""
    for key, value in mapping.items():
        if key not in (but, "model"):
            yield from texts(value, free=key in FREE)
