"""Answers that the proxy itself gives in the model's place, in the shape of the model's answers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from guard.tokens import ModelTokenizer
from server.surfaces import Body

# A text as the model's tokens write it.
Cut = Callable[[str], Sequence[str]]
_MOST_CHOICES = 128


def cut_by(tokenizer: ModelTokenizer) -> Cut:
    """Cuts a text where the model's tokenizer does; the pieces together are the text."""

    def cut(text: str) -> list[str]:
        starts = [start for start, _ in tokenizer.encode(text, add_special_tokens=False).offsets]
        edges = [0, *sorted({s for s in starts if 0 < s < len(text)}), len(text)]
        return [text[a:b] for a, b in pairwise(edges)] if text else []

    return cut


@dataclass(frozen=True, slots=True)
class Declined:
    """``text`` as the answer to ``body``: ``n`` choices, with usage, no longer than ``max_tokens``."""

    body: Body
    text: str
    prompt: str
    cut: Cut
    chat: bool

    def whole(self) -> dict[str, Any]:
        """The answer."""
        tokens, end = self._tokens()
        finished = [self._finished(i, "".join(tokens), end) for i in range(self._choices)]
        kind = "chat.completion" if self.chat else "text_completion"
        return {**self._base(), "object": kind, "choices": finished, "usage": self._usage(len(tokens))}

    def chunks(self) -> Iterator[dict[str, Any]]:
        """The answer as the chunks of a stream, a token each; without the ``[DONE]``."""
        tokens, end = self._tokens()
        base: dict[str, Any] = {**self._base(), "object": "chat.completion.chunk" if self.chat else "text_completion"}
        options = self.body.get("stream_options")
        asked = options if isinstance(options, dict) else {}
        if asked.get("continuous_usage_stats"):
            base["usage"] = self._usage(len(tokens))
        for index in range(self._choices):
            if self.chat:
                yield {**base, "choices": [self._step(index, {"role": "assistant", "content": ""}, None)]}
            for i, token in enumerate(tokens):
                said = {self._field: token} if self.chat else {"text": token}
                yield {**base, "choices": [self._step(index, said, end if i == len(tokens) - 1 else None)]}
        if asked.get("include_usage"):
            yield {**base, "choices": [], "usage": self._usage(len(tokens))}

    @property
    def _field(self) -> str:
        """Where a structured answer was asked for, clients look for a sentence in ``refusal``."""
        asked = self.body.get("response_format")
        structured = isinstance(asked, dict) and asked.get("type") in ("json_object", "json_schema")
        return "refusal" if structured else "content"

    @property
    def _choices(self) -> int:
        n = self.body.get("n")
        each = n if isinstance(n, int) and 0 < n <= _MOST_CHOICES else 1
        prompt = self.body.get("prompt")
        return each if self.chat or not isinstance(prompt, list) else each * len(prompt)

    def _tokens(self) -> tuple[list[str], str]:
        tokens = list(self.cut(self.text)) or [self.text]
        given = [self.body.get(k) for k in ("max_completion_tokens", "max_tokens")]
        limit = next((v for v in given if isinstance(v, int) and v > 0), len(tokens))
        return tokens[:limit], "stop" if limit >= len(tokens) else "length"

    def _usage(self, told: int) -> dict[str, int]:
        used, told = len(self.cut(self.prompt)), told * self._choices
        return {"prompt_tokens": used, "completion_tokens": told, "total_tokens": used + told}

    def _base(self) -> dict[str, Any]:
        return {
            "id": ("chatcmpl-" if self.chat else "cmpl-") + secrets.token_hex(16),
            "created": int(time.time()),
            "model": self.body.get("model", ""),
        }

    def _finished(self, index: int, text: str, end: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": None, "refusal": None} | {self._field: text}
        content = {"message": message} if self.chat else {"text": text}
        return {"index": index, **content, "logprobs": None, "finish_reason": end}

    def _step(self, index: int, said: dict[str, str], end: str | None) -> dict[str, Any]:
        content = {"delta": said} if self.chat else said
        return {"index": index, **content, "logprobs": None, "finish_reason": end}
