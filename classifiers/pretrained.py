"""A checkpoint as a network to fine-tune, and a fine-tuned network as the folder of a prompt classifier."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from classifiers.checkpoints import tensors
from classifiers.encoder import minilm_folder
from classifiers.prompt_classifier import WINDOW, Network, Tokens, beginning, default_device, libraries
from classifiers.prompt_manifest import CLASSES, CONFIG, MANIFEST, TOKENIZER, WEIGHTS, Layout, Manifest, sha256

BUNDLED = "all-MiniLM-L6-v2"
# A new head has two to four tensors. Where more are missing, the weights are another model's.
_MOST_NEW = 8
_HUB_NAME = re.compile(r"(?:[\w-][\w.-]*/)?[\w-][\w.-]*")
_PRIVATE = ("_name_or_path", "auto_map", "dtype", "torch_dtype", "architectures")


def load_base(base: str) -> tuple[Network, Layout]:
    """The checkpoint ``base`` with a new two-class head, drawn from torch's seed.

    Args:
        base: ``BUNDLED``, a folder with config.json, tokenizer.json and safetensors, or a hub name.

    Raises:
        RuntimeError: torch or transformers is not installed, or the checkpoint is no use.
    """
    torch, transformers = libraries()
    from tokenizers import Tokenizer

    source = str(minilm_folder() if base == BUNDLED else base)
    if not Path(source).is_dir() and not _HUB_NAME.fullmatch(source):
        raise RuntimeError(f"the base {base!r} is no folder: give one, or leave --base out for the bundled {BUNDLED}")
    labels = {"id2label": dict(enumerate(CLASSES)), "label2id": {c: i for i, c in enumerate(CLASSES)}}
    try:
        with _quiet(transformers):
            tokenizer = transformers.AutoTokenizer.from_pretrained(source, trust_remote_code=False)
            model, report = transformers.AutoModelForSequenceClassification.from_pretrained(
                source, num_labels=len(CLASSES), use_safetensors=True, trust_remote_code=False,
                output_loading_info=True, **labels,
            )  # fmt: skip
    except Exception as error:  # the hub's, transformers' and safetensors' own kinds; each means that there is no base
        raise RuntimeError(
            f"the base {base!r} cannot be loaded: {beginning(error)}. Give a folder with config.json, tokenizer.json "
            f"and model.safetensors, or leave --base out for the bundled {BUNDLED}"
        ) from error
    if len(report["missing_keys"]) > _MOST_NEW:
        raise RuntimeError(f"the weights of the base {base!r} are not those of its config.json: give another base")
    if not tokenizer.is_fast or None in (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id):
        raise RuntimeError(
            f"the base {base!r} has no fast tokenizer with tokens for beginning, end and padding: give an encoder such "
            "as BERT, RoBERTa, DeBERTa or MiniLM"
        )
    longest = getattr(model.config, "max_position_embeddings", None) or WINDOW + 4
    layout = Layout(
        tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id, max(2, min(WINDOW, longest - 4))
    )
    tokens = Tokens(Tokenizer.from_str(tokenizer.backend_tokenizer.to_str()), layout)
    return Network(model.float().to(default_device(torch)), tokens), layout


def save(folder: Path, network: Network, manifest: Manifest) -> Manifest:
    """Write ``network`` to the new ``folder``; the manifest with the files' checksums."""
    from safetensors.torch import save as to_bytes

    config = {k: v for k, v in json.loads(network.model.config.to_json_string(use_diff=False)).items()
              if k not in _PRIVATE}  # fmt: skip
    files = {
        CONFIG: json.dumps(config, indent=2, sort_keys=True).encode(),
        WEIGHTS: to_bytes(tensors(network.model)),
        TOKENIZER: network.tokens.to_json().encode(),
    }
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    written = replace(manifest, files={name: sha256(content) for name, content in files.items()})
    (folder / MANIFEST).write_text(written.to_json(), encoding="utf-8")
    return written


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """No report of the new head's weights and no bar of transformers' own."""
    logs = transformers.utils.logging
    level, bar = logs.get_verbosity(), logs.is_progress_bar_enabled()
    logs.set_verbosity_error()
    logs.disable_progress_bar()
    try:
        yield
    finally:
        logs.set_verbosity(level)
        if bar:
            logs.enable_progress_bar()
