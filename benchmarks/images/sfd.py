"""SFD, score forgetting distillation (Chen, Zhang and Zhou, 2024, arXiv 2409.11219), and SiD, what is left without it.

A generator of one step is distilled from the diffusion model, with no data; asked for the forgotten class it is led to
the score of another. f is the teacher's E[x | x_t, c], frozen; s the same of the generator's own samples, learnt beside
it; g the generator, x = g(e, c) = f_g(sqrt(1 - a) e, t_init, c). All three begin as the teacher. By turns, with x_t a
noised sample and t from ``first`` to ``last``:

    s:  mean |s(x_t, c) - x|^2                        c in retained classes, + forget_weight times the same for c_f
    g:  D(f(x_t, c), s(x_t, c), x)                    c in retained classes
        + forget_weight D(f(x_t, c_o), s(x_t, c_f), x)            x = g(e, c_f), c_o the class that takes its place
    D(f, s, x) = sum over points (f - s)((f - x) - alpha (f - s)) / omega,   omega = mean |f - x|, no gradient

Shapes: pictures (n, 64), t and c (n,). From the authors' code for DDPM: D, alpha 1.2, t_init 440, t from 38 to 712 of
1000, Adam with beta1 0, gradients clipped to 1 by value, forget_weight 0.01, c_o the class after c_f (1 for 0 in its
CIFAR-10 setting), or any other at random where ``substitute`` is "any".
Ours, for a perceptron that must end in seconds: steps 1000 (50,000), lr 3e-4 (1e-5; at 1e-3 all samples became one),
and the average of g's weights 0.99 (0.9999). And as f predicts pictures where the code's
nets predict noise, s learns by the error of the picture, which weighs times otherwise and has the same minimum.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.images.diffusion import TIMES, Diffusion, noised, share
from benchmarks.images.digits import CLASSES, POINTS
from benchmarks.images.loop import averaged, resumed
from benchmarks.images.method import Forgetting, Kind, Method, Options
from benchmarks.methods.method import Basis, Card, Intent

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Sfd(Options):
    """``substitute``: the class in the forgotten one's place, "next", "any" or a digit. ``average``: of g's weights.

    ``forget_weight`` 0 distils all classes and forgets none.
    """

    steps: int = 1000
    lr: float = 3e-4
    forget_weight: float = 0.01
    alpha: float = 1.2
    substitute: str | int = "next"
    start: int = 440
    first: int = 38
    last: int = 712
    average: float = 0.99


@dataclass(frozen=True, slots=True)
class Sid(Sfd):
    """The distillation alone: what it does to pictures, before anything is forgotten."""

    forget_weight: float = 0.0


@dataclass(frozen=True)
class OneStep:
    """The generator: ``model`` looks once at noise of the time ``start``."""

    model: Diffusion
    start: int

    def made(self, labels: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        """A picture for each label (n,), as (n, 64), with gradients."""
        import torch

        at = torch.full((len(labels),), self.start)
        noise = share(at)[1] * torch.randn(len(labels), POINTS, generator=chance)
        return self.model.clean(noise, at, labels)

    def sample(self, labels: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        """A picture for each label."""
        import torch

        with torch.no_grad():
            return self.made(labels, chance).clamp(-1, 1)

    def weights(self) -> Mapping[str, torch.Tensor]:
        """The network's."""
        return self.model.weights()


def apart(teacher: torch.Tensor, fake: torch.Tensor, made: torch.Tensor, alpha: float) -> torch.Tensor:
    """D of each picture; all (n, 64), the result (n,)."""
    omega = (teacher - made).detach().abs().mean(1, keepdim=True).clamp_min(1e-5)
    lead = teacher - fake
    return (lead * ((teacher - made) - alpha * lead) / omega).sum(1)


