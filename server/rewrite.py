"""The request that goes to the model instead of a flagged one."""

from __future__ import annotations

from typing import Any

from classifiers.types import Span
from classifiers.verdicts import merge
from guard.eco import Eco
from guard.router import Plan
from server.surfaces import Body, Segment, Surface

REDACTED = "[removed]"


def apply_eco(body: Body, surfaces: list[Surface], plan: Plan, eco: Eco, *, chat: bool) -> Body:
    """``body`` with the flagged segments as embeddings, corrupted where the entry's tokens are.

    A segment goes over whole, exact rows beside corrupted ones: templates put newlines between parts,
    so splitting a sentence into parts would change the prompt.
    """
    wanted: dict[Segment, tuple[Any, float, str]] = {}
    for item in plan.eco:
        for segment, spans in surfaces[item.surface].locate(item.spans):
            before = wanted.get(segment)
            merged = spans if before is None else (before[0] + spans if before[0] and spans else ())
            wanted[segment] = (merged, max(item.sigma, before[1] if before else 0.0), item.seed_key)
    if not chat:
        return _completion(body, wanted, eco)
    for segment, (spans, sigma, seed_key) in wanted.items():
        _put_part(body, segment, eco.corrupted(segment.text, spans, sigma=sigma, seed_key=seed_key))
    return body


def _put_part(body: Body, segment: Segment, data: str) -> None:
    message = body["messages"][segment.path[1]]
    part = {"type": "prompt_embeds", "data": data}
    if isinstance(message["content"], str):
        message["content"] = [part]
    else:
        message["content"][segment.path[3]] = part


def _completion(body: Body, wanted: dict[Segment, tuple[Any, float, str]], eco: Eco) -> Body:
    """Completions take text or embeddings, not both: one flagged prompt turns all of them into embeddings."""
    special = bool(body.get("add_special_tokens", True))
    by_path = {segment.path: (segment.text, *rest) for segment, rest in wanted.items()}
    prompt = body.pop("prompt")
    single = isinstance(prompt, str)
    tensors: list[str] = []
    for i, text in enumerate([prompt] if single else prompt):
        found = by_path.get(("prompt",) if single else ("prompt", i))
        if found is None:
            tensors.append(eco.exact(text, add_special_tokens=special))
        else:
            _, spans, sigma, seed_key = found
            tensors.append(eco.corrupted(text, spans, sigma=sigma, seed_key=seed_key, add_special_tokens=special))
    body["prompt_embeds"] = tensors[0] if single else tensors
    return body


def apply_redaction(body: Body, surfaces: list[Surface], plan: Plan) -> Body:
    """``body`` with what was found in past messages replaced by a mark."""
    wanted: dict[Segment, list[Span]] = {}
    for finding in plan.of("redact"):
        for segment, spans in surfaces[finding.surface].locate(finding.verdict.spans):
            wanted.setdefault(segment, []).extend(spans or (Span(0, len(segment.text)),))
    for segment, found in wanted.items():
        text = segment.text
        for span in reversed(merge(found)):
            text = f"{text[: span.start]}{REDACTED}{text[span.end :]}"
        _put_text(body, segment, text)
    return body


def _put_text(body: Body, segment: Segment, text: str) -> None:
    holder: Any = body
    for step in segment.path[:-1]:
        holder = holder[step]
    last = segment.path[-1]
    if isinstance(holder[last], dict):
        holder[last]["text"] = text
    else:
        holder[last] = text


def apply_prefix(body: Body, prefix: str, *, chat: bool) -> Body:
    """``body`` with ``prefix`` before the user's last message, or before each prompt."""
    if not chat:
        prompt = body["prompt"]
        body["prompt"] = prefix + prompt if isinstance(prompt, str) else [prefix + p for p in prompt]
        return body
    message = last_user_message(body)
    content = message.get("content")
    if isinstance(content, str):
        message["content"] = prefix + content
    elif isinstance(content, list):
        message["content"] = [{"type": "text", "text": prefix}, *content]
    else:
        message["content"] = prefix
    return body


def last_user_message(body: Body) -> dict[str, Any]:
    """The message that the guard's text goes before: the user's last, else the very last."""
    messages: list[dict[str, Any]] = body["messages"]
    return next((m for m in reversed(messages) if m.get("role") == "user"), messages[-1])
