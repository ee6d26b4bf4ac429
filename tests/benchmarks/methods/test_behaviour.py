"""A tiny model that knows people by heart forgets some: what each method does to both sets.

The bounds are of what the papers claim: the forget set is lost, and the retain set is kept by all but gradient ascent,
which may take the model apart, and SSU, which reads no retain set and trusts in there being many weights. Rates fit
40,000 weights; a real model's are a hundredth.
"""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.methods.registry import method
from tests.benchmarks.methods.tiny import CORPUS, UPDATING, Ground

SETTINGS: dict[str, dict[str, Any]] = {
    "retrain": {"epochs": 50, "lr": 1e-2, "batch": 8},
    "ga": {"epochs": 5},
    "grad_diff": {},
    "kl_min": {},
    "idk_nll": {"lr": 1e-2},
    "idk_dpo": {},
    "npo": {"retain_weight": 5.0},
    "simnpo": {"lr": 1e-2},
    "rmu": {"lr": 1e-2},
    "undial": {"retain_weight": 3.0},
    "wga": {"lr": 1e-2},
    "satimp": {"lr": 1e-2},
    "whp": {"retain_weight": 3.0},
    "task_vector": {"lr": 5e-3},
    "catnip": {"retain_weight": 5.0},
    "ceu": {"retain_weight": 5.0},
    "dipo": {"lr": 1e-2},
    "entropy": {"lr": 1e-2},
    "idk_ap": {"lr": 5e-3, "retain_weight": 3.0},
    "circuit_breakers": {"lr": 1e-2},
    "guard_attribution": {},
    "wagle": {"share": 0.5},
    "sure": {"lr": 5e-3, "quantile": 0.7, "retain_weight": 3.0},
    "corrective_ssd": {"known": 0.8},
    "klue": {"lr": 1e-2, "share": 0.2, "retain_weight": 3.0},
    "ofmu": {},
    "fit": {"retain_weight": 20.0},
    "unierase": {"lr": 0.05, "at": "last", "layers": (0, 1), "farthest": 2.0, "rate": 0.3},
    "llmu": {},
    "ssu": {"lr": 2e-2},
    "rmu_lat": {"lr": 1e-2},
    "elm": {"lr": 1e-2, "eta": 30.0},
    "harmonizing": {},
    "tar": {},
    "u2a": {"retain_weight": 5.0},
    "kuda": {"lr": 3e-2, "count": 2},
    "dmm": {"lr": 1e-2, "scale": 30.0},
    "laf": {"lr": 1e-3},
    "rule": {"epochs": 2, "rounds": 30, "rl_rate": 0.5, "group": 8, "asked": 6},
}
KNOWN, LOST, KEPT = 0.3, 0.9, 0.6  # nats a token


@pytest.mark.parametrize("name", UPDATING)
def test_the_forget_set_is_lost_and_the_retain_set_kept(ground: Ground, name: str) -> None:
    before = ground.load(ground.target)
    assert max(ground.loss(before, CORPUS.forget), ground.loss(before, CORPUS.retain)) < KNOWN
    usual = {} if "ssd" in name else {"epochs": 15, "lr": 3e-3, "batch": 4}
    given = usual | SETTINGS.get(name, {})
    after = method(name).run(ground.work(name, **given))
    assert ground.loss(after, CORPUS.forget) > LOST
    if name not in ("ga", "ssu"):
        assert ground.loss(after, CORPUS.retain) < KEPT
