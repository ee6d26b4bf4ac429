"""A text as pieces of the length of a question, so that nothing of it is cut off or averaged away."""

from __future__ import annotations

import re

from classifiers.types import Span

MAX_WORDS = 40
_STRIDE = 20
_WORD = re.compile(r"\S+")
_BREAK = re.compile(r"(?<=[.?!;])[\"')\]”“»]*\s+|(?<=[。？！；])|(?<=:)\s+(?=[„«“])|\s*\n+\s*")
# Strings of JSON and the like are sentences of their own, whatever keys and numbers stand around them.
_RECORD = re.compile(_BREAK.pattern + r"|(?<=[{\[,:])\s*[\"'](?=\w)|[\"']\s*[:,}\]]+\s*")
_KEYS = re.compile(r"[\"']\s*:")
# Scripts without spaces give words of any length; they are cut so that a window stays a window.
_MAX_WORD = 48


def windows(text: str) -> list[Span]:
    """Every sentence, every two in a row that are short together; long sentences as overlapping windows."""
    found: list[Span] = []
    previous: Span | None = None
    for sentence in _sentences(text):
        words = _pieces(text, sentence)
        if not words:
            continue
        if len(words) > MAX_WORDS:
            starts = [*range(0, len(words) - MAX_WORDS, _STRIDE), len(words) - MAX_WORDS]
            found.extend(Span(words[i].start, words[i + MAX_WORDS - 1].end) for i in starts)
            previous = None
            continue
        own = Span(words[0].start, words[-1].end)
        found.append(own)
        if previous and len(_pieces(text, Span(previous.start, own.end))) <= MAX_WORDS:
            found.append(Span(previous.start, own.end))
        previous = own
    return found


def around(text: str, span: Span, *, words: int = 10) -> Span:
    """``span`` with up to ``words`` words on each side."""
    left = list(_WORD.finditer(text, max(0, span.start - words * 24), span.start))[-words:]
    right = list(_WORD.finditer(text, span.end, min(len(text), span.end + words * 24)))[:words]
    return Span(left[0].start() if left else span.start, right[-1].end() if right else span.end)


_DELIMITER = re.compile(r"[\"“”<>|{}\[\]\n]|[.?!]\s|(?:(?<=\s)|^)['‘]|['’](?=[\s,;)]|$)")
_REACH = 240


def literal(text: str, span: Span) -> Span:
    """The string, field or sentence that holds ``span``: what stands between the nearest quotes, brackets or stops."""
    start = max(0, span.start - _REACH)
    for match in _DELIMITER.finditer(text, start, span.start):
        start = match.end()
    after = _DELIMITER.search(text, span.end, min(len(text), span.end + _REACH))
    end = after.end() if after and after.group()[0] in ".?!" else after.start() if after else span.end + _REACH
    return Span(start, min(len(text), end))


def _sentences(text: str) -> list[Span]:
    spans: list[Span] = []
    at = 0
    for match in (_RECORD if _KEYS.search(text) else _BREAK).finditer(text):
        if match.start() >= at:
            spans.append(Span(at, match.start()))
            at = match.end()
    return [*spans, Span(at, len(text))]


def _pieces(text: str, span: Span) -> list[Span]:
    found: list[Span] = []
    for match in _WORD.finditer(text, span.start, span.end):
        for at in range(match.start(), match.end(), _MAX_WORD):
            found.append(Span(at, min(at + _MAX_WORD, match.end())))
    return found
