"""OFMU's gradients of gradients, on functions whose second derivatives are known."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import pytest

from benchmarks.methods.ofmu import Ofmu, growing, outer_gradient, phi_gradient, times_hessian
from benchmarks.methods.registry import method
from tests.benchmarks.methods.tiny import CORPUS, Ground

Function = Callable[[Any], Any]


def _forget(at: Any) -> Any:
    """Of a point in the plane: (3 x^2 + y^2) / 2."""
    return (3 * at[0] ** 2 + at[1] ** 2) / 2


def _retain(at: Any) -> Any:
    """x^2 / 2 + 2 y^2 + x y."""
    return at[0] ** 2 / 2 + 2 * at[1] ** 2 + at[0] * at[1]


def _point(*values: float) -> Any:
    import torch

    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def _gradient(of: Function, at: Any) -> Callable[[], Any]:
    import torch

    return lambda: list(torch.autograd.grad(of(at), [at]))


def test_a_product_with_the_hessian_is_the_one_on_paper_and_leaves_the_parameters() -> None:
    import torch

    at = _point(1.0, 2.0)
    gradient = _gradient(_retain, at)
    found = times_hessian(gradient, gradient(), [at], [torch.tensor([1.0, -1.0])], 1e-4)
    assert found[0].tolist() == pytest.approx([1 - 1, 1 - 4], abs=1e-6)  # the Hessian is (1, 1), (1, 4)
    assert at.tolist() == [1.0, 2.0]
    assert times_hessian(gradient, gradient(), [at], [torch.zeros(2)], 1e-4)[0].tolist() == [0.0, 0.0]


def test_phi_is_the_forget_loss_less_the_cosine_of_both_gradients() -> None:
    at = _point(1.0, 1.0)
    found = phi_gradient(_gradient(_forget, at), _gradient(_retain, at), [at], 0.5, 1e-6)

    def phi(x: float, y: float) -> float:
        f, r = (3 * x, y), (x + y, 4 * y + x)
        cos = (f[0] * r[0] + f[1] * r[1]) / sqrt((f[0] ** 2 + f[1] ** 2) * (r[0] ** 2 + r[1] ** 2))
        return (3 * x**2 + y**2) / 2 - 0.5 * cos

    wanted = [(phi(1 + 1e-6, 1) - phi(1 - 1e-6, 1)) / 2e-6, (phi(1, 1 + 1e-6) - phi(1, 1 - 1e-6)) / 2e-6]
    assert found[0].tolist() == pytest.approx(wanted, abs=1e-4)
    bare = phi_gradient(_gradient(_forget, at), _gradient(_retain, at), [at], 0.0, 1e-6)
    assert bare[0].tolist() == [3.0, 1.0]


def test_the_outer_step_falls_down_the_retain_loss_and_the_steepness_of_phi() -> None:
    at = _point(1.0, 1.0)
    forget, retain = _gradient(_forget, at), _gradient(_retain, at)
    found = outer_gradient(retain, forget, [at], 0.25, 1e-5)
    # r = (x + y, x + 4 y); ||grad L_f||^2 = 9 x^2 + y^2
    assert found[0].tolist() == pytest.approx([2 + 0.25 * 18, 5 + 0.25 * 2], abs=1e-6)
    assert outer_gradient(retain, forget, [at], 0.0, 1e-5)[0].tolist() == [2.0, 5.0]


def test_rho_grows_in_even_ratios() -> None:
    options = Ofmu(rho=1.0, rho_last=100.0)
    assert [growing(options, at, 3) for at in range(3)] == pytest.approx([1.0, 10.0, 100.0])
    assert growing(Ofmu(rho=0.0), 1, 3) == 0
    assert growing(options, 0, 1) == 1


def test_both_levels_have_rates_of_their_own(ground: Ground) -> None:
    before = ground.load(ground.target)
    given: dict[str, Any] = {"epochs": 3, "lr": 3e-3, "batch": 6, "rho": 0.0}
    kept = method("ofmu").run(ground.work("ofmu", **given, inner_rate=0.0))
    lost = method("ofmu").run(ground.work("ofmu", **given))
    assert ground.loss(kept, CORPUS.retain) < ground.loss(before, CORPUS.retain)
    assert ground.loss(lost, CORPUS.forget) > ground.loss(kept, CORPUS.forget)


def test_a_model_in_bfloat16_is_one_again_afterwards(ground: Ground) -> None:
    import torch

    work = ground.work("ofmu", epochs=1, batch=6, lr=1e-3)
    work.model.to(torch.bfloat16)
    found = method("ofmu").run(work)
    assert found.dtype == torch.bfloat16
    assert any((a != b.to(a.dtype)).any() for a, b in
               zip(found.parameters(), ground.load(ground.target).parameters(), strict=True))  # fmt: skip


def test_ofmu_needs_the_retain_set(ground: Ground) -> None:
    with pytest.raises(ValueError, match="retain_weight must not be 0"):
        method("ofmu").run(ground.work("ofmu", retain_weight=0.0))
