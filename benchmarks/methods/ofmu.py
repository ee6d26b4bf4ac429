"""OFMU, bi-level unlearning (Asif and Mohammadi Amiri, 2025, arXiv 2509.22483).

    inner, T steps of ascent:   Phi = L_f - beta cos(grad L_f, grad L_r)
    outer, a step of descent:   L_r + rho ||grad Phi||^2,  rho growing

L_f and L_r are CE on a batch of the forget and of the retain set. The cosine keeps the two gradients apart while the
forget loss is raised; rho holds the outer step to where the inner one has come to rest. With H_f, H_r the Hessians and
f, r the gradients:

    grad Phi = f - beta (H_f (r / |f||r| - cos f / |f|^2) + H_r (f / |f||r| - cos r / |r|^2))
    grad ||grad Phi||^2 = 2 H_Phi grad Phi

Each Hessian-vector product is one finite difference along its vector, H v = |v| (g(theta + s v / |v|) - g(theta)) / s,
with s = ``shift`` ||theta||: bfloat16 would round such differences away, so the model computes in float32 here, and in
eval mode, for dropout would be another one at every look. An inner step takes four gradients of a
batch, an outer one nine.

Built from summaries, which print no constants. Ours: beta 0.1, T 1, rho from 1e-3 to 1e-2 in even ratios, shift 1e-3.
The paper's steps are plain; here each level has an AdamW of its own, as other methods have, so that rates mean what
they mean there, ``inner_rate`` being that of the ascent in those of the descent. Both losses' weights scale gradients:
gamma those of L_f, alpha those of L_r.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.methods.batches import RETAIN, Batch, Batches
from benchmarks.methods.gradients import cosine, gradient_of, inner
from benchmarks.methods.method import Basis, Card, Intent, Method, Training, Unlearning
from benchmarks.methods.state import State
from benchmarks.models.predicted import predict
from benchmarks.models.training import rate
from benchmarks.models.workers import Workers

if TYPE_CHECKING:
    import torch

    Tensors = list[torch.Tensor]
    Gradient = Callable[[], Tensors]  # of something at the parameters as they are


@dataclass(frozen=True, slots=True)
class Ofmu(Training):
    """Both levels.

    Attributes:
        beta: weight of the cosine.
        inner_steps: T, to one outer step.
        inner_rate: the ascent's learning rate, in those of the descent.
        rho: of the first step.
        rho_last: of the last.
        shift: how far a finite difference looks, in norms of the parameters.
    """

    beta: float = 0.1
    inner_steps: int = 1
    inner_rate: float = 1.0
    rho: float = 1e-3
    rho_last: float = 1e-2
    shift: float = 1e-3


def times_hessian(gradient: Gradient, at: Tensors, parameters: Sequence[Any], vector: Tensors, shift: float) -> Tensors:
    """H ``vector`` for the Hessian of what ``gradient`` is of, which is ``at`` where the parameters are.

    The parameters are bit for bit what they were afterwards.
    """
    import torch

    length = inner(vector, vector).sqrt()
    if length == 0:
        return [torch.zeros_like(v) for v in vector]
    far = shift * inner(parameters, parameters).sqrt() / length
    kept = [p.detach().clone() for p in parameters]
    with torch.no_grad():
        for parameter, v in zip(parameters, vector, strict=True):
            parameter += far * v
    there = gradient()
    with torch.no_grad():
        for parameter, value in zip(parameters, kept, strict=True):
            parameter.copy_(value)
    return [(b - a) / far for a, b in zip(at, there, strict=True)]


def phi_gradient(
    forget: Gradient, retain: Gradient, parameters: Sequence[Any], beta: float, shift: float
) -> Tensors:  # fmt: skip
    """The gradient of Phi at the parameters, in their shapes."""
    f = forget()
    if not beta:
        return f
    r = retain()
    found = f
    for one, other, gradient in ((f, r, forget), (r, f, retain)):
        turned = times_hessian(gradient, one, parameters, _turning(one, other), shift)
        found = [a - beta * b for a, b in zip(found, turned, strict=True)]
    return found


def outer_gradient(retain: Gradient, phi: Gradient, parameters: Sequence[Any], rho: float, shift: float) -> Tensors:
    """The gradient of L_r + rho ||grad Phi||^2 at the parameters, in their shapes."""
    found = retain()
    if not rho:
        return found
    steep = phi()
    curved = times_hessian(phi, steep, parameters, steep, shift)
    return [a + 2 * rho * b for a, b in zip(found, curved, strict=True)]


def _turning(one: Tensors, other: Tensors) -> Tensors:
    """The gradient of cos(one, other) to ``one``."""
    square = inner(one, one).clamp_min(1e-30)
    lengths = (square * inner(other, other)).sqrt().clamp_min(1e-30)
    cos = cosine(one, other)
    return [b / lengths - cos * a / square for a, b in zip(one, other, strict=True)]


def growing(options: Ofmu, at: int, steps: int) -> float:
    """The weight rho of a step."""
    if not options.rho:
        return 0.0
    return float(options.rho * (options.rho_last / options.rho) ** (at / max(1, steps - 1)))


def run(work: Unlearning) -> Any:
    """The target model, in place.

    Raises:
        ValueError: the retain set is empty or left out, or the checkpoint is another run's.
    """
    import torch

    options: Ofmu = work.options
    if not options.retain_weight:
        raise ValueError("ofmu holds the forget set against the retain set: retain_weight must not be 0")
    kind = work.model.dtype
    model = work.model.float().eval().requires_grad_(True)
    batches, parameters, workers = Batches(work, RETAIN), list(model.parameters()), Workers()
    steps = len(batches) * options.epochs
    ascent, descent = (
        torch.optim.AdamW(parameters, lr=options.lr * ratio, weight_decay=options.weight_decay)
        for ratio in (options.inner_rate, 1.0)
    )
    state = State(work, {"ascent": ascent, "descent": descent}, parameters)
    begun = state.resume()
    for at in work.meter.over(range(begun, steps), steps, begun):
        batch = batches.at(at, workers.rank, workers.count)
        forget, retain = (
            partial(_gradient, work, workers, parameters, batch, name, weight)
            for name, weight in (("forget", options.forget_weight), ("retain", options.retain_weight))
        )
        phi = partial(phi_gradient, forget, retain, parameters, options.beta, options.shift)
        share = rate(at, steps, options.warmup)
        for _ in range(options.inner_steps):
            _step(ascent, parameters, [-g for g in phi()], options.clip, options.lr * options.inner_rate * share)
        rho = growing(options, at, steps)
        found = outer_gradient(retain, phi, parameters, rho, options.shift)
        _step(descent, parameters, found, options.clip, options.lr * share)
        if (at + 1) % len(batches) == 0 and workers.rank == 0:
            state.keep(at + 1)
    return model.to(kind)


def _gradient(
    work: Unlearning, workers: Workers, parameters: Sequence[Any], batch: Batch, name: str, weight: float
) -> Tensors:  # fmt: skip
    """Of CE on one set of the batch, of all processes."""
    packed = batch.sets[name]
    work.meter.read(packed.ids.numel())
    found = gradient_of(predict(work.model, packed).nll * (batch.share * weight), parameters)
    workers.summed(found)
    return found


def _step(optimiser: Any, parameters: Sequence[Any], gradient: Tensors, clip: float, lr: float) -> None:
    import torch

    for parameter, own in zip(parameters, gradient, strict=True):
        parameter.grad = own
    torch.nn.utils.clip_grad_norm_(parameters, clip)
    for group in optimiser.param_groups:
        group["lr"] = lr
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)


METHOD = Method(
    Card("OFMU", "Asif and Mohammadi Amiri, 2025, arXiv 2509.22483", "divergence", Intent.REMOVE, "all weights",
         Basis.SUMMARY, (34,)), Ofmu, run, copies=27,
)  # fmt: skip
