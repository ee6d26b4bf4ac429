"""The state of a training run after each epoch, so that a run that was killed goes on from there.

::

    <name>.partial/run            which run this is
                   epoch-<n>/     weights, optimizer and where the run was after epoch n; only the last is kept
                   best-<n>.safetensors

A folder gets its name when everything is in it, so that whatever a kill leaves is whole or not there.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Key = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class State:
    """Epochs that are done, and the best of them with what it is compared by (the least is best)."""

    epoch: int = 0
    best: int = 0
    key: Key = ()


class Checkpoints:
    """The states of one run, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._state = State()

    def begin(self, run: str, *, resume: bool) -> None:
        """Make the folder, or take up what is in it.

        Args:
            run: the same for the same run only.
            resume: false to throw away what is there.

        Raises:
            ValueError: what is there is of another run.
        """
        mark = self.folder / "run"
        if not resume:
            self.remove()
        elif mark.exists() and mark.read_text() != run:
            raise ValueError(
                f"{self.folder} is an unfinished training on other texts or with other options: give the same again, "
                f"or --fresh to begin anew"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(run)

    def restore(self, model: Any, optimizer: Any) -> State:
        """Load the last epoch into ``model`` and ``optimizer``; with none they stay as they are.

        Raises:
            ValueError: the files are damaged.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        folders = list(self.folder.glob("epoch-*[0-9]"))
        if folders:
            last = max(folders, key=lambda f: int(f.name.partition("-")[2]))
            try:
                content = json.loads((last / "state.json").read_text())
                self._state = State(content["epoch"], content["best"], tuple(content["key"]))
                model.load_state_dict(load_file(last / "model.safetensors"))
                _load_optimizer(optimizer, load_file(last / "optimizer.safetensors"))
            except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
                raise ValueError(f"{last} is damaged ({error}): begin anew with --fresh") from error
        return self._state

    def save(self, epoch: int, key: Key, model: Any, optimizer: Any) -> None:
        """Keep the state after ``epoch`` epochs, and its weights apart where ``key`` is the least so far."""
        from safetensors.torch import save_file

        weights = tensors(model)
        state = State(epoch, epoch, key)
        if self._state.best and self._state.key <= key:
            state = State(epoch, self._state.best, self._state.key)
        else:
            save_file(weights, self._best_file(epoch))
        unfinished = self.folder / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        save_file(weights, unfinished / "model.safetensors")
        save_file(_of_optimizer(optimizer), unfinished / "optimizer.safetensors")
        content = {"epoch": state.epoch, "best": state.best, "key": state.key}
        (unfinished / "state.json").write_text(json.dumps(content))
        unfinished.rename(self.folder / f"epoch-{epoch}")
        self._state = state
        self._tidy()

    def load_best(self, model: Any) -> int:
        """Load the best epoch into ``model``; which it is."""
        from safetensors.torch import load_file

        model.load_state_dict(load_file(self._best_file(self._state.best)))
        return self._state.best

    def remove(self) -> None:
        """Remove everything."""
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _tidy(self) -> None:
        for folder in self.folder.glob("epoch-*"):
            if folder.name != f"epoch-{self._state.epoch}":
                shutil.rmtree(folder)
        for file in self.folder.glob("best-*"):
            if file != self._best_file(self._state.best):
                file.unlink()

    def _best_file(self, epoch: int) -> Path:
        return self.folder / f"best-{epoch}.safetensors"


def tensors(model: Any) -> dict[str, Any]:
    """The weights of ``model`` as safetensors takes them."""
    return {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}


def _of_optimizer(optimizer: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for index, own in optimizer.state_dict()["state"].items():
        found |= {f"{index}.{name}": value.detach().cpu().contiguous() for name, value in own.items()}
    return found


def _load_optimizer(optimizer: Any, saved: dict[str, Any]) -> None:
    state: dict[int, dict[str, Any]] = {}
    for key, value in saved.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
