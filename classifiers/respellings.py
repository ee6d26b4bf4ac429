"""Words whose letters stand apart or run together, or are written with digits, signs and marks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import replace
from itertools import pairwise

from classifiers.reading import Edit, Reading, edited, replaced
from classifiers.weights import in_vocabulary, split_words, unknown, weight

_SIGNS = {
    "|\\/|": "m", "/\\/\\": "m", "|\\|": "n", "/\\/": "n", "|-|": "h", "|_|": "u", "(_)": "u", "()": "o", "|<": "k",
    "|{": "k", "|)": "d", "\\/\\/": "w", "\\/": "v", "/\\": "a", "vv": "w", "VV": "w", "><": "x", "4": "a", "@": "a",
    "3": "e", "€": "e", "0": "o", "5": "s", "$": "s", "7": "t", "+": "t", "8": "b", "9": "g", "6": "g", "2": "z",
}  # fmt: skip
_ONES = "1!|"
_SIGN = re.compile("|".join(map(re.escape, sorted([*_SIGNS, *_ONES], key=len, reverse=True))))
_COMPOSED = re.compile(r"\|\\|\|-\||\|_\||\(\)|\|<|\\/|/\\|\|\)|\(_\)|(?i:vv)")
# What may be leetspeak: a word with one of its signs. Others are not looked at one by one.
_LEET = re.compile(r"(?<!\S)(?=\S*?(?:[430571@$€!|8962/\\(]|[vV]{2}))\S+")
_RARE = 0.6  # weight from which a word may well be a name
_ENDS = ".,;:!?\"'()[]"


def leetspeak(reading: Reading) -> Iterator[Reading]:
    """Digits and signs as letters, in words that have letters too; 1 as i, and as l."""
    words = [m for m in reading.matches(_LEET) if _is_leet(m.group())]
    if not words:
        return
    ones = ("i", "l") if any(o in m.group() for m in words for o in _ONES) else ("i",)
    for one in ones:
        edits: list[Edit] = []
        for word in words:
            end = word.start() + len(word.group().rstrip(".,;:?\"'")) if len(word.group()) > 1 else word.end()
            own = [
                (s.start(), s.end(), _SIGNS.get(s.group(), one))
                for s in _SIGN.finditer(reading.text, word.start(), end)
            ]
            edits.extend(_as_a_name(word, own))
        found = edited(reading, f"leetspeak-{one}", edits)
        if found:
            yield found


def _as_a_name(word: re.Match[str], edits: list[Edit]) -> list[Edit]:
    """``edits`` of a word with a capital at its front where a sign stands there and no ordinary word comes out."""
    front = next((i for i, c in enumerate(word.group()) if c not in _ENDS), 0) + word.start()
    if not edits or edits[0][0] != front:
        return edits
    text = word.group()
    for start, end, letter in reversed(edits):
        text = text[: start - word.start()] + letter + text[end - word.start() :]
    if weight(text.strip(_ENDS).casefold()) < _RARE:
        return edits
    return [(edits[0][0], edits[0][1], edits[0][2].capitalize()), *edits[1:]]


def _is_leet(word: str) -> bool:
    inner = word.strip(_ENDS)
    if "%" in inner or "&#" in inner or len(word) > 40:
        return False
    if _COMPOSED.search(word):
        return True
    signs = sum(c in "430571@$€!|8962" for c in inner)
    letters = sum(c.isalpha() for c in inner)
    return len(inner) <= 24 and signs > 0 and letters > 0 and signs + letters >= 3


# Letters for each word break beyond which the breaks must have been lost.
_MEAN_WORD = 9
_LONG_RUN = re.compile(r"[^\W\d_]{5,2000}|\d+")
_SPACED = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,6}[^\W_](?![^\W_])){3,}")
_GAP = re.compile(r"[\W_]+")
_BITS = re.compile(r"[01\W_]{48,}")


def spaced(reading: Reading) -> Iterator[Reading]:
    """Words whose letters stand apart ("Z o r v a n", "P.e.l.k") closed up."""
    edits: list[Edit] = []
    lost = False
    for match in reading.matches(_SPACED):
        letters = sum(c.isalpha() for c in match.group())
        if letters >= 4 or (not letters and _BITS.fullmatch(match.group())):
            own, breaks = _closed(match)
            edits.extend(own)
            lost = lost or letters > _MEAN_WORD * (breaks + 1)
    closed_up = edited(reading, "spaced", edits, joined=True)
    if closed_up:
        yield closed_up if not lost else replace(closed_up, semantic=False)
        if lost:
            yield segmented(closed_up)


def _closed(run: re.Match[str]) -> tuple[list[Edit], int]:
    """The gaps of a run closed, but for those whose look shows that a word ends; and how many of these there are."""
    gaps = list(_GAP.finditer(run.group()))
    common = Counter(g.group() for g in gaps).most_common(1)[0][0]
    edits: list[Edit] = []
    breaks = 0
    for gap in gaps:
        text = gap.group()
        ends = len(text) > len(common) if common.isspace() else text != common and any(c.isspace() for c in text)
        if ends:
            breaks += 1
        elif text.strip() and common.strip() != text.strip() and not text.isspace():
            edits.append((run.start() + gap.start(), run.start() + gap.end(), text.strip().replace(common.strip(), "")))
        else:
            edits.append((run.start() + gap.start(), run.start() + gap.end(), ""))
    return edits, breaks


def segmented(reading: Reading) -> Reading:
    """Runs of letters without word breaks, broken into the likeliest words (unigrams)."""
    edits: list[Edit] = []
    for match in _LONG_RUN.finditer(reading.text):
        place = match.start()
        for word in [match.group()] if match.group().isdigit() else split_words(match.group()):
            edits.append((place, place, " "))
            place += len(word)
        edits.append((place, place, " "))
    made = edited(reading, "segmented", edits, joined=True, whole=True)
    return made or replace(reading, name="segmented", joined=True)


_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Every hump but a possessive's has two letters: letters in any case are no humps.
_CAMEL_WORD = re.compile(r"(?<![A-Za-z])[A-Za-z][a-z]+(?:[A-Z][a-z]+|[A-Z](?=[A-Z][a-z]))++(?![A-Za-z])")
_TOGETHER = re.compile(r"[^\W\d_]{17,400}")


def run_together(reading: Reading) -> Iterator[Reading]:
    """Words without spaces between them, with capitals where they begin or not."""
    words = reading.matches(_CAMEL_WORD)
    humps = [hump for word in words for hump in _CAMEL.finditer(reading.text, word.start(), word.end())]
    found = edited(reading, "camel-case", ((h.start(), h.end(), " ") for h in humps))
    parted = {hump.start() for hump in humps}
    if found:
        yield found
    runs = [m for m in reading.matches(_TOGETHER) if _is_long(m, parted) and not in_vocabulary(m.group().lower())]
    edits: list[Edit] = []
    for match in runs[:200]:
        place = match.start()
        for word in split_words(match.group())[:-1]:
            place += len(word)
            edits.append((place, place, " "))
    found = edited(reading, "run-together", edits, joined=True)
    if found:
        yield found


def _is_long(run: re.Match[str], parted: Set[int]) -> bool:
    """Whether a run of letters is a long one still where it is parted."""
    edges = [run.start(), *(at for at in range(run.start() + 1, run.end()) if at in parted), run.end()]
    return any(bool(_TOGETHER.match(run.string, a, b)) for a, b in pairwise(edges))


_INLINE = (
    r"</?(?:b|i|u|s|em|strong|span|font|mark|small|big|sub|sup|a|wbr|code|kbd|tt|del|ins|q|bdo|bdi)\b[^<>\n]{0,80}>"
)
_MARK = re.compile(
    rf"(?P<tag>(?:{_INLINE}|<!--[^<>\n]{{0,80}}-->|\[/?[a-z]\])+)"
    r"|(?<=[^\W\d_])(?P<hyphen>[-\u2010\u2011'’./]{1,2})(?=[^\W\d_])"
    r"|(?<=[^\W\d_])(?P<mark>[^\w\s<>]{1,6}|_{1,3})(?=[^\W\d_])",
    re.IGNORECASE,
)
_PARTED = 0.7  # of a text's length that is left where marks stand between all letters
_LINE_END = re.compile(r"(?<=[^\W\d_])[-\u2010\u2011\u00ad][ \t]*\r?\n[ \t>*#]*(?=[^\W\d_])")


_COMPOUND = re.compile(r"(?<![^\W\d_])[^\W\d_]+(?:[-\u2010\u2011'’./]{1,2}[^\W\d_]+)+")
_HYPHENS = re.compile(r"[-\u2010\u2011'’./]+")
_CONTRACTED = frozenset("s t m d re ve ll".split())
_WITH_A_LETTER = frozenset("e-mail e-mails e-book e-books e-commerce x-ray x-rays t-shirt t-shirts u-turn km/h".split())


def _is_plain(compound: str) -> bool:
    """Whether words are joined that are words apart, as in "ten-year-old" and "don't"."""
    if compound in _WITH_A_LETTER:
        return True
    first, *others = _HYPHENS.split(compound)
    known = len(first) > 1 and in_vocabulary(first)
    return known and all(part in _CONTRACTED or (len(part) > 1 and in_vocabulary(part)) for part in others)


def unmarked(reading: Reading) -> Iterator[Reading]:
    """Marks inside words left out: hyphens (those at line ends with the line end), emphasis, tags, emoji."""
    broken = replaced(reading, "unmarked", _LINE_END, lambda _: "", whole=True)
    base = broken or reading
    compounds = [m.span() for m in base.matches(_COMPOUND) if _is_plain(m.group().lower())]
    plain = {at for start, end in compounds for at in range(start, end)}
    marks = [m for m in base.matches(_MARK) if m.start() not in plain]
    found = edited(base, "unmarked", ((m.start(), m.end(), "") for m in marks), whole=broken is not None) or broken
    if found:
        left_out = len(reading.text) - len(base.text) + sum(m.end() - m.start() for m in marks)
        name = "parted" if len(found.text) < _PARTED * (len(found.text) + left_out) else found.name
        telling = any(m.lastgroup != "hyphen" for m in marks)
        yield replace(found, name=name, semantic=telling or broken is not None)


_ADDED = re.compile(r"(?<!`)([\"'`])\s*(?:\+|\.{1,2}|&|\|\||<>|~)?\s*(?:\\?\r?\n\s*)?[frbu]?\1(?!`)")


def added_up(reading: Reading) -> Iterator[Reading]:
    """Strings added up in code: 'Zor' + 'van'."""
    found = replaced(reading, "added-up", _ADDED, lambda _: "")
    if found:
        yield found


_ITEM = re.compile(r"(?m)^[ \t]*(?:[-*•>|]|\d{1,3}[.)]|\w[.)])?[ \t]*")
_FEWEST_LINES = 4


def initials(reading: Reading) -> Iterator[Reading]:
    """The first letters of lines."""
    edits: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    if reading.text.count("\n") < _FEWEST_LINES - 1:
        return
    for match in _ITEM.finditer(reading.text):
        at = match.end()
        if at < len(reading.text) and reading.text[at].isalnum():
            edits.append(reading.text[at])
            starts.append(reading.starts[at])
            ends.append(reading.ends[at])
    if len(edits) >= _FEWEST_LINES:
        yield Reading("initials", "".join(edits), starts, ends, semantic=False, joined=True, guessed=True)


_BULLET = re.compile(r"\r?\n[ \t]*(?:[-*•>|]|\d{1,3}[.)])[ \t]")


_PIECES = re.compile(r"(?:\r?\n|\\n)[ \t]*[-*•>][ \t](?=.{1,6}(?:\r?\n|\\n|[\"'”]|$))")


def itemised(reading: Reading) -> Iterator[Reading]:
    """Items of a list that are pieces of words put together."""
    lines = reading.text.count("\n") + 1
    if lines >= _FEWEST_LINES and len(reading.text) < 12 * lines:
        found = replaced(reading, "itemised", _BULLET, lambda _: "")
    elif reading.text.count("\n- ") + reading.text.count("\\n- ") >= _FEWEST_LINES:  # a list in another text
        found = replaced(reading, "itemised", _PIECES, lambda _: "")
    else:
        return
    if found:
        yield replace(found, joined=True)


_PIECE = re.compile(r"[^\W\d_]{2,14}")
_WIDEST = 4  # characters between two pieces
_SEAM = re.compile(r"[ \t]*[|]?[ \t]*")


def rejoined(reading: Reading) -> Iterator[Reading]:
    """Words in two pieces put together, and table cells in a row: "Wh ich | award | did | she | rec | eive"."""
    words = _PIECE.findall(reading.text.lower())
    odd = set(unknown(set(words)))
    beside = sorted({j for i, word in enumerate(words) if word in odd for j in (i - 1, i) if 0 <= j < len(words) - 1})
    if not any(in_vocabulary(words[i] + words[i + 1]) for i in beside):
        return
    pieces = list(_PIECE.finditer(reading.text))
    edits: list[Edit] = []
    taken = 0
    for i in range(len(pieces) - 1):
        one, other = pieces[i], pieces[i + 1]
        if (
            not odd & {one.group().lower(), other.group().lower()}
            or one.start() < taken
            or other.start() - one.end() > _WIDEST
        ):
            continue
        if in_vocabulary(f"{one.group()}{other.group()}".lower()) and _seam(reading.text, one, other):
            edits.append((one.end(), other.start(), ""))
            taken = other.end()
    if edits and "|" in reading.text:
        seams = {edit[0] for edit in edits}
        cells = [(one.end(), other.start(), " ") for one, other in pairwise(pieces)
                 if one.end() not in seams and "|" in _between(reading.text, one, other)]  # fmt: skip
        edits = sorted([*edits, *(cell for cell in cells if _SEAM.fullmatch(reading.text, *cell[:2]))])
    found = edited(reading, "rejoined", edits)
    if found:
        yield found


def _between(text: str, one: re.Match[str], other: re.Match[str]) -> str:
    return text[one.end() : other.start()]


def _seam(text: str, one: re.Match[str], other: re.Match[str]) -> bool:
    return one.end() < other.start() and bool(_SEAM.fullmatch(text, one.end(), other.start()))
