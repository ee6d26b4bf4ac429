"""Rows of a data set, from a folder of its files or from the hub by name."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SUFFIXES = (".json", ".jsonl", ".csv")


@dataclass(frozen=True, slots=True)
class Where:
    """One table of a data set.

    Attributes:
        files: names that it goes by in a folder, without ".json", ".jsonl" or ".csv"; the first that is there counts.
        config: on the hub.
        split: on the hub.
        hub: another data set there than the source.
    """

    files: Sequence[str]
    config: str
    split: str = "train"
    hub: str | None = None


def rows(source: str, where: Where) -> list[Any]:
    """The table's rows: dictionaries, texts, or lists of a CSV's cells.

    Raises:
        FileNotFoundError: it is not there; the message says which file is missing and what to do.
    """
    folder = Path(source)
    if folder.is_dir():
        return _of_folder(folder, where)
    if folder.is_absolute() or source.startswith("."):
        raise FileNotFoundError(f"there is no folder {source}")
    return _of_hub(where.hub or source, where)


def there(source: str, where: Where) -> bool:
    """Whether a folder has the table; of the hub nobody knows before asking, so True."""
    folder = Path(source)
    return not folder.is_dir() or _find(folder, where) is not None


def _find(folder: Path, where: Where) -> Path | None:
    tried = (folder / f"{name}{suffix}" for name in where.files for suffix in _SUFFIXES)
    return next((file for file in tried if file.is_file()), None)


def _of_folder(folder: Path, where: Where) -> list[Any]:
    file = _find(folder, where)
    if file is None:
        wanted = " or ".join(f"{name}.json" for name in where.files)
        stored = list(folder.rglob("*.parquet"))
        tables = " Parquet files lie there: write them as JSON lines first." if stored else ""
        raise FileNotFoundError(
            f"{folder} has no {wanted} (.jsonl and .csv do as well): put it there, or give the data set's name on the "
            f"hub in place of the folder.{tables}"
        )
    if file.suffix == ".csv":
        with file.open(encoding="utf-8", newline="") as lines:
            return list(csv.reader(lines))
    text = file.read_text(encoding="utf-8")
    if text.lstrip().startswith("["):
        found: list[Any] = json.loads(text)
        return found
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def _of_hub(name: str, where: Where) -> list[Any]:
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise FileNotFoundError(
            f"{name} is no folder. Give a folder with its files ({', '.join(where.files)}), or, to load it from the "
            "hub: pip install datasets"
        ) from error
    return [dict(row) for row in load_dataset(name, where.config)[where.split]]


def text_of(row: Any) -> str:
    """The text of a row that is one, or has one."""
    return row if isinstance(row, str) else str(row["text"])
