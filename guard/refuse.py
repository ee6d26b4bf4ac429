"""Refuse: the list's own sentence in place of an answer."""

from __future__ import annotations

from guard.effects import Ask, Say, Tools


async def guard(ask: Ask, tools: Tools) -> Say:
    """Say the list's refusal."""
    return Say(ask.forget_list.refusal)
