"""One step of unlearning by a loss: the batch as the model and, where one is wanted, a frozen reference see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.models.packing import Packed
from benchmarks.models.predicted import Predicted, predict

if TYPE_CHECKING:
    import torch

# A step and the method's options -> what is to fall. Pure but for the model's forward passes, which the step makes.
Loss = Callable[["Step", Any], "torch.Tensor"]


@dataclass(frozen=True)
class View:
    """How one model sees the batch; each set is computed when it is first looked at.

    ``batch``: "forget", "retain", "refused" (the forget questions with an answer that declines) and a method's own.
    """

    model: Any
    batch: Mapping[str, Packed]
    hidden: bool = False
    on_read: Callable[[int], None] = lambda _: None

    def of(self, name: str) -> Predicted:
        """How the model sees the set called ``name``."""
        if name not in self.__dict__:
            self.__dict__[name] = self._see(name)
        found: Predicted = self.__dict__[name]
        return found

    @property
    def forget(self) -> Predicted:
        """The forget set's."""
        return self.of("forget")

    @property
    def retain(self) -> Predicted:
        """The retain set's."""
        return self.of("retain")

    @property
    def refused(self) -> Predicted:
        """The forget questions', declined."""
        return self.of("refused")

    def _see(self, name: str) -> Predicted:
        packed = self.batch[name]
        self.on_read(packed.ids.numel())
        return predict(self.model, packed, hidden=self.hidden)


class Frozen(View):
    """A model that does not learn."""

    def _see(self, name: str) -> Predicted:
        import torch

        with torch.no_grad():
            return super()._see(name)


@dataclass(frozen=True)
class Step(View):
    """The model's own view, with ``reference``, the target model's, where the method needs it, and the step's number.

    ``at``: steps done; ``steps``: of the whole run; ``chance``: a generator on the CPU for what a method draws.
    ``kept``: what the method made before the first step (``by_loss(prepare=...)``). ``places``, ``retain_places``: of
    the batch's pairs in the corpus, for what was kept of each.
    """

    reference: View | None = None
    at: int = 0
    steps: int = 1
    chance: torch.Generator | None = None
    kept: Any = None
    places: tuple[int, ...] = ()
    retain_places: tuple[int, ...] = ()

    def anew(self) -> View:
        """The batch seen once more, with a graph that no one has used."""
        return View(self.model, self.batch, self.hidden, self.on_read)

    @property
    def frozen(self) -> View:
        """The reference.

        Raises:
            RuntimeError: the method did not ask for one.
        """
        if self.reference is None:
            raise RuntimeError("this method was registered without a reference model")
        return self.reference
