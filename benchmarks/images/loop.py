"""The loop that everything which learns here shares: steps by number and seed, resumable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from benchmarks.images.method import Forgetting
from benchmarks.methods.state import State
from benchmarks.models.meter import Meter

if TYPE_CHECKING:
    import torch

# A step's number and a generator that is its own -> nothing; it changes weights.
Act = Callable[[int, "torch.Generator"], None]
KEPT_EVERY = 50


def over(
    seed: int, steps: int, meter: Meter, act: Act, begun: int = 0, keep: Callable[[int], None] | None = None
) -> None:
    """Take the steps from ``begun`` on, each with chance of its own; ``keep`` after every fiftieth."""
    import torch

    for at in meter.over(range(begun, steps), steps, begun):
        act(at, torch.Generator().manual_seed(seed * 1_000_003 + at))
        if keep is not None and (at + 1) % KEPT_EVERY == 0:
            keep(at + 1)


def resumed(work: Forgetting, parts: Mapping[str, Any], steps: int, act: Act, name: str = "") -> None:
    """``over``, from where the run was broken off; ``parts`` are modules and optimisers, which ``act`` changes.

    ``name``: of a loop within a method, which then has a checkpoint beside the method's own.

    Raises:
        ValueError: the checkpoint is another run's.
    """
    from dataclasses import replace

    from benchmarks.methods.descent import beside

    state = State(replace(work, checkpoint=beside(work.checkpoint, name)) if name else work, parts, ())
    begun = state.resume()
    over(work.seed, steps, work.meter, act, begun, state.keep)


def tuned(work: Forgetting, net: Any, loss: Callable[[torch.Generator], torch.Tensor]) -> None:
    """Teach ``net`` in place by Adam down ``loss``, at the work's steps and rate, which falls; resumable."""
    import torch

    options = work.options
    optimiser = torch.optim.Adam(net.parameters(), lr=options.lr)

    def act(at: int, chance: torch.Generator) -> None:
        faded(optimiser, options.lr, at, options.steps)
        descend(optimiser, loss(chance))

    resumed(work, {"net": net, "optimiser": optimiser}, options.steps, act)


def onehot(labels: torch.Tensor) -> torch.Tensor:
    """Labels as (n, 10)."""
    import torch

    from benchmarks.images.digits import CLASSES

    return torch.nn.functional.one_hot(labels, CLASSES).float()


def layers(*widths: int, seed: int, last: Any = None) -> Any:
    """A perceptron with SiLU between layers and ``last`` after them; the seed gives its first weights."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        found: list[Any] = []
        for one, two in pairwise(widths):
            found += [torch.nn.Linear(one, two), torch.nn.SiLU()]
        return torch.nn.Sequential(*found[:-1], *([last] if last is not None else []))


def averaged(slow: Any, fast: Any, keep: float) -> None:
    """Let the weights of ``slow`` follow those of ``fast``."""
    import torch

    with torch.no_grad():
        for one, two in zip(slow.parameters(), fast.parameters(), strict=True):
            one.lerp_(two, 1 - keep)


def faded(optimiser: torch.optim.Optimizer, lr: float, at: int, steps: int) -> None:
    """Set the learning rate of a step: it falls to nothing in a straight line."""
    for group in optimiser.param_groups:
        group["lr"] = lr * (1 - at / steps)


def descend(optimiser: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    """One step down ``loss``."""
    import torch

    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    optimiser.step()
