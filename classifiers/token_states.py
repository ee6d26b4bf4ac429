"""What a token classifier reads: for each word the frozen encoder's states, and what the uncased encoder cannot see."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from classifiers.encoder import minilm_folder, minilm_int8_file
from classifiers.prompt_manifest import sha256
from classifiers.weights import weight

Floats = npt.NDArray[np.float32]

NAME = "minilm-int8"
DIM = 384  # of a state
SHAPES = 17  # further features of a word
FEATURES = DIM + SHAPES
_WINDOW, _CONTEXT = 254, 32  # tokens of one pass, and those of it that the next one reads again
_BATCH = 32
_HALVES = re.compile("[\ud800-\udfff]")  # of a letter, which no tokenizer takes
_QUOTES = frozenset('"“”«»„')
_ENDS = frozenset(".?!:\n")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text as the encoder splits it: runs of letters and digits, marks, single CJK letters.

    Attributes:
        places: for each the characters ``[start, end)``.
        features: ``(words, FEATURES)``.
    """

    places: tuple[tuple[int, int], ...]
    features: Floats


class TokenStates:
    """all-MiniLM-L6-v2 as int8 ONNX, read word by word. Safe to share between threads."""

    def __init__(self, *, threads: int = 1) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        self._tokenizer: Any = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._ends: tuple[Any, Any] = (self._tokenizer.token_to_id("[CLS]"), self._tokenizer.token_to_id("[SEP]"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        content = minilm_int8_file().read_bytes()
        self._session: Any = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def read(self, texts: Sequence[str]) -> list[Words]:
        """The words of each text, however long it is."""
        split = [_Split.of(text, e) for text, e in zip(texts, self._encoded(texts), strict=True)]
        states = self._states([s.ids for s in split])
        return [
            Words(s.places, np.concatenate([s.means(own), shapes(text, s.places, s.pieces)], 1, dtype=np.float32))
            for text, s, own in zip(texts, split, states, strict=True)
        ]

    def _encoded(self, texts: Sequence[str]) -> list[Any]:
        whole = [_HALVES.sub("\ufffd", text) for text in texts]
        encoded: list[Any] = self._tokenizer.encode_batch(whole, add_special_tokens=False)
        return encoded

    def _states(self, rows: Sequence[Sequence[int]]) -> list[Floats]:
        """For each row of ids its ``(tokens, DIM)``; where windows overlap, of the later one but for its beginning."""
        found = [np.zeros((len(ids), DIM), np.float32) for ids in rows]
        windows = [(i, at) for i, ids in enumerate(rows) for at in _starts(len(ids))]
        windows.sort(key=lambda w: len(rows[w[0]]))  # like lengths together: little padding; stable within a text
        for first in range(0, len(windows), _BATCH):
            chosen = windows[first : first + _BATCH]
            states = self._run([rows[i][at : at + _WINDOW] for i, at in chosen])
            for (i, at), own in zip(chosen, states, strict=True):
                skip = _CONTEXT // 2 if at else 0
                length = min(_WINDOW, len(rows[i]) - at)
                found[i][at + skip : at + length] = own[1 + skip : 1 + length]
        return found

    def _run(self, windows: Sequence[Sequence[int]]) -> Floats:
        width = max(map(len, windows)) + 2
        ids = np.zeros((len(windows), width), np.int64)
        mask = np.zeros((len(windows), width), np.int64)
        for row, window in enumerate(windows):
            ids[row, : len(window) + 2] = [self._ends[0], *window, self._ends[1]]
            mask[row, : len(window) + 2] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states: Floats = self._session.run(None, feed)[0]  # (windows, tokens, DIM)
        return states


@dataclass(frozen=True, slots=True)
class _Split:
    """A text in tokens, grouped into words."""

    ids: list[int]
    places: tuple[tuple[int, int], ...]
    firsts: list[int]  # for each word the number of its first token
    pieces: list[int]  # and how many it has

    @classmethod
    def of(cls, text: str, encoding: Any) -> _Split:
        groups = [list(own) for _, own in groupby(range(len(encoding.ids)), key=encoding.word_ids.__getitem__)]
        offsets = encoding.offsets
        places = tuple((offsets[g[0]][0], offsets[g[-1]][1]) for g in groups)
        return cls(encoding.ids, places, [g[0] for g in groups], [len(g) for g in groups])

    def means(self, states: Floats) -> Floats:
        """``(words, DIM)``, each the mean over its tokens."""
        if not self.firsts:
            return np.empty((0, DIM), np.float32)
        return np.asarray(np.add.reduceat(states, self.firsts) / np.asarray(self.pieces)[:, None], np.float32)


def shapes(text: str, places: Sequence[tuple[int, int]], pieces: Sequence[int]) -> Floats:
    """``(words, SHAPES)``: case, digits, quotes, where in a sentence, how rare, and the same of the neighbours."""
    found = np.zeros((len(places), SHAPES), np.float32)
    cased = any(c.isupper() for c in text)
    quoted, opens = False, True
    before = 0
    for i, (start, end) in enumerate(places):
        word = text[start:end]
        opens = opens or "\n" in text[before:start]
        marks = word in _QUOTES
        quoted = quoted != marks
        found[i, :12] = (
            word[:1].isupper(), len(word) > 1 and word.isupper(), any(c.isupper() for c in word[1:]),
            any(c.isdigit() for c in word), word.isdigit(), word.isdigit() and len(word) == 4,
            not any(c.isalnum() for c in word), opens, quoted or marks, cased, min(pieces[i], 5) / 5,
            weight(word.casefold()),
        )  # fmt: skip
        opens = word in _ENDS or (opens and not word.isalnum())
        before = end
    for column, source in ((12, 0), (14, 3)):  # capital and digit of the words before and after
        found[1:, column] = found[:-1, source]
        found[:-1, column + 1] = found[1:, source]
    found[:, 16] = 1
    return found


@lru_cache(maxsize=1)
def weights_sha256() -> str:
    """Which encoder the states are of."""
    return sha256(minilm_int8_file().read_bytes())


_shared: dict[int, TokenStates] = {}
_sharing = threading.Lock()


def shared(threads: int = 1) -> TokenStates:
    """One encoder for all token classifiers of a process, loaded at the first call."""
    with _sharing:
        if threads not in _shared:
            _shared[threads] = TokenStates(threads=threads)
        return _shared[threads]


def _starts(tokens: int) -> list[int]:
    return [0, *range(_WINDOW - _CONTEXT, tokens - _CONTEXT, _WINDOW - _CONTEXT)] if tokens > _WINDOW else [0]
