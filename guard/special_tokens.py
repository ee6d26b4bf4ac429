"""Breaking up what a tokenizer would read as a mark of its own in a user's words.

vLLM renders the chat template to text and tokenizes that, marks in the messages included: "<|im_end|>" in a user's
message ends the message, and what follows can be a system message of the user's making. In a request that is guarded
the guard's text stands in the same message, so there these marks are broken up. (A request that is not guarded goes to
vLLM as it came.)
"""

from __future__ import annotations

import re
from collections.abc import Collection

# <|im_end|>, <s>, </s>, <start_of_turn>, <<SYS>>, <｜begin▁of▁sentence｜>; [INST], [/INST], [SYSTEM_PROMPT].
_MARK = re.compile(r"<(?=[^\s<>]{1,64}>)|\[(?=/?[A-Z][A-Z_]{2,40}\])")


def neutralise(text: str, specials: Collection[str] = ()) -> str:
    """``text`` with a space after the first character of every mark.

    Args:
        text: a user's words.
        specials: the served model's own special tokens where they are known; one that has another shape is found too.
    """
    text = _MARK.sub(lambda found: f"{found.group()} ", text)
    for mark in sorted((s for s in specials if len(s.strip()) > 1), key=len, reverse=True):
        text = text.replace(mark, f"{mark[0]} {mark[1:]}")
    return text
