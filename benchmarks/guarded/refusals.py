"""Whether an answer says that it has no answer, by its wording."""

from __future__ import annotations

import re

_SAYS_NO = re.compile(
    r"\bsorry\b|\bapologi[sz]e|\bunable to\b|\bnot (?:able|familiar|aware|sure|certain|acquainted)\b"
    r"|\b(?:do not|don'?t|does not|doesn'?t|did not|didn'?t) (?:have|know|recogni[sz]e|possess|recall)\b"
    r"|\b(?:cannot|can'?t|couldn'?t|could not) (?:provide|answer|help|say|find|give|assist|share|confirm|tell|offer)\b"
    r"|\bno (?:information|knowledge|details?|data|record|idea|answer)\b|\b(?:unknown|unfamiliar) to me\b"
    r"|\bas an ai\b|\bhaven'?t (?:heard|come across|learn)|\bnever (?:heard|come across)\b|\bbeyond my\b",
    re.IGNORECASE,
)


def is_refusal(answer: str) -> bool:
    """True where a usual phrase of not knowing or not telling comes in the answer's first 200 characters."""
    return bool(_SAYS_NO.search(answer[:200].replace("’", "'")))
