"""What a fit has measured so far, on disk, so that one that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from classifiers import checked_file

log = structlog.get_logger("letheward.eco_fit")


@dataclass(frozen=True, slots=True)
class FitKey:
    """What the figures depend on: with another list, other entries or another way they are others."""

    of: tuple[str, str]  # list and model
    entries: Any  # JSON of what is asked
    way: Any  # JSON of how it is asked and searched

    def file(self, folder: Path) -> Path:
        """Where it is kept."""
        return folder / "-".join((*self.family, _digest(self.way)))

    @property
    def family(self) -> tuple[str, str]:
        """The same for other ways with the same entries."""
        return _digest(self.of), _digest(self.entries)


@dataclass(slots=True)
class FitState:
    """Scores of each question, by what was measured. Holds no texts. Without a ``file`` nothing is kept."""

    file: Path | None = None
    scores: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path | None, key: FitKey, *, restart: bool = False) -> FitState:
        """What is kept under ``key``; what can never be gone on with, since the entries changed, is deleted.

        Raises:
            OSError: the folder cannot be written.
        """
        if folder is None:
            return cls()
        folder.mkdir(parents=True, exist_ok=True)
        file = key.file(folder)
        of, entries = key.family
        for other in folder.glob(f"{of}-*"):
            if not other.name.startswith(f"{of}-{entries}-"):
                other.unlink(missing_ok=True)
        if restart:
            file.unlink(missing_ok=True)
        return cls(file, _read(file))

    def put(self, what: str, scores: Sequence[float]) -> None:
        """Keep a measurement.

        Raises:
            OSError: it could not be written; what was kept before is still there.
        """
        self.scores[what] = list(scores)
        if self.file is not None:
            checked_file.write(self.file, {"letheward": "eco-fit", "version": 1}, json.dumps(self.scores).encode())


def _read(file: Path) -> dict[str, list[float]]:
    try:
        header, body = checked_file.read(file)
        if header.get("version") != 1:
            return {}
        found: dict[str, list[float]] = json.loads(body)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.warning("eco_fit_state_unreadable", why=str(error))
        return {}
    return found


def _digest(value: Any) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=8).hexdigest()
