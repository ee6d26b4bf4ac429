"""Methods by name. Adding one: write its file and put a line here."""

from __future__ import annotations

from functools import cache
from typing import cast

from benchmarks.methods.method import Method
from benchmarks.named import named

METHODS: dict[str, str] = {
    "retrain": "benchmarks.methods.retrain:METHOD",
    "ga": "benchmarks.methods.ga:METHOD",
    "grad_diff": "benchmarks.methods.grad_diff:METHOD",
    "kl_min": "benchmarks.methods.kl_min:METHOD",
    "idk_nll": "benchmarks.methods.idk_nll:METHOD",
    "idk_dpo": "benchmarks.methods.idk_dpo:METHOD",
    "npo": "benchmarks.methods.npo:METHOD",
    "simnpo": "benchmarks.methods.simnpo:METHOD",
    "rmu": "benchmarks.methods.rmu:METHOD",
    "undial": "benchmarks.methods.undial:METHOD",
    "wga": "benchmarks.methods.wga:METHOD",
    "satimp": "benchmarks.methods.satimp:METHOD",
    "whp": "benchmarks.methods.whp:METHOD",
    "ssd": "benchmarks.methods.ssd:METHOD",
    "task_vector": "benchmarks.methods.task_vector:METHOD",
    "catnip": "benchmarks.methods.catnip:METHOD",
    "ceu": "benchmarks.methods.ceu:METHOD",
    "dipo": "benchmarks.methods.dipo:METHOD",
    "entropy": "benchmarks.methods.entropy:METHOD",
    "idk_ap": "benchmarks.methods.idk_ap:METHOD",
    "circuit_breakers": "benchmarks.methods.circuit_breakers:METHOD",
    "guard_attribution": "benchmarks.methods.guard_attribution:METHOD",
    "wagle": "benchmarks.methods.wagle:METHOD",
    "sure": "benchmarks.methods.sure:METHOD",
    "corrective_ssd": "benchmarks.methods.corrective_ssd:METHOD",
    "klue": "benchmarks.methods.klue:METHOD",
    "ofmu": "benchmarks.methods.ofmu:METHOD",
    "llmu": "benchmarks.methods.llmu:METHOD",
    "ssu": "benchmarks.methods.ssu:METHOD",
    "rmu_lat": "benchmarks.methods.rmu_lat:METHOD",
    "elm": "benchmarks.methods.elm:METHOD",
    "harmonizing": "benchmarks.methods.harmonizing:METHOD",
    "tar": "benchmarks.methods.tar:METHOD",
    "u2a": "benchmarks.methods.u2a:METHOD",
    "kuda": "benchmarks.methods.kuda:METHOD",
    "dmm": "benchmarks.methods.dmm:METHOD",
    "laf": "benchmarks.methods.laf:METHOD",
    "rule": "benchmarks.methods.rule:METHOD",
    "fit": "benchmarks.methods.fit:METHOD",
    "unierase": "benchmarks.methods.unierase:METHOD",
    "eco": "benchmarks.methods.guards:ECO",
    "dragon": "benchmarks.methods.guards:DRAGON",
    "icul": "benchmarks.methods.guards:ICUL",
    "refuse": "benchmarks.methods.guards:REFUSE",
    "template": "benchmarks.methods.guards:TEMPLATE",
    "prompt_only": "benchmarks.methods.guards:PROMPT",
}
"""Name -> "module:attribute"; loaded on first use."""


@cache
def method(name: str) -> Method:
    """The method called ``name``.

    Raises:
        ValueError: there is none.
    """
    return cast(Method, named(METHODS, name, "method"))
