"""Which words of a prompt carry what is to be forgotten: names, dates, places, works and the list's own details.

ECO selects tokens with a named-entity model (Liu et al., arXiv 2406.07933). Here it is a small head over the frozen
states of the bundled encoder, trained on the list in seconds by ``classifiers.token_training``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from classifiers.prompt_classifier import beginning
from classifiers.token_manifest import TokenManifest, folder_of, read_checked
from classifiers.token_states import FEATURES, Floats, TokenStates, shared, weights_sha256
from classifiers.types import Span

TENSORS = ("mean", "scale", "hidden.weight", "hidden.bias", "out.weight", "out.bias")


class Head:
    """Two layers: ``sigmoid(out @ relu(hidden @ (x - mean) / scale))``. Arrays by the names in ``TENSORS``."""

    def __init__(self, arrays: dict[str, Floats]) -> None:
        if set(arrays) != set(TENSORS) or arrays["hidden.weight"].shape[1] != FEATURES:
            raise ValueError("the head has not the layers that it should have")
        if not all(np.isfinite(a).all() for a in arrays.values()):
            raise ValueError("the head has a weight that is no number")
        self.arrays = arrays

    def probabilities(self, features: Floats) -> Floats:
        """``(words,)`` of features ``(words, FEATURES)``."""
        a = self.arrays
        scaled = (features - a["mean"]) / a["scale"]
        # Not "@": for so small a product its threads mostly wait, and on a busy machine longer than the encoder takes.
        hidden = np.einsum("wf,hf->wh", scaled, a["hidden.weight"]) + a["hidden.bias"]
        odds = np.einsum("wh,h->w", np.maximum(hidden, 0), a["out.weight"][0]) + a["out.bias"][0]
        return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))), np.float32)


class TokenClassifier:
    """A trained classifier. Nothing in it changes after it was loaded, so threads may share it."""

    def __init__(self, manifest: TokenManifest, head: Head, states: TokenStates) -> None:
        self.manifest = manifest
        self.name = manifest.name
        self._head = head
        self._states = states

    @classmethod
    def load(cls, folder: Path) -> TokenClassifier:
        """The classifier in ``folder``, after every checksum was compared.

        Raises:
            ValueError: the folder is no token classifier, was changed, or belongs to another encoder.
            RuntimeError: the encoder's package is not installed.
        """
        manifest, content = read_checked(folder)
        if manifest.encoder[1] != weights_sha256() or manifest.features != FEATURES:
            raise ValueError(
                f"{folder} was trained on another version of the encoder {manifest.encoder[0]}: train it again with "
                "`letheward eco train-tokens`"
            )
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            head = Head(load(content))
        except (SafetensorError, ValueError, KeyError) as error:
            raise ValueError(f"{folder} cannot be used: {beginning(error)}; train it again") from error
        return cls(manifest, head, shared())

    @classmethod
    def named(cls, name: str, root: Path) -> TokenClassifier:
        """The classifier called ``name`` under ``root``; see ``load`` for what it raises."""
        return cls.load(folder_of(name, root))

    def spans(self, text: str) -> tuple[Span, ...]:
        """The chosen words as spans, sorted; words that only spaces part are one span. Blocking.

        Raises:
            RuntimeError: the encoder gave no number for a word.
        """
        words = self._states.read([text])[0]
        found = self._head.probabilities(words.features)
        if not np.isfinite(found).all():
            raise RuntimeError("the token classifier gave no number: train it again, or take it off the list")
        chosen = [p for p, own in zip(words.places, found, strict=True) if own >= self.manifest.threshold]
        return joined(text, chosen)


def joined(text: str, places: list[tuple[int, int]]) -> tuple[Span, ...]:
    """Places in order as spans; those that only spaces part, or nothing, are one."""
    spans: list[list[int]] = []
    for start, end in places:
        if spans and not text[spans[-1][1] : start].strip():
            spans[-1][1] = end
        else:
            spans.append([start, end])
    return tuple(Span(start, end) for start, end in spans)


def to_bytes(head: Head) -> bytes:
    """As it is saved."""
    from safetensors.numpy import save

    arrays: dict[str, Any] = {name: np.ascontiguousarray(value) for name, value in head.arrays.items()}
    return bytes(save(arrays))
