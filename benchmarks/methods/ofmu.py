"""OFMU, bi-level unlearning with a penalty (arXiv 2509.22483).

    inner, T steps of ascent: Phi = L_f - b cos(grad L_f, grad L_r)
    outer, a step of descent: L_r + rho_k ||grad Phi||^2, rho_k = rho (1 + g)^k

L_f and L_r are CE on the forget and the retain set. Ascent on Phi unlearns along directions that hurt the retain set
least; the penalty, which grows by the round, holds the outer step where the inner problem stays solved. Hessian-vector
products are one finite difference along the vector: H v ~ (grad L(theta + e v / ||v||) - grad L(theta)) ||v|| / e.
Plain steps along gradients of length 1 at most, with rates of their own. There is no published schedule: T 2, b 1, rho
0.01, g 0.1, the inner rate a fifth of ``lr`` are ours, and so is leaving the penalty's dependence on cos to first
order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.methods.batches import RETAIN, Batches
from benchmarks.methods.gradients import gradient_of, inner
from benchmarks.methods.method import Basis, Card, Intent, Method, Training, Unlearning
from benchmarks.methods.state import Precise, State
from benchmarks.methods.step import Step
from benchmarks.models.training import rate

if TYPE_CHECKING:
    import torch

Slopes = list["torch.Tensor"]
_NEAR = 1e-3  # e, the length of a finite difference


@dataclass(frozen=True, slots=True)
class Ofmu(Training):
    """The two levels; all weights change, by plain steps.

    Attributes:
        lr: of the outer level.
        inner_lr: of the inner level, in those of the outer.
        inner_steps: T, between two outer steps.
        alike: b.
        penalty: rho.
        growth: g.
    """

    lr: float = 1e-2
    inner_lr: float = 0.2
    inner_steps: int = 2
    alike: float = 1.0
    penalty: float = 0.01
    growth: float = 0.1


def phi_slope(forget: Slopes, retain: Slopes, forget_product: Slopes, retain_product: Slopes, alike: float) -> Slopes:
    """Grad Phi: grad L_f less b times the gradient of the cosine, from H_f u and H_r v (``directions``)."""
    return [f - alike * (hu + hv) for f, hu, hv in zip(forget, forget_product, retain_product, strict=True)]


def directions(forget: Slopes, retain: Slopes) -> tuple[Slopes, Slopes]:
    """U and v, the derivatives of cos(g_f, g_r) by g_f and by g_r."""
    ff, rr, fr = inner(forget, forget).sqrt(), inner(retain, retain).sqrt(), inner(forget, retain)
    ff, rr = ff.clamp_min(1e-12), rr.clamp_min(1e-12)
    cosine = fr / (ff * rr)
    u = [r / (ff * rr) - cosine * f / ff**2 for f, r in zip(forget, retain, strict=True)]
    v = [f / (ff * rr) - cosine * r / rr**2 for f, r in zip(forget, retain, strict=True)]
    return u, v


def product(slope: Callable[[], Slopes], parameters: Sequence[Any], at: Slopes, vector: Slopes) -> Slopes:
    """H ``vector`` by a finite difference: ``slope`` is taken a little way along it, less ``at``, its value here."""
    import torch

    length = inner(vector, vector).sqrt().clamp_min(1e-12)
    kept = [parameter.detach().clone() for parameter in parameters]
    with torch.no_grad():
        for parameter, v in zip(parameters, vector, strict=True):
            parameter += (_NEAR / length * v).to(parameter.dtype)
    there = slope()
    with torch.no_grad():
        for parameter, own in zip(parameters, kept, strict=True):
            parameter.copy_(own)
    return [(b - a) * length / _NEAR for a, b in zip(at, there, strict=True)]


class _Round:
    """The gradients of one batch."""

    def __init__(self, step: Step, options: Ofmu, parameters: Sequence[Any]) -> None:
        self._step, self._options, self._parameters = step, options, parameters

    def forget(self) -> Slopes:
        return gradient_of(self._step.anew().forget.nll, self._parameters)

    def retain(self) -> Slopes:
        return gradient_of(self._step.anew().retain.nll, self._parameters)

    def phi(self) -> Slopes:
        forget, retain = self.forget(), self.retain()
        u, v = directions(forget, retain)
        return phi_slope(
            forget, retain, product(self.forget, self._parameters, forget, u),
            product(self.retain, self._parameters, retain, v), self._options.alike,
        )  # fmt: skip

    def outer(self, penalty: float) -> Slopes:
        """Grad (L_r + rho ||grad Phi||^2), the latter 2 rho H_Phi grad Phi."""
        slope = self.phi()
        curved = product(self.forget, self._parameters, self.forget(), slope)
        return [r + 2 * penalty * c for r, c in zip(self.retain(), curved, strict=True)]


def run(work: Unlearning) -> Any:
    """The target model, in place.

    Raises:
        ValueError: a set is empty, or the checkpoint is another run's.
    """
    options: Ofmu = work.options
    batches, model = Batches(work, RETAIN), work.model.eval().requires_grad_(True)
    parameters = list(model.parameters())
    precise = Precise(parameters)
    steps = len(batches) * options.epochs
    state = State(work, {}, precise.own)
    begun = state.resume()
    precise.give_back()
    for at in work.meter.over(range(begun, steps), steps, begun):
        batch = batches.at(at)
        here = _Round(Step(model, batch.sets, False, work.meter.read), options, parameters)
        speed = options.lr * rate(at, steps, options.warmup)
        for _ in range(options.inner_steps):
            _move(precise, here.phi(), options.forget_weight * options.inner_lr * speed)
        penalty = options.penalty * (1 + options.growth) ** at
        _move(precise, here.outer(penalty), -options.retain_weight * speed)
        if (at + 1) % len(batches) == 0:
            state.keep(at + 1)
    return model


def _move(precise: Precise, slopes: Slopes, far: float) -> None:
    """Go ``far`` along ``slopes``, shortened to length 1 where they are longer."""
    import torch

    short = inner(slopes, slopes).sqrt().clamp_min(1)
    with torch.no_grad():
        for own, slope in zip(precise.own, slopes, strict=True):
            own += far * slope / short
    precise.give_back()


METHOD = Method(
    Card("OFMU", "arXiv 2509.22483", "divergence", Intent.REMOVE, "all weights", Basis.SUMMARY, (34,)), Ofmu, run
)