def replaced(options: Sfd, forget: int, count: int, chance: torch.Generator) -> torch.Tensor:
    """The class in the forgotten one's place, for each of ``count`` samples.

    Raises:
        ValueError: it is the forgotten class, or none.
    """
    import torch

    if options.substitute == "any":
        return (forget + torch.randint(1, CLASSES, (count,), generator=chance)) % CLASSES
    label = (forget + 1) % CLASSES if options.substitute == "next" else options.substitute
    if label == forget or label not in range(CLASSES):
        raise ValueError(f"substitute {label!r}: choose 'next', 'any' or a digit other than {forget}")
    return torch.full((count,), int(label))


def run(work: Forgetting) -> OneStep:
    """A generator of one step; the teacher stays as it is.

    Raises:
        ValueError: the substitute cannot be, or the times have no order.
    """
    import torch

    options: Sfd = work.options
    if not 0 <= options.first < options.last <= TIMES or not 0 <= options.start < TIMES:
        raise ValueError(f"times are 0 to {TIMES}: first must be under last, and start under {TIMES}")
    teacher = Diffusion(copy.deepcopy(work.model.net).requires_grad_(False))
    fake = Diffusion(copy.deepcopy(work.model.net))
    fast, slow = (OneStep(Diffusion(copy.deepcopy(work.model.net)), options.start) for _ in range(2))
    nets = {"fake": fake.net, "fast": fast.model.net}
    optimisers = {
        name: torch.optim.Adam(net.parameters(), lr=options.lr, betas=(0.0, 0.999)) for name, net in nets.items()
    }
    label = work.corpus.label
    kept = torch.tensor([one for one in range(CLASSES) if one != label or not options.forget_weight])

    def asked(chance: torch.Generator) -> list[tuple[torch.Tensor, torch.Tensor, float]]:
        """The classes that are asked for, those whose score is wanted, and the weight."""
        retained = kept[torch.randint(len(kept), (options.batch,), generator=chance)]
        if not options.forget_weight:
            return [(retained, retained, 1.0)]
        wanted = replaced(options, label, options.batch, chance)
        return [(retained, retained, 1.0), (torch.full_like(wanted, label), wanted, options.forget_weight)]

    def act(at: int, chance: torch.Generator) -> None:
        for name, loss_of in (("fake", follow), ("fast", lead)):
            net, optimiser = nets[name], optimisers[name]
            optimiser.zero_grad(set_to_none=True)
            for labels, wanted, weight in asked(chance):
                torch.autograd.backward(weight * loss_of(labels, wanted, chance))
            torch.nn.utils.clip_grad_value_(net.parameters(), 1.0)
            optimiser.step()
        averaged(slow.model.net, fast.model.net, options.average)

    def noisy(made: torch.Tensor, chance: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        work.meter.read(len(made))
        times = torch.randint(options.first, options.last, (len(made),), generator=chance)
        return noised(made, times, chance), times

    def follow(labels: torch.Tensor, _: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        with torch.no_grad():
            made = fast.made(labels, chance)
        return (fake.clean(*noisy(made, chance), labels) - made).square().mean()

    def lead(labels: torch.Tensor, wanted: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        made = fast.made(labels, chance)
        seen = noisy(made, chance)
        return apart(teacher.clean(*seen, wanted), fake.clean(*seen, labels), made, options.alpha).mean()

    parts = {"slow": slow.model.net, **nets, **{f"{name}_optimiser": one for name, one in optimisers.items()}}
    resumed(work, parts, options.steps, act)
    return slow


_TOUCHES = "a new generator of one step"
METHOD = Method(
    Card("SFD", "Chen et al., 2024, arXiv 2409.11219", "distillation", Intent.REMOVE, _TOUCHES, Basis.CODE, (26,)),
    Kind.DIFFUSION, Sfd, run,
)  # fmt: skip
DISTILLED = Method(
    Card("SiD, forgets nothing", "Zhou et al., 2024, arXiv 2404.04057", "distillation", Intent.REMOVE, _TOUCHES,
         Basis.CODE),
    Kind.DIFFUSION, Sid, run,
)  # fmt: skip
