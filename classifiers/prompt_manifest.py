"""The folder of a trained prompt classifier: what is in it, how it was made, and whether it is still whole.

::

    <name>/config.json  model.safetensors  tokenizer.json  manifest.json

The manifest holds the SHA-256 of the other three and of itself. A folder that does not match is refused, since a
classifier that half works would let through what it was trained to see. Nothing in it is a pickle.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from classifiers.calibrate import Rate

T = TypeVar("T")
CONFIG, WEIGHTS, TOKENIZER, MANIFEST = "config.json", "model.safetensors", "tokenizer.json", "manifest.json"
FILES = (CONFIG, WEIGHTS, TOKENIZER)
CLASSES = ("keep", "forget")
FORMAT = 1
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")
_TRAIN = "train it again with `letheward detector train`, or copy the whole folder again"


@dataclass(frozen=True, slots=True)
class Layout:
    """How tokens become what the model reads: ``begin tokens end``, padded; no more than ``window`` tokens at once."""

    begin: int
    end: int
    pad: int
    window: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a saved classifier is.

    Attributes:
        name: what it is called in settings and on the command line.
        base: the checkpoint that was fine-tuned.
        classes: what the outputs mean; the second is "about the forget set".
        threshold: recommended, by conformal calibration on held-out texts to keep.
        target: the false-positive rate that ``threshold`` was chosen for.
        bounded: false where the held-out texts cannot promise ``target``: too few, or flagged by a sure network.
        recall: held-out rewordings of the list's texts that are flagged at ``threshold``.
        false_positives: held-out texts to keep and ordinary prompts that had no part in choosing ``threshold``.
        by_kind: the same for each kind of held-out text; here those that chose the threshold are counted too.
        n: texts of each kind, "train ..." and "held ...".
        recipe: the options of the training run.
        layout: of a window of tokens.
        files: SHA-256 of each file.
    """

    name: str
    base: str
    classes: tuple[str, ...]
    threshold: float
    target: float
    bounded: bool
    recall: Rate
    false_positives: Rate
    by_kind: Mapping[str, Rate]
    n: Mapping[str, int]
    seed: int
    recipe: Mapping[str, Any]
    layout: Layout
    files: Mapping[str, str]

    def to_json(self) -> str:
        """As it is saved."""
        content = {"format": FORMAT} | asdict(self)
        return json.dumps(content | {"digest": digest(content)}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """As it was saved.

        Raises:
            ValueError: it is not what ``to_json`` wrote.
        """
        content = json.loads(text)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"is not a manifest of format {FORMAT}")
        if content.pop("digest", None) != digest(content):
            raise ValueError("was changed after it was written")
        del content["format"]
        try:
            content |= {key: Rate(**content[key]) for key in ("recall", "false_positives")}
            content["by_kind"] = {kind: Rate(**rate) for kind, rate in content["by_kind"].items()}
            content["layout"] = Layout(**content["layout"])
            found = cls(**content | {"classes": tuple(content["classes"])})
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"lacks something: {error}") from error
        if found.classes != CLASSES or set(found.files) != set(FILES) or not 0 <= found.threshold <= 1:
            raise ValueError("does not describe a prompt classifier")
        return found


def check_name(name: str) -> str:
    """``name``, where it can be a folder's name.

    Raises:
        ValueError: it cannot.
    """
    if not _NAME.fullmatch(name) or name.endswith(".partial"):
        raise ValueError(f"{name!r} cannot name a classifier: use letters, digits, '.', '_' and '-', 100 at most")
    return name


def read_manifest(folder: Path) -> Manifest:
    """The manifest of ``folder``.

    Raises:
        ValueError: there is none, or it is damaged.
    """
    try:
        return Manifest.from_json((folder / MANIFEST).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{folder} holds no trained classifier ({MANIFEST} cannot be read): {_TRAIN}") from error
    except ValueError as error:
        raise ValueError(f"{folder / MANIFEST} {error}: {_TRAIN}") from error


def read_checked(folder: Path) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest and the bytes of every file, which are those that the manifest was written for.

    Raises:
        ValueError: a file is missing or differs.
    """
    manifest = read_manifest(folder)
    found: dict[str, bytes] = {}
    for file, expected in manifest.files.items():
        try:
            found[file] = (folder / file).read_bytes()
        except OSError as error:
            raise ValueError(f"{folder / file} cannot be read: {_TRAIN}") from error
        if sha256(found[file]) != expected:
            raise ValueError(f"{folder / file} is not the file that was saved (its SHA-256 differs): {_TRAIN}")
    return manifest, found


def installed(root: Path) -> dict[str, Manifest | ValueError]:
    """Every classifier under ``root`` by its folder's name; an error in the place of one that is damaged."""
    return each_folder(root, lambda folder: read_checked(folder)[0])


def each_folder(root: Path, read: Callable[[Path], T]) -> dict[str, T | ValueError]:
    """What ``read`` makes of each folder under ``root`` that has a manifest, or the error that it raises."""
    found: dict[str, T | ValueError] = {}
    for folder in sorted(f for f in root.iterdir() if (f / MANIFEST).exists()) if root.is_dir() else ():
        try:
            found[folder.name] = read(folder)
        except ValueError as error:
            found[folder.name] = error
    return found


def sha256(content: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of JSON's values, in whatever order their keys stand."""
    return sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode())
