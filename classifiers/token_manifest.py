"""The folder of a trained token classifier: what is in it, how it was made, and whether it is still whole.

::

    <name>/head.safetensors  manifest.json

The encoder is not in it: its weights are a package's, and their SHA-256 is in the manifest, because a head says
nothing about the states of another encoder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from classifiers.prompt_manifest import MANIFEST, check_name, digest, each_folder, sha256

HEAD = "head.safetensors"
FORMAT = 1
_TRAIN = "train it again with `letheward eco train-tokens`, or copy the whole folder again"


@dataclass(frozen=True, slots=True)
class Scores:
    """Words that were chosen, and those that should have been. Rates are 0 where there is nothing to count."""

    hits: int = 0
    chosen: int = 0
    wanted: int = 0

    @property
    def precision(self) -> float:
        """Share of the chosen words that should have been chosen."""
        return self.hits / self.chosen if self.chosen else 0.0

    @property
    def recall(self) -> float:
        """Share of the wanted words that were chosen."""
        return self.hits / self.wanted if self.wanted else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        return 2 * self.hits / (self.chosen + self.wanted) if self.chosen + self.wanted else 0.0

    def __add__(self, other: Scores) -> Scores:
        return Scores(self.hits + other.hits, self.chosen + other.chosen, self.wanted + other.wanted)

    def plain(self) -> dict[str, float]:
        """For JSON."""
        return asdict(self) | {"precision": self.precision, "recall": self.recall, "f1": self.f1}


@dataclass(frozen=True, slots=True)
class TokenManifest:
    """What a saved token classifier is.

    Attributes:
        name: what it is called in a list's settings.
        encoder: name of the encoder whose states it reads, and SHA-256 of its weights.
        features: number of a word's features; see ``classifiers.token_states``.
        threshold: from this probability on a word is chosen.
        held: figures on held-out sentences by their kind; made-up ones have names that were not trained on.
        n: sentences of each kind.
        entries: SHA-256 of the list that it was trained on.
        seed: of everything that was drawn.
        recipe: the options of the training run.
        files: SHA-256 of each file.
    """

    name: str
    encoder: tuple[str, str]
    features: int
    threshold: float
    held: Mapping[str, Scores]
    n: Mapping[str, int]
    entries: str
    seed: int
    recipe: Mapping[str, Any]
    files: Mapping[str, str]

    def to_json(self) -> str:
        """As it is saved."""
        content = {"format": FORMAT, "kind": "token classifier"} | asdict(self)
        return json.dumps(content | {"digest": digest(content)}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> TokenManifest:
        """As it was saved.

        Raises:
            ValueError: it is not what ``to_json`` wrote.
        """
        content = json.loads(text)
        if not isinstance(content, dict) or (content.get("format"), content.get("kind")) != (
            FORMAT,
            "token classifier",
        ):
            raise ValueError(f"is not a token classifier's manifest of format {FORMAT}")
        if content.pop("digest", None) != digest(content):
            raise ValueError("was changed after it was written")
        del content["format"], content["kind"]
        try:
            content["held"] = {kind: Scores(**scores) for kind, scores in content["held"].items()}
            found = cls(**content | {"encoder": tuple(content["encoder"])})
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"lacks something: {error}") from error
        if set(found.files) != {HEAD} or not 0 < found.threshold < 1:
            raise ValueError("does not describe a token classifier")
        return found


def read_manifest(folder: Path) -> TokenManifest:
    """The manifest of ``folder``.

    Raises:
        ValueError: there is none, or it is damaged.
    """
    try:
        return TokenManifest.from_json((folder / MANIFEST).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{folder} holds no token classifier ({MANIFEST} cannot be read): {_TRAIN}") from error
    except ValueError as error:
        raise ValueError(f"{folder / MANIFEST} {error}: {_TRAIN}") from error


def read_checked(folder: Path) -> tuple[TokenManifest, bytes]:
    """The manifest, and the bytes of the head that it was written for.

    Raises:
        ValueError: the folder is damaged.
    """
    manifest = read_manifest(folder)
    try:
        head = (folder / HEAD).read_bytes()
    except OSError as error:
        raise ValueError(f"{folder / HEAD} cannot be read: {_TRAIN}") from error
    if sha256(head) != manifest.files[HEAD]:
        raise ValueError(f"{folder / HEAD} is not the file that was saved (its SHA-256 differs): {_TRAIN}")
    return manifest, head


def write(folder: Path, manifest: TokenManifest, head: bytes) -> None:
    """Write both files into ``folder``; the manifest last, as what makes it a classifier."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in ((HEAD, head), (MANIFEST, manifest.to_json().encode())):
        part = folder / f"{name}.part"
        part.write_bytes(content)
        part.replace(folder / name)


def installed(root: Path) -> dict[str, TokenManifest | ValueError]:
    """Every token classifier under ``root`` by its folder's name; an error in the place of one that is damaged."""
    return each_folder(root, lambda folder: read_checked(folder)[0])


def folder_of(name: str, root: Path) -> Path:
    """Where the classifier called ``name`` is.

    Raises:
        ValueError: there is none.
    """
    folder = root / check_name(name)
    if not (folder / MANIFEST).is_file():
        known = ", ".join(sorted(f.parent.name for f in root.glob(f"*/{MANIFEST}"))) or "none"
        raise ValueError(
            f"there is no token classifier {name!r} in {root} (there: {known}): make it with "
            "`letheward eco train-tokens`"
        )
    return folder


def changed_ns(root: Path, name: str) -> int:
    """When the classifier called ``name`` was written, in nanoseconds.

    Raises:
        ValueError: there is none.
    """
    return (folder_of(name, root) / MANIFEST).stat().st_mtime_ns
