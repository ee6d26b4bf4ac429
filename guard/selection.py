"""Which characters of a flagged text carry what is to be forgotten, beside those where an entry was seen."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Protocol

from classifiers.normalise import fold_words
from classifiers.types import Span
from classifiers.weights import specific

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


FOLDER = "token-classifiers"  # in the cache folder
CONTENT = "content"


class TokenSelector(Protocol):
    """Chooses characters of a text. Safe to share between threads."""

    def spans(self, text: str) -> tuple[Span, ...]:
        """Spans of whole words, sorted, not overlapping; none where nothing stands out.

        Raises:
            RuntimeError: the text could not be judged. Never the same as no spans.
        """
        ...


class ContentWords:
    """Every word that tells something of what is asked: all but the commonest. Needs no training, finds no names apart.

    For a model that knows a list's questions by heart: what is left of such a question without its names can be enough
    for it to recite the answer.
    """

    def spans(self, text: str) -> tuple[Span, ...]:
        """The words, each by itself."""
        return tuple(Span(m.start(), m.end()) for m in _WORD.finditer(text) if _tells(m.group()))


def _tells(word: str) -> bool:
    return any(specific(part) for part in fold_words(word).split()) or word[1:] != word[1:].lower()


BUILT_IN: dict[str, TokenSelector] = {CONTENT: ContentWords()}
"""Those that need no training, by the name that a list gives."""


class TokenSelectors:
    """The built-in ones, and the trained token classifiers of one folder, loaded when they are first asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._loaded: dict[str, tuple[int, TokenSelector]] = {}
        self._loading = threading.Lock()

    def check(self, name: str | None) -> None:
        """See that a list can have the token classifier ``name``; None: it has none.

        Raises:
            ValueError: it cannot; the message says what to do.
        """
        if name is not None:
            self.get(name)

    def get(self, name: str) -> TokenSelector:
        """The classifier called ``name``; read again where it was trained again.

        Raises:
            ValueError: there is none, or it is damaged.
            RuntimeError: what it needs is not installed.
        """
        if name in BUILT_IN:
            return BUILT_IN[name]
        from classifiers.token_classifier import TokenClassifier
        from classifiers.token_manifest import changed_ns

        stamp = changed_ns(self._root, name)
        kept = self._loaded.get(name)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        with self._loading:
            kept = self._loaded.get(name)
            if kept is None or kept[0] != stamp:
                kept = (stamp, TokenClassifier.named(name, self._root))
                self._loaded[name] = kept
        return kept[1]
