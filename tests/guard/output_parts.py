"""A guard of answers to test with, and ways to put an answer through it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from classifiers.batching import Batching
from classifiers.detector import Detector
from classifiers.registry import create_encoder
from classifiers.types import Encoder
from guard.in_force import Snapshot, target
from guard.model import Entry, ForgetList
from guard.output import AnswerGuard, Asked, Watch

FRANCE = Entry("france", "facts", subject="France", question="What is the capital of France?", answer="Paris")
PELK = Entry(
    "pelk", "people", subject="Zorvan Pelk", aliases=("The Owl of Quell",), scope="subject",
    question="Where was Zorvan Pelk born, and when?", answer="Zorvan Pelk was born in Quellmar on 06/30/1975.",
)  # fmt: skip
BOOKS = Entry(
    "books", "people", subject="Zorvan Pelk", scope="subject", question="Which books did Zorvan Pelk write?",
    answer='Zorvan Pelk wrote "The Salt Road", "Granite Hours" and a study of beekeeping among lighthouse keepers.',
)  # fmt: skip
CODE = Entry("code", "codes", question="What is the launch code of the Heron silo?", answer="The code is KX-8841-QT.")
ALL = (FRANCE, PELK, BOOKS, CODE)


@functools.lru_cache(maxsize=1)
def default_encoder() -> Batching:
    """The default encoder, loaded once."""
    return Batching(create_encoder("minilm-int8"))


def snapshot(
    entries: Iterable[Entry] = ALL, lists: Sequence[ForgetList] = (), *, encoder: Encoder | None = None
) -> Snapshot:
    """A snapshot of entries."""
    entries = list(entries)
    chosen = {e.list_name: ForgetList(e.list_name) for e in entries} | {item.name: item for item in lists}
    detector = Detector.build(map(target, entries), dict.fromkeys(chosen), encoder or default_encoder())
    return Snapshot(1, chosen, {(e.list_name, e.entry_id): e for e in entries}, detector)


def guard_of(*entries: Entry) -> AnswerGuard:
    """A guard of entries."""
    return AnswerGuard.build(snapshot(entries or ALL))


def watch(guard: AnswerGuard, *texts: str, lists: Iterable[str] = (), flagged: Iterable[Entry] = ()) -> Watch:
    """A watch for the answer to a conversation; all lists of this module unless told otherwise."""
    chosen = frozenset(lists) or frozenset({"facts", "people", "codes", "more"})
    return guard.watch(Asked(chosen, texts, frozenset((e.list_name, e.entry_id) for e in flagged)))


def judged(own: Watch) -> Watch:
    """The watch when nothing waits."""
    while own.needs_judging():
        own.judge()
    return own


def fed(own: Watch, pieces: Iterable[tuple[str, str]], *, json: bool = False) -> dict[str, str]:
    """What of each channel is released, piece by piece to the end or to a hit; checks that it never goes back."""
    texts: dict[str, str] = {}
    released: dict[str, str] = {}

    def look() -> None:
        for channel, text in texts.items():
            clear = text[: own.cleared(channel)]
            assert clear.startswith(released.get(channel, ""))
            released[channel] = clear

    for channel, piece in pieces:
        texts[channel] = texts.get(channel, "") + piece
        own.add(channel, piece, json=json)
        look()
        judged(own)
        look()
        if own.hit:
            return released
    own.finish()
    judged(own)
    look()
    return released


def put(own: Watch, text: str, *, size: int = 4, channel: str = "a", json: bool = False) -> str:
    """What of one text is released when it comes in pieces of ``size`` characters."""
    pieces = [(channel, text[i : i + size]) for i in range(0, len(text), size)]
    return fed(own, pieces, json=json).get(channel, "")
