"""Stages that are kept by a hash of all that they depend on, so that a run that was killed goes on where it was."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.comparison.spec import digest
from benchmarks.models.workers import first, together

VERSION = 1  # of what stages write: another one makes them anew


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its folder, what it depends on, and whether it is done."""

    kind: str
    folder: Path
    depends: Mapping[str, Any]

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return (self.folder / "done.json").is_file()

    @property
    def scratch(self) -> Path:
        """Where what is under way is kept, for another start to go on from."""
        return self.folder / "under-way"

    @property
    def key(self) -> str:
        """Names the stage in what depends on it."""
        return self.folder.name

    def told(self) -> dict[str, Any]:
        """What the stage left beside its files."""
        found: dict[str, Any] = json.loads((self.folder / "done.json").read_text(encoding="utf-8"))["told"]
        return found


class Stages:
    """The stages under one folder."""

    def __init__(self, root: Path, tell: Callable[[str], None] = lambda _: None) -> None:
        """``tell`` hears what is begun and what was there."""
        self.root = root
        self.tell = tell

    def stage(self, kind: str, depends: Mapping[str, Any]) -> Stage:
        """The stage of a kind with all that it depends on."""
        name = f"{kind}-{digest({'version': VERSION, **depends})}"
        return Stage(kind, self.root / name, depends)

    def stage_in(self, folder: Path) -> Stage:
        """The stage that is done in ``folder``."""
        depends = json.loads((folder / "done.json").read_text(encoding="utf-8"))["depends"]
        return Stage(folder.name.rpartition("-")[0], folder, depends)

    def once(self, stage: Stage, make: Callable[[Path], Mapping[str, Any]]) -> dict[str, Any]:
        """What ``make`` told, made now or before; it writes into the folder that it gets, whole or not at all."""
        together()
        if stage.done:
            self.tell(f"{stage.kind}: there already ({stage.key})")
            return stage.told()
        self.tell(f"{stage.kind}: {stage.key}")
        stage.scratch.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=stage.folder, prefix=".made-"))
        told = dict(make(scratch))
        if first():
            self._keep(stage, scratch, told)
        else:
            shutil.rmtree(scratch)
        together()
        return stage.told()

    def _keep(self, stage: Stage, scratch: Path, told: Mapping[str, Any]) -> None:
        for file in scratch.iterdir():
            goal = stage.folder / file.name
            shutil.rmtree(goal, ignore_errors=True)
            os.replace(file, goal)
        scratch.rmdir()
        part = stage.folder / "done.part"
        part.write_text(json.dumps({"depends": dict(stage.depends), "told": dict(told)}, indent=2, default=str) + "\n")
        os.replace(part, stage.folder / "done.json")
        for old in (stage.scratch, *stage.folder.glob(".made-*")):
            shutil.rmtree(old, ignore_errors=True)
