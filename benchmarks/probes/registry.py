"""Probes by name. Adding one: write its file and put a line here."""

from __future__ import annotations

from functools import cache
from typing import cast

from benchmarks.named import named
from benchmarks.probes.probe import Probe

PROBES: dict[str, str] = {
    "distance": "benchmarks.probes.distance:DISTANCE",
    "cka_target": "benchmarks.probes.cka:TARGET",
    "cka_retained": "benchmarks.probes.cka:RETAINED",
    "cka_retain": "benchmarks.probes.cka:KEPT",
    "recovery_linear": "benchmarks.probes.facts:LINEAR",
    "recovery_linear_near": "benchmarks.probes.facts:NEAR",
    "recovery_neighbours": "benchmarks.probes.facts:KNN",
    "recovery_neighbours_near": "benchmarks.probes.facts:KNN_NEAR",
    "recovery_facts": "benchmarks.probes.facts:FACTS",
    "recovery_facts_near": "benchmarks.probes.facts:FACTS_NEAR",
    "concept_vectors": "benchmarks.probes.concept_vectors:HELD",
    "concept_cosine": "benchmarks.probes.concept_vectors:COSINE",
    "concept_distance": "benchmarks.probes.concept_vectors:DISTANCE",
    "needle": "benchmarks.probes.concept_vectors:NEEDLE",
    "fade": "benchmarks.probes.fade:FADE",
    "fade_retain": "benchmarks.probes.fade:RETAIN",
    "uwc": "benchmarks.probes.uwc:UWC",
    "extraction_exact": "benchmarks.probes.extraction:EXACT",
    "extraction_paraphrased": "benchmarks.probes.extraction:PARAPHRASED",
    "extraction_similar": "benchmarks.probes.extraction:SIMILAR",
    "leak_bound": "benchmarks.probes.bounds:PROBABILITY",
    "leak_mean_bound": "benchmarks.probes.bounds:MEAN",
    "leak_spread_bound": "benchmarks.probes.bounds:SPREAD",
    "leak_deviation": "benchmarks.probes.bounds:DEVIATION",
    "entropy": "benchmarks.probes.entropy:FORGET",
    "entropy_retain": "benchmarks.probes.entropy:RETAIN",
    "traces": "benchmarks.probes.traces:TEXT",
    "traces_retain": "benchmarks.probes.traces:TEXT_RETAIN",
    "traces_logits": "benchmarks.probes.traces:LOGITS",
    "traces_logits_retain": "benchmarks.probes.traces:LOGITS_RETAIN",
    "faithun_accuracy": "benchmarks.probes.faithun:ACCURACY",
    "faithun_paraphrase": "benchmarks.probes.faithun:PARAPHRASE",
    "faithun_multi_hop": "benchmarks.probes.faithun:MULTI_HOP",
    "faithun_same_answer": "benchmarks.probes.faithun:SAME_ANSWER",
    "psg_gap": "benchmarks.attacks.surrogate:GAP",
}
"""Name -> "module:attribute"; loaded on first use. In the order of a report."""


@cache
def probe(name: str) -> Probe:
    """The probe called ``name``.

    Raises:
        ValueError: there is none.
    """
    return cast(Probe, named(PROBES, name, "probe"))
