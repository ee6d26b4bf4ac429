"""Encoders by name. Adding one: write the class and put a line here."""

from __future__ import annotations

from glob import glob
from importlib.util import find_spec

from classifiers.lazily import imported
from classifiers.types import Encoder

ENCODERS: dict[str, str] = {
    "minilm-int8": "classifiers.encoder:MiniLmInt8",
    "minilm": "classifiers.encoder:MiniLm",
    "use-multilingual": "classifiers.multilingual:UseMultilingual",
}
# Any other model of sentence-transformers: "st:" and its folder or hub name.
OWN = "st:"
# Devices of GPUs: NVIDIA's drivers, those of its boards, AMD's, and Windows' for Linux.
_DEVICES = ("/dev/nvidia*", "/dev/nvhost*", "/dev/kfd", "/dev/dxg")


def create_encoder(name: str, *, threads: int = 1) -> Encoder:
    """The encoder called ``name``; ``threads`` for one batch. "auto" takes torch where there is a GPU.

    Raises:
        ValueError: no such encoder.
        RuntimeError: its packages are not installed; the message names the extra.
    """
    if name == "auto":
        name = "minilm" if _gpu() else "minilm-int8"
    if name.startswith(OWN):
        from classifiers.encoder import SentenceTransformers

        return SentenceTransformers(name.removeprefix(OWN), name=name)
    if name not in ENCODERS:
        raise ValueError(f"unknown encoder {name!r}; there are auto, {', '.join(sorted(ENCODERS))} and {OWN}MODEL")
    encoder: Encoder = imported(ENCODERS[name])(threads=threads)
    return encoder


def _gpu() -> bool:
    """Whether torch sees a GPU and sentence-transformers can use it.

    Torch is imported only where it is installed, and there is a device that it may see: it takes 125 MiB and seconds.
    """
    if find_spec("torch") is None or find_spec("sentence_transformers") is None:
        return False
    if not any(map(glob, _DEVICES)):
        return False
    import torch

    return torch.cuda.is_available()
