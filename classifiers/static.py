"""A static embedding distilled from the encoder: one vector a token, so that a text costs microseconds.

After model2vec (Tulkens and van Dongen, 2024): every token of the vocabulary goes through the encoder alone, is
weighted by smooth inverse frequency (Arora et al., 2017), and a text is the sum of its tokens. Then the vectors
are bent, by kernel ridge regression, towards the encoder's vectors of some thousand ordinary sentences, which
mends above all the words that questions are made of, and reduced by PCA. Good enough to say that a text is far
from everything; whatever is near goes to the encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

from classifiers.checked_file import read, write
from classifiers.encoder import minilm_folder
from classifiers.ordinary import prompts
from classifiers.types import Encoder
from classifiers.windows import windows

Floats = npt.NDArray[np.float32]
log = structlog.get_logger("letheward.static")

DIM = 256
_SMOOTH = 1e-3
_FIRST_WORD = 1996  # where the words begin in BERT's vocabulary, most frequent first
_CHUNK = 256
SENTENCES = 5000
_RIDGE = 1.0
_FEW = 32
_ALIKE = 0.63  # the least cosine at which an entry without a name is found
_LAYOUT = 2  # of the file; one of another number is made anew


class StaticEmbedding:
    """Token vectors and the tokenizer that goes with them. Safe to use from many threads."""

    def __init__(self, rows: Floats, encoder_name: str, floor: float) -> None:
        self.encoder_name = encoder_name
        self.dim = rows.shape[1]
        # Of pairs of sentences that the encoder finds alike, all but one in a thousand are more alike than this here.
        self.floor = floor
        self._rows = rows  # (vocabulary, dim), weighted
        self._tokenizer = _tokenizer()
        self._unknown = self._tokenizer.token_to_id("[UNK]")

    def encode(self, texts: Sequence[str]) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Unit vectors ``(len(texts), dim)``, and which texts they speak for.

        A text with a token outside the vocabulary, or with none at all, has no vector that means anything.
        """
        vectors = np.zeros((len(texts), self.dim), np.float32)
        known = np.zeros(len(texts), np.bool_)
        for i, encoding in enumerate(self._encodings(texts)):
            ids = encoding.ids
            if ids and self._unknown not in ids:
                known[i] = True
                vectors[i] = self._rows[ids].sum(0)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.maximum(norms, 1e-12), known

    def _encodings(self, texts: Sequence[str]) -> Sequence[Any]:
        if len(texts) < _FEW:  # a batch wakes threads, which takes longer than a few short texts
            return [self._tokenizer.encode(text, add_special_tokens=False) for text in texts]
        batch: Sequence[Any] = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return batch

    @classmethod
    def distil(cls, encoder: Encoder, *, dim: int = DIM, sentences: int = SENTENCES) -> StaticEmbedding:
        """Distil ``encoder`` with so many ordinary sentences: half a minute for a MiniLM on one core."""
        vocabulary = _tokenizer().get_vocab()
        words = [""] * (max(vocabulary.values()) + 1)
        for token, i in vocabulary.items():
            words[i] = "" if token.startswith("[") and token.endswith("]") else token.removeprefix("##")
        wanted = [i for i, word in enumerate(words) if word]
        vectors = np.zeros((len(words), encoder.dim), np.float32)
        for at in range(0, len(wanted), _CHUNK):
            some = wanted[at : at + _CHUNK]
            vectors[some] = encoder.encode([words[i] for i in some])
        vectors[wanted] -= vectors[wanted].mean(0)
        weights = np.zeros(len(words), np.float32)
        weights[wanted] = _weights(np.asarray(wanted))
        texts = [text[s.start : s.end] for text in prompts(sentences, 0) for s in windows(text)[:4]]
        chosen = list(dict.fromkeys(texts))[:sentences]
        meant = np.concatenate([encoder.encode(chosen[at : at + _CHUNK]) for at in range(0, len(chosen), _CHUNK)])
        cut = len(chosen) * 4 // 5
        vectors = _bent(vectors, weights, chosen[:cut], meant[:cut])
        made = cls(_principal(vectors * weights[:, None], min(dim, encoder.dim)), encoder.name, -1.0)
        made.floor = made._floor(chosen[cut:], meant[cut:])
        return made

    def _floor(self, sentences: Sequence[str], meant: Floats) -> float:
        vectors, known = self.encode(sentences)
        pairs = np.triu(known[:, None] & known[None, :], 1) & (meant @ meant.T >= _ALIKE)
        return float(np.quantile((vectors @ vectors.T)[pairs], 0.001)) if pairs.any() else -1.0

    def save(self, file: Path) -> None:
        """Write to ``file``; whole or not at all."""
        body = self._rows.astype("<f2").tobytes()
        shape = list(self._rows.shape)
        header = {"layout": _LAYOUT, "encoder": self.encoder_name, "shape": shape, "floor": self.floor}
        write(file, header, body)

    @classmethod
    def load(cls, file: Path, encoder: Encoder) -> StaticEmbedding:
        """Read what ``save`` wrote for the same encoder.

        Raises:
            OSError: there is no such file.
            ValueError: it is damaged, or was made with another encoder.
        """
        try:
            header, body = read(file)
            same = (header["layout"], header["encoder"]) == (_LAYOUT, encoder.name)
            rows = np.frombuffer(body, "<f2").reshape(header["shape"]).astype(np.float32)
            floor = float(header["floor"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{file} is no static embedding: {error}") from error
        if not same:
            raise ValueError(f"{file} was made with another encoder")
        return cls(rows, encoder.name, floor)


def load_or_distil(file: Path | None, encoder: Encoder) -> StaticEmbedding:
    """From ``file`` where that is sound, else distilled anew and saved there."""
    if file is not None and file.is_file():
        try:
            return StaticEmbedding.load(file, encoder)
        except (OSError, ValueError) as error:
            log.warning("static_rebuilt", reason=str(error))
    made = StaticEmbedding.distil(encoder)
    if file is not None:
        made.save(file)
    return made


def _tokenizer() -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _bent(vectors: Floats, weights: Floats, sentences: Sequence[str], meant: Floats) -> Floats:
    """Token ``vectors`` moved least such that weighted sums of them come near ``meant``, the sentences' vectors."""
    tokens = [np.asarray(e.ids) for e in _tokenizer().encode_batch_fast(sentences, add_special_tokens=False)]
    used, positions = np.unique(np.concatenate(tokens), return_inverse=True)
    shares = np.zeros((len(sentences), len(used)), np.float32)  # of each token used in each sentence
    np.add.at(shares, (np.repeat(np.arange(len(tokens)), [len(t) for t in tokens]), positions),
              weights[np.concatenate(tokens)])  # fmt: skip
    shares /= np.maximum(np.linalg.norm(shares, axis=1, keepdims=True), 1e-6)
    gram = shares @ shares.T + _RIDGE * np.eye(len(sentences), dtype=np.float32)
    bent = vectors.copy()
    bent[used] += shares.T @ np.linalg.solve(gram, meant - shares @ vectors[used])
    return bent


def _principal(vectors: Floats, dim: int) -> Floats:
    """``vectors`` in the directions in which they are longest; inner products are kept as well as ``dim`` allows."""
    _, directions = np.linalg.eigh(vectors.T @ vectors)  # columns, shortest first
    return np.asarray(vectors @ directions[:, ::-1][:, :dim], np.float32)


def _weights(ids: npt.NDArray[np.int64]) -> Floats:
    """Smooth inverse frequency, the frequency taken from the rank by Zipf's law; signs and letters weigh least."""
    ranks = np.maximum(ids - _FIRST_WORD, 0) + 1
    share = 1 / ranks / np.log(len(ids))
    return np.asarray(_SMOOTH / (_SMOOTH + share), np.float32)
