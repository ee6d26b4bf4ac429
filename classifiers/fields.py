"""Values that are given names first and used by them later: variables of a program, fields of a record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from classifiers.reading import Edit, Reading, edited

_GIVEN = re.compile(
    r"(?<![\w$])(?:(?P<letter>[A-Z])\s{0,3}(?::?[:=]|\b(?:is|be|means|stands for)\b)"
    r"|[\"'`$]?(?P<key>[A-Za-z_]\w{0,19})[\"'`]?\s{0,3}:?[:=])\s{0,3}"
    r"(?:(?P<mark>[\"'`])(?P<quoted>[^\"'`\n]{1,60})(?P=mark)"
    r"|(?P<bare>(?(letter)[^\W\d_]|[A-Z])[^\"'`\n;,.|&{}()=]{0,40}?)(?=\s+and\b|[\"'`\n;,.|&{}()=]|$))"
)
_LETTER = re.compile(r"\b[A-Z] (?:is|be|means|stands) ")
_QUOTED = re.compile(r"(?:[:=]|\bis|\bbe|\bmeans|\bstands for)\s{0,3}[\"'`]")  # what may be a value of a long text
_MOST = 24  # values of one text
_SHORT = 1500  # characters of a text in which a value may stand without quotes; in code types stand so
_LONGEST = 20_000  # characters of a text with values to look for


def assigned(reading: Reading) -> Iterator[Reading]:
    """Values in place of what they are called by, and all of them in a row: "A = Zor; B = van; who is A B?"."""
    text = reading.text
    if len(text) > _LONGEST or not (text.count("=") + text.count(":") > 1 or _LETTER.search(text)):
        return
    if len(text) > _SHORT and len(_QUOTED.findall(text)) < 2:
        return
    given = [m for m in _GIVEN.finditer(text) if m["quoted"] or len(text) <= _SHORT]
    values = {m["key"] or m["letter"]: (m["quoted"] or m["bare"] or "").strip() for m in given}
    if not 2 <= len(values) <= _MOST:
        return
    uses = re.compile(
        rf"(?<![\w$])(?:\$?\{{\s*|\$|%|<|\[+)?(?P<key>{'|'.join(map(re.escape, values))})(?:\s*\}}|%|>|\]+)?(?!\w)"
        r"(?:\s*(?:\+|&|and\b)\s*(?=\$?\{?\w))?"
    )
    edits: list[Edit] = []
    for use in uses.finditer(reading.text):
        start, end = use.span("key")
        if any(m.start() <= start < m.end() for m in given):
            continue
        spliced = use.group().rstrip()[-1:] in ("+", "&")
        edits.append((use.start(), use.end(), values[use["key"]] + ("" if spliced or use.end() == end else " ")))
    found = edited(reading, "assigned", edits)
    if found:
        yield found


_PART = re.compile(
    r"(?<![^\W_])(?:(?P<first>first|given|fore|christian)|(?P<last>last|sur|family))[\s_-]?(?:name)?[\"'`*]{0,3}\s{0,3}"
    r"(?:[:=>|,-]{1,2}|\bis\b|\bwas\b)\s{0,3}[\"'`>*]{0,3}(?P<value>[^\W\d_][\w'’ -]{0,40}?)(?=[\"'`.,;<>|}\n*]|$)",
    re.IGNORECASE,
)


def record(reading: Reading) -> Iterator[Reading]:
    """First and last name, which stand in two fields, in one."""
    lower = reading.text[:_LONGEST].lower()
    if not (("last" in lower or "sur" in lower or "family" in lower) and ("first" in lower or "given" in lower)):
        return
    parts = list(_PART.finditer(reading.text, 0, _LONGEST))
    pairs = [(a, b) for a, b in pairwise(parts) if bool(a["first"]) != bool(b["first"])]
    edits: list[Edit] = []
    for a, b in pairs:
        if not edits or edits[-1][1] <= a.start("value"):
            edits.append((a.end("value"), b.start("value"), " "))
    found = edited(reading, "record", edits)
    if found:
        yield found
