"""Fine-tuned guard models as adapter folders: what is in one, how it was made, and whether it is still whole.

::

    <name>/adapter_config.json  adapter_model.safetensors  manifest.json

The first two are peft's, as vLLM's ``--lora-modules`` reads them. The manifest holds the SHA-256 of both, and of the
tokenizer that the base has: an adapter on another base would write nonsense, which the guard then throws away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from classifiers import prompt_manifest
from classifiers.calibrate import Rate
from classifiers.prompt_manifest import MANIFEST, each_folder

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
TOKENIZER = "tokenizer.json"
# Not the embedding layer: vLLM's own LoRA embedding counts its tokens wrongly where a batch holds prompt_embeds.
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
SERVED_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # what vLLM's --max-lora-rank takes
FORMAT = 1
ADAPTERS = "dragon"  # the folder that they are in, of the cache
GUARD_MODEL = "dragon-guard"  # what vLLM calls the one that it serves
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")
_AGAIN = "train it again with `letheward dragon train`, or copy the whole folder again"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an adapter is.

    Attributes:
        name: what it is called in settings and on the command line.
        base: the model that it was trained on, by its folder's name.
        tokenizer: SHA-256 of the base's ``tokenizer.json``.
        rank: of the update matrices.
        recipe: the options of the training run.
        n: pairs "train", "held" and those left out as "too long".
        losses: (step, mean loss of a reasoning token on held-out pairs).
        usable: by kind of question and by model ("base", "adapter") the share of reasoning that may be used.
        versions: of the libraries.
        seconds: that training took.
        files: SHA-256 of each file.
    """

    name: str
    base: str
    tokenizer: str
    rank: int
    recipe: Mapping[str, Any]
    n: Mapping[str, int]
    losses: tuple[tuple[int, float], ...]
    usable: Mapping[str, Mapping[str, Rate]]
    versions: Mapping[str, str]
    seconds: float
    files: Mapping[str, str]

    def save(self, folder: Path) -> None:
        """Write it into ``folder``."""
        content = {"format": FORMAT} | asdict(self)
        (folder / MANIFEST).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def check_name(name: str) -> str:
    """``name`` if an adapter can be called so.

    Raises:
        ValueError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for an adapter: letters, digits, '.', '-' and '_', 100 at most")
    return name


def read(folder: Path) -> Manifest:
    """The manifest of a whole adapter.

    Raises:
        ValueError: there is none, or a file is not as it was written.
    """
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise ValueError(f"its manifest is not of format {FORMAT}")
        content["losses"] = tuple((int(step), float(loss)) for step, loss in content["losses"])
        content["usable"] = {
            kind: {model: Rate(**rate) for model, rate in own.items()} for kind, own in content["usable"].items()
        }
        found = Manifest(**content)
        changed = [name for name, digest in found.files.items() if sha256(folder / name) != digest]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{folder} is no whole adapter ({error}): {_AGAIN}") from error
    if changed or set(found.files) != {CONFIG, WEIGHTS}:
        raise ValueError(f"{folder} was changed after it was written ({', '.join(changed)}): {_AGAIN}")
    return found


def installed(root: Path) -> dict[str, Manifest | ValueError]:
    """Every adapter in ``root`` by name; for one that is damaged, what is wrong."""
    return each_folder(root, read)


def vllm_arguments(folder: Path, name: str, base: Path | None) -> list[str]:
    """What vLLM is started with to serve the adapter beside its base as the model ``name``.

    Raises:
        ValueError: the adapter is damaged, or was trained on another base than ``base``.
    """
    manifest = read(folder)
    if base is not None and (base / TOKENIZER).is_file() and sha256(base / TOKENIZER) != manifest.tokenizer:
        raise ValueError(f"{folder} was trained on {manifest.base}, not on {base.name}: train one on the served model")
    rank = next(rank for rank in SERVED_RANKS if rank >= manifest.rank)
    # One slot more than there are adapters. vLLM 0.32 on a CPU takes the last slot for requests without an adapter
    # that are batched with one that has it (index -1): it must be an empty one, or everybody gets the guard model.
    return ["--enable-lora", "--lora-modules", f"{name}={folder}", "--max-lora-rank", str(rank), "--max-loras", "2",
            "--lora-target-modules", *TARGETS]  # fmt: skip


def sha256(file: Path) -> str:
    """Of a file's content, in hexadecimal digits."""
    return prompt_manifest.sha256(file.read_bytes())
