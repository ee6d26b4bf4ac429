"""Prompts as text in logs and traces, for the lists for which an operator switched that on, and for no other."""

from __future__ import annotations

from collections.abc import Collection

import orjson
import structlog

from guard.router import Plan
from server.gen_ai import INPUT_MESSAGES
from server.judging import Prompt
from server.tracing import Tracing

log = structlog.get_logger("letheward.texts")


class TextLog:
    """Writes down what the lists of ``lists`` flag; a request that any other list flags too is left out."""

    def __init__(self, lists: Collection[str], tracing: Tracing) -> None:
        self._lists = frozenset(lists)
        self._tracing = tracing
        if self._lists:
            log.warning(
                "texts_are_logged",
                forget_lists=sorted(self._lists),
                why="log_texts_of names them: what is to be forgotten is written to logs and traces",
            )

    def tell(self, plan: Plan, prompt: Prompt) -> None:
        """Write a request's texts, if that may be."""
        flagged = {finding.forget_list.name for finding in plan.findings}
        if not flagged or not flagged <= self._lists:
            return
        log.warning("request_texts", forget_lists=sorted(flagged), texts=list(prompt.texts))
        span = self._tracing.current()
        if span.recording:
            messages = [{"role": "user", "parts": [{"type": "text", "content": text}]} for text in prompt.texts]
            span.set({INPUT_MESSAGES: orjson.dumps(messages).decode()})
