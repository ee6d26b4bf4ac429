"""What a descent holds beside the model: precise weights and a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from benchmarks.models.pace import Pace


class Digested(Protocol):
    """What a run reads."""

    @property
    def digest(self) -> str:
        """Of its contents."""


class Resumable(Protocol):
    """What a run is told by, for a language model (``Unlearning``) and for an image generator."""

    @property
    def options(self) -> Any:
        """A dataclass."""

    @property
    def corpus(self) -> Digested:
        """What it reads."""

    @property
    def seed(self) -> int:
        """Of order and chance."""

    @property
    def checkpoint(self) -> Path | None:
        """Where its state is kept."""

    @property
    def meter(self) -> Any:
        """What counts ``tokens``."""


class Precise:
    """Float32 twins of parameters that are kept in less.

    A step of 1e-5 on a weight of 0.02 is lost in bfloat16; here it adds up with others until it shows.
    """

    def __init__(self, parameters: Sequence[Any]) -> None:
        """``own`` is what an optimiser changes: a parameter itself where it is float32 already."""
        import torch

        self._parameters = parameters
        self.own = [p if p.dtype == torch.float32 else p.detach().float() for p in parameters]

    def take_gradients(self) -> None:
        """Hand the parameters' gradients to their twins."""
        for parameter, twin in zip(self._parameters, self.own, strict=True):
            if twin is not parameter:
                twin.grad = None if parameter.grad is None else parameter.grad.float()

    def give_back(self) -> None:
        """Round the twins to what the model computes with."""
        import torch

        with torch.no_grad():
            for parameter, twin in zip(self._parameters, self.own, strict=True):
                if twin is not parameter:
                    parameter.copy_(twin)


class State:
    """What a run that is broken off goes on from."""

    def __init__(self, work: Resumable, parts: Mapping[str, Any], weights: Sequence[Any]) -> None:
        self._file: Path | None = work.checkpoint
        self._parts, self._weights, self._meter = parts, weights, work.meter
        self._pace = Pace()
        self._spec = repr((asdict(work.options), work.corpus.digest, work.seed, len(weights)))

    def resume(self) -> int:
        """Steps that are done already.

        Raises:
            ValueError: the checkpoint is another run's.
        """
        import torch

        if self._file is None or not self._file.is_file():
            return 0
        state = torch.load(self._file, weights_only=True, map_location="cpu")
        if state["spec"] != self._spec:
            raise ValueError(f"{self._file} is another run's: delete it to start anew")
        with torch.no_grad():
            for weight, value in zip(self._weights, state["weights"], strict=True):
                weight.copy_(value)
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        self._meter.tokens = state["tokens"]
        return int(state["step"])

    def keep(self, step: int) -> None:
        """Write the state after ``step`` steps, whole or not at all, if it is time to."""
        if self._file is None or not self._pace.due():
            return
        with self._pace.writing():
            self._write(self._file, step)

    def _write(self, file: Path, step: int) -> None:
        import torch

        file.parent.mkdir(parents=True, exist_ok=True)
        scratch = file.with_suffix(".part")
        parts = {name: part.state_dict() for name, part in self._parts.items()}
        weights = [weight.detach() for weight in self._weights]
        torch.save(
            {**parts, "weights": weights, "spec": self._spec, "step": step, "tokens": self._meter.tokens}, scratch
        )
        os.replace(scratch, file)
