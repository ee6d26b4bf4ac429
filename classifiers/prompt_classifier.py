"""A fine-tuned transformer that says whether a prompt is about the forget set (ECO: Liu et al., arXiv 2406.07933).

For large lists that seldom change: it is trained offline (``classifiers.training``), and needs torch to run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifiers.prompt_manifest import CONFIG, TOKENIZER, WEIGHTS, Layout, Manifest, check_name, read_checked

WINDOW = 126  # tokens: with begin and end 128. A question fills a good part of it, whatever stands around it
_BATCH = 32


class PromptClassifier:
    """A trained classifier, loaded from its folder."""

    def __init__(self, manifest: Manifest, network: Network) -> None:
        self.manifest = manifest
        self.name = manifest.name
        self.threshold = manifest.threshold
        self._network = network

    @classmethod
    def load(cls, folder: Path, *, device: str | None = None) -> PromptClassifier:
        """The classifier in ``folder``, after every file's checksum was compared.

        Args:
            folder: as ``classifiers.training.train`` wrote it.
            device: "cpu", "cuda", ...; by default a GPU where there is one.

        Raises:
            ValueError: the folder is no classifier, lacks a file or was changed; the message says what to do.
            RuntimeError: torch or transformers is not installed.
        """
        manifest, files = read_checked(Path(folder))
        torch, transformers = libraries()
        from safetensors.torch import load
        from tokenizers import Tokenizer

        try:
            config = transformers.AutoConfig.for_model(**json.loads(files[CONFIG]))
            model = transformers.AutoModelForSequenceClassification.from_config(config)
            model.load_state_dict(load(files[WEIGHTS]), strict=True)
            tokenizer = Tokenizer.from_str(files[TOKENIZER].decode())
        except Exception as error:  # three libraries' own kinds of error; each means that it cannot be used
            raise ValueError(
                f"{folder} cannot be used with transformers {transformers.__version__}: {beginning(error)}; "
                "train it again"
            ) from error
        network = Network(model.to(device or default_device(torch)).eval(), Tokens(tokenizer, manifest.layout))
        return cls(manifest, network)

    @classmethod
    def named(cls, name: str, root: Path, *, device: str | None = None) -> PromptClassifier:
        """The classifier called ``name`` under ``root``; see ``load`` for what it raises."""
        folder = Path(root) / check_name(name)
        if not folder.is_dir():
            known = ", ".join(sorted(f.name for f in Path(root).glob("*") if (f / CONFIG).exists())) or "none"
            raise ValueError(
                f"there is no classifier {name!r} in {root} (there: {known}): make it with `letheward detector train`"
            )
        return cls.load(folder, device=device)

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """``(len(texts),)``: how likely each text is about the forget set; of a long text its likeliest window.

        Raises:
            RuntimeError: the model gave no number for a text.
        """
        return self._network.probabilities(texts)


class Tokens:
    """Texts as rows of tokens. A text that is too long for one row has several that overlap by half."""

    def __init__(self, tokenizer: Any, layout: Layout) -> None:
        self._tokenizer = tokenizer
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._layout = layout

    def rows(self, text: str) -> list[list[int]]:
        """Every token of ``text`` is in a row, and any run of half a window is whole in one."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        width = self._layout.window
        starts = [*range(0, len(ids) - width, width // 2), max(0, len(ids) - width)]
        return [[self._layout.begin, *ids[i : i + width], self._layout.end] for i in starts]

    def to_json(self) -> str:
        """The tokenizer as it is saved."""
        return str(self._tokenizer.to_str())

    def batch(self, rows: Sequence[Sequence[int]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Ids and mask ``(rows, tokens)``."""
        width = max(map(len, rows))
        ids = np.full((len(rows), width), self._layout.pad, np.int64)
        mask = np.zeros((len(rows), width), np.int64)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
            mask[i, : len(row)] = 1
        return ids, mask


class Network:
    """A sequence-classification model with its tokens."""

    def __init__(self, model: Any, tokens: Tokens) -> None:
        self.model = model
        self.tokens = tokens

    def logits(self, rows: Sequence[Sequence[int]]) -> Any:
        """``(rows, 2)``, on the model's device."""
        import torch

        ids, mask = (torch.from_numpy(part).to(self.model.device) for part in self.tokens.batch(rows))
        return self.model(input_ids=ids, attention_mask=mask).logits

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """See ``PromptClassifier.probabilities``."""
        rows: list[list[int]] = []
        owners: list[int] = []
        for i, text in enumerate(texts):
            own = self.tokens.rows(text)
            rows += own
            owners += [i] * len(own)
        highest = np.zeros(len(texts), np.float32)
        for chosen in batches(rows, _BATCH):
            found = self._forget([rows[i] for i in chosen])
            np.maximum.at(highest, [owners[i] for i in chosen], found)
        return highest

    def _forget(self, rows: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            found: npt.NDArray[np.float32] = self.logits(rows).float().softmax(-1)[:, 1].cpu().numpy()
        if not np.isfinite(found).all():
            raise RuntimeError("the prompt classifier gave no number: train it again, or turn it off")
        return found


def batches(rows: Sequence[Sequence[int]], size: int) -> Iterator[list[int]]:
    """Which rows go together: those of like length, so that there is little padding."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    for at in range(0, len(order), size):
        yield order[at : at + size]


def libraries() -> tuple[Any, Any]:
    """The modules torch and transformers.

    Raises:
        RuntimeError: one is not installed.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise RuntimeError(
            f"a prompt classifier needs torch and transformers ({error}): install letheward[torch]"
        ) from error
    return torch, transformers


def beginning(error: Exception) -> str:
    """What ``error`` says, without the long lists that torch and transformers append."""
    lines = [line.strip() for line in str(error).strip().splitlines()[:2]] or [type(error).__name__]
    return " ".join(lines).rstrip(".")


def default_device(torch: Any) -> str:
    """A GPU where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"
