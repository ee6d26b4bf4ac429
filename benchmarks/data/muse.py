"""MUSE (Shi et al., 2024, arXiv 2407.06460): news or books to forget, as running text and as questions about it."""

from __future__ import annotations

from itertools import chain, zip_longest

from benchmarks.data.corpus import Corpus, Item
from benchmarks.data.drawing import passages, taken
from benchmarks.data.files import Where, rows, text_of
from benchmarks.data.registry import Selection

_HUB = {"news": "muse-bench/MUSE-News", "books": "muse-bench/MUSE-Books"}


def load(source: str | None, selection: Selection) -> Corpus:
    """Passages of the forget, retain and holdout texts; ``selection`` counts passages.

    The benchmark's target models saw both retain sets, of which methods may read one and the other is for measuring;
    here both are ``retain``, text by text in turn. Asked beside: "verbmem", beginnings of forget texts with how they
    go on; "knowledge" and "knowledge_retain", questions about the forget and the retain texts, of which a model
    can answer those whose passages were selected.

    Args:
        source: a folder as the benchmark's repository has it (``raw/forget.json``, ...), or a hub name.
        selection: ``part`` is "news" or "books".

    Raises:
        ValueError: there is no such part, or it has fewer passages.
        FileNotFoundError: a file is not there.
    """
    part = selection.part or "news"
    if part not in _HUB:
        raise ValueError(f"MUSE has no part {part!r}: choose from {', '.join(_HUB)}")
    source = source or _HUB[part]

    def texts(split: str) -> list[str]:
        return [text_of(row) for row in rows(source, Where((f"raw/{split}",), "raw", split))]

    (forget,) = taken("forget passages", list(passages(texts("forget"), "forget text")), selection.forget)
    both = zip_longest(texts("retain1"), texts("retain2"))
    kept = [text for text in chain.from_iterable(both) if text is not None]
    (retain,) = taken("retain passages", list(passages(kept, "retain text")), selection.retain)
    (held,) = taken("holdout passages", list(passages(texts("holdout"), "holdout text")), selection.held)
    asked = {
        "verbmem": _verbatim(source), "knowledge": _questions(source, "forget_qa"),
        "knowledge_retain": _questions(source, "retain_qa", "retain2_qa"),
    }  # fmt: skip
    name = f"MUSE {part}, {len(forget)} / {len(retain)} / {len(held)} passages"
    return Corpus(name, tuple(forget), tuple(retain), tuple(held), asked)


def _verbatim(source: str) -> tuple[Item, ...]:
    found = rows(source, Where(("verbmem/forget",), "verbmem", "forget"))
    return tuple(Item(row["prompt"], row["gt"], f"verbmem {i}", plain=True) for i, row in enumerate(found))


def _questions(source: str, split: str, *also: str) -> tuple[Item, ...]:
    where = Where([f"knowmem/{name}" for name in (split, *also)], "knowmem", split)
    return tuple(Item(row["question"], row["answer"], row["question"]) for row in rows(source, where))
