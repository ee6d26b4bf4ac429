"""Feed-forward blocks edited in closed form, in directions that other texts do not use.

After AlphaEdit (Fang et al., 2024, arXiv 2410.02355), which is MEMIT (Meng et al., 2022, arXiv 2210.07229) with its
change projected. A block's ``down_proj`` W answers a key k (its input at a token) with W k; it is to answer the keys
K (neurons, edits) with R (dim, edits) more, and all keys of a kept set as before:

    C = mean k k' over the kept set's tokens, U its eigenvectors with values under ``free`` times their mean
    Q = U U' K,  delta = R (Q' Q + ridge I)^-1 Q'

which is AlphaEdit's R K' P (K K' P + ridge I)^-1 for P = U U', as a system of as many equations as there are edits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.methods.batches import alone
from benchmarks.methods.method import Unlearning
from benchmarks.models.hooks import inputs, layers, outputs_changed
from benchmarks.models.packing import Chat
from benchmarks.models.predicted import predict

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Wanted:
    """A prompt with the token that is to follow (``chat.answer``), and at which token of it the model is edited."""

    chat: Chat
    place: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A chat whose tokens are to be answered as before, from the one numbered ``start`` on."""

    chat: Chat
    start: int = 0


@dataclass(frozen=True, slots=True)
class Seeking:
    """How the output is sought that makes a token follow.

    Attributes:
        steps: of Adam.
        rate: its learning rate, in root mean squares of the output, of which models differ a hundredfold.
        farthest: from where the output was, in its norm.
        decay: weight of the squared distance, in squares of that norm.
    """

    steps: int
    rate: float
    farthest: float
    decay: float


def free_directions(moment: torch.Tensor, free: float) -> torch.Tensor:
    """U of a second moment C, (neurons, directions), float64.

    Raises:
        ValueError: there is none.
    """
    import torch

    values, vectors = torch.linalg.eigh(moment.double())
    found: torch.Tensor = vectors[:, values < free * values.mean()]
    if not found.shape[1]:
        raise ValueError(f"the kept set uses every direction of a layer: raise 'free', which is {free}")
    return found


def change(keys: torch.Tensor, residual: torch.Tensor, directions: torch.Tensor, ridge: float) -> torch.Tensor:
    """Delta, (dim, neurons), for keys (neurons, edits) and residual (dim, edits); ``ridge`` in means of |Q|^2."""
    import torch

    own = directions.T @ keys.to(directions)  # (directions, edits)
    gram = own.T @ own
    gram = gram + torch.eye(len(gram)).to(gram) * (ridge * gram.diagonal().mean()).clamp_min(1e-12)
    found: torch.Tensor = torch.linalg.solve(gram, residual.to(directions).T).T @ (directions @ own).T
    return found


def moments(work: Unlearning, kept: Sequence[Kept], numbers: Sequence[int]) -> list[torch.Tensor]:
    """C of each layer in ``numbers``, (neurons, neurons), float32."""
    import torch

    total: list[torch.Tensor] = []
    tokens = 0
    for one in work.meter.over(kept, len(kept)):
        with torch.no_grad(), inputs([layers(work.model)[number].mlp.down_proj for number in numbers]) as found:
            _read(work, one.chat)
        every = [found[place][0, one.start :].float() for place in range(len(numbers))]  # of (tokens, neurons)
        tokens += len(every[0])
        squares = [keys.T @ keys for keys in every]
        total = [a.add_(b) for a, b in zip(total, squares, strict=True)] if total else squares
    return [one / tokens for one in total]


def sought(work: Unlearning, wanted: Wanted, layer: int, how: Seeking) -> torch.Tensor:
    """What the layer has to give at the place for the token to follow, (dim,), float32; parameters need no gradient."""
    import torch

    start = _given(work, wanted, layer)
    delta = torch.zeros_like(start, requires_grad=True)
    optimiser = torch.optim.Adam([delta], lr=how.rate * float(start.square().mean().sqrt()))
    mask = torch.zeros(len(wanted.chat.prompt), 1).to(start)
    mask[wanted.place] = 1

    def moved(out: torch.Tensor) -> torch.Tensor:
        return out + (mask * delta).to(out.dtype)

    for _ in range(how.steps):
        with outputs_changed(layers(work.model)[layer], moved):
            loss = _read(work, wanted.chat).nll
        (delta.grad,) = torch.autograd.grad(loss + how.decay * delta.square().sum() / start.square().sum(), [delta])
        optimiser.step()
        with torch.no_grad():
            delta.mul_((how.farthest * start.norm() / delta.norm().clamp_min(1e-12)).clamp_max(1))
    return (start + delta).detach()


def edit(
    work: Unlearning, wanted: Sequence[Wanted], kept: Sequence[Kept], numbers: Sequence[int], how: Seeking,
    free: float, ridge: float,
) -> None:  # fmt: skip
    """Change the layers ``numbers``, in their order, so that the wanted tokens follow. In place.

    What is sought of the last layer is spread over all: each makes up its part of what is still missing.
    """
    import torch

    numbers = sorted(numbers)
    work.model.eval().requires_grad_(False)
    directions = [free_directions(moment, free) for moment in moments(work, kept, numbers)]
    goals = [sought(work, one, numbers[-1], how) for one in work.meter.over(wanted, len(wanted))]
    for left, (number, own) in zip(range(len(numbers), 0, -1), zip(numbers, directions, strict=True), strict=True):
        block = layers(work.model)[number].mlp.down_proj
        keys, residual = [], []
        for one, goal in zip(wanted, goals, strict=True):
            with inputs([block]) as found:
                there = _given(work, one, numbers[-1])
            keys.append(found[0][0, one.place].detach())
            residual.append((goal - there) / left)
        with torch.no_grad():
            delta = change(torch.stack(keys, 1), torch.stack(residual, 1), own, ridge)
            block.weight.copy_((block.weight.double() + delta).to(block.weight.dtype))
    work.model.requires_grad_(True)


def _given(work: Unlearning, wanted: Wanted, layer: int) -> torch.Tensor:
    """What the layer gives at the place, (dim,), float32."""
    import torch

    seen: list[torch.Tensor] = []

    def keep(out: torch.Tensor) -> torch.Tensor:
        seen.append(out[0, wanted.place].float())
        return out

    with torch.no_grad(), outputs_changed(layers(work.model)[layer], keep):
        _read(work, wanted.chat)
    return seen[0]


def _read(work: Unlearning, chat: Chat) -> Any:
    return predict(work.model, alone(work, chat))
