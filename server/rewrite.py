"""The request that goes to the model instead of a flagged one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from classifiers.types import Span
from classifiers.verdicts import merge
from guard.corruptions.spec import CorruptionSpec
from guard.eco import Eco
from guard.effects import Prefix, Turn
from guard.router import EcoSpans, Plan
from guard.special_tokens import neutralise
from server.surfaces import Body, Segment, Surface

REDACTED = "[removed]"


def apply_eco(body: Body, surfaces: list[Surface], plan: Plan, eco: Eco, *, chat: bool) -> Body:
    """``body`` with the flagged segments as embeddings, corrupted where the entry's tokens are.

    A segment goes over whole, exact rows beside corrupted ones: templates put newlines between parts,
    so splitting a sentence into parts would change the prompt.
    """
    wanted: dict[Segment, EcoSpans] = {}
    for item in plan.eco:
        for segment, spans in surfaces[item.surface].locate(item.spans):
            before = wanted.get(segment)
            stronger = item if before is None or item.sigma >= before.sigma else before
            merged = spans if before is None else (before.spans + spans if before.spans and spans else ())
            wanted[segment] = replace(stronger, spans=merged)
    if not chat:
        return _completion(body, wanted, eco)
    for segment, item in wanted.items():
        _put_part(body, segment, _corrupted(segment.text, item, eco))
    return body


def _corrupted(text: str, item: EcoSpans, eco: Eco, *, special: bool = False) -> str:
    spec = CorruptionSpec(item.corruption, item.sigma, item.dims)
    return eco.corrupted(
        text, item.spans, spec, seed_key=item.seed_key, token_classifiers=item.token_classifiers,
        add_special_tokens=special,
    )  # fmt: skip


def _put_part(body: Body, segment: Segment, data: str) -> None:
    message = body["messages"][segment.path[1]]
    part = {"type": "prompt_embeds", "data": data}
    if isinstance(message["content"], str):
        message["content"] = [part]
    else:
        message["content"][segment.path[3]] = part


def _completion(body: Body, wanted: dict[Segment, EcoSpans], eco: Eco) -> Body:
    """Completions take text or embeddings, not both: one flagged prompt turns all of them into embeddings."""
    special = bool(body.get("add_special_tokens", True))
    by_path = {segment.path: item for segment, item in wanted.items()}
    prompt = body.pop("prompt")
    single = isinstance(prompt, str)
    tensors: list[str] = []
    for i, text in enumerate([prompt] if single else prompt):
        found = by_path.get(("prompt",) if single else ("prompt", i))
        if found is None:
            tensors.append(eco.exact(text, add_special_tokens=special))
        else:
            tensors.append(_corrupted(text, found, eco, special=special))
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


def apply_prefix(body: Body, prefix: Prefix, *, chat: bool) -> Body:
    """``body`` with the guard's text around the user's last message, or around each prompt.

    Embeddings cannot stand beside text in completions: there the corruption alone has to do.
    """
    before = prefix.before if prefix.system is None or chat else f"{prefix.system}\n\n{prefix.before}"
    if not chat:
        return _around_prompts(body, before, f"{prefix.after}\n\nAnswer:")
    message = last_user_message(body)
    content = message.get("content")
    if isinstance(content, list):
        parts = [{"type": "text", "text": t} for t in (before, prefix.after)]
        message["content"] = [*parts[:1], *content, *(parts[1:] if prefix.after else [])]
    else:
        message["content"] = f"{before}{content or ''}{prefix.after}"
    if prefix.system:
        _put_system(body, prefix.system)
    return body


def apply_shots(body: Body, turns: Sequence[Turn], *, chat: bool) -> Body:
    """``body`` with ``turns`` before the user's last message, or as questions and answers before each prompt."""
    if not chat:
        told = "".join(f"{'Question' if t.role == 'user' else 'Answer'}: {t.text}\n" for t in turns)
        return _around_prompts(body, f"{told}Question: ", "\nAnswer:")
    messages: list[dict[str, Any]] = body["messages"]
    last = last_user_message(body)
    at = next(i for i, m in enumerate(messages) if m is last)
    body["messages"] = [*messages[:at], *({"role": t.role, "content": t.text} for t in turns), *messages[at:]]
    return body


def defused(body: Body, *, chat: bool) -> Body:
    """``body`` without marks of a chat template in the client's words, which stand beside a guard's text.

    With them go the special tokens that a client wrote into a prompt itself: the tokenizer is to add its own.
    """
    if not chat:
        body.pop("add_special_tokens", None)
        prompt = body.get("prompt")
        body["prompt"] = neutralise(prompt) if isinstance(prompt, str) else [neutralise(p) for p in prompt or ()]
        return body
    for message in body["messages"]:
        content = message.get("content")
        if isinstance(content, str):
            message["content"] = neutralise(content)
        for i, part in enumerate(content if isinstance(content, list) else []):
            if isinstance(part, str):
                content[i] = neutralise(part)
            elif isinstance(part, dict) and isinstance(part.get("text"), str):
                part["text"] = neutralise(part["text"])
    return body


def _around_prompts(body: Body, before: str, after: str) -> Body:
    prompt = body.get("prompt")
    if isinstance(prompt, str):
        body["prompt"] = f"{before}{prompt}{after}"
    elif isinstance(prompt, list):
        body["prompt"] = [f"{before}{p}{after}" for p in prompt]
    return body


def _put_system(body: Body, text: str) -> None:
    """One system message at the beginning: templates take no second one, and none elsewhere."""
    first = body["messages"][0]
    if first.get("role") in ("system", "developer") and isinstance(first.get("content"), str):
        first["content"] = f"{first['content']}\n\n{text}"
    else:
        body["messages"] = [{"role": "system", "content": text}, *body["messages"]]


def last_user_message(body: Body) -> dict[str, Any]:
    """The message that the guard's text goes before: the user's last, else the very last."""
    messages: list[dict[str, Any]] = body["messages"]
    return next((m for m in reversed(messages) if m.get("role") == "user"), messages[-1])
