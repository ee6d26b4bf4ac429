"""Metrics by name. Adding one: write its file and put a line here."""

from __future__ import annotations

from functools import cache
from typing import cast

from benchmarks.metrics.metric import Metric
from benchmarks.named import named

METRICS: dict[str, str] = {
    "forget_rouge": "benchmarks.metrics.rouge:FORGET",
    "paraphrase_rouge": "benchmarks.metrics.rouge:PARAPHRASED",
    "aliases_rouge": "benchmarks.metrics.rouge:ALIASES",
    "multi_hop_rouge": "benchmarks.metrics.rouge:MULTI_HOP",
    "adversarial_rouge": "benchmarks.metrics.rouge:ADVERSARIAL",
    "forget_probability": "benchmarks.metrics.probability:FORGET",
    "forget_truth_ratio": "benchmarks.metrics.truth_ratio:FORGET",
    "forget_quality": "benchmarks.metrics.truth_ratio:QUALITY",
    "extraction_strength": "benchmarks.metrics.memorisation:EXTRACTION",
    "exact_memorisation": "benchmarks.metrics.memorisation:EXACT",
    "forget_coverage": "benchmarks.metrics.coverage:FORGET",
    "forget_choice": "benchmarks.metrics.choice:FORGET",
    "forget_choice_normalised": "benchmarks.metrics.choice:FORGET_NORMALISED",
    "verbatim_memorisation": "benchmarks.metrics.muse:VERBATIM",
    "forget_knowledge": "benchmarks.metrics.muse:FORGET_KNOWLEDGE",
    "forget_declined": "benchmarks.metrics.refusal:FORGET",
    "forget_refusal_quality": "benchmarks.metrics.refusal_quality:FORGET",
    "deviation_score": "benchmarks.metrics.deviation:DEVIATION",
    "forget_degree": "benchmarks.metrics.fit:FORGET",
    "retain_rouge": "benchmarks.metrics.rouge:RETAIN",
    "retain_probability": "benchmarks.metrics.probability:RETAIN",
    "retain_truth_ratio": "benchmarks.metrics.truth_ratio:RETAIN",
    "real_authors_rouge": "benchmarks.metrics.rouge:REAL_AUTHORS",
    "real_authors_probability": "benchmarks.metrics.probability:REAL_AUTHORS",
    "real_authors_truth_ratio": "benchmarks.metrics.truth_ratio:REAL_AUTHORS",
    "world_facts_rouge": "benchmarks.metrics.rouge:WORLD_FACTS",
    "world_facts_probability": "benchmarks.metrics.probability:WORLD_FACTS",
    "world_facts_truth_ratio": "benchmarks.metrics.truth_ratio:WORLD_FACTS",
    "model_utility": "benchmarks.metrics.utility:UTILITY",
    "retain_utility": "benchmarks.metrics.fit:RETAIN",
    "retain_extraction_strength": "benchmarks.metrics.memorisation:RETAIN",
    "retain_coverage": "benchmarks.metrics.coverage:RETAIN",
    "retain_choice": "benchmarks.metrics.choice:RETAIN",
    "retain_choice_normalised": "benchmarks.metrics.choice:RETAIN_NORMALISED",
    "truthful_choice": "benchmarks.metrics.choice:TRUTHFUL",
    "trivia_rouge": "benchmarks.metrics.rouge:TRIVIA",
    "retain_knowledge": "benchmarks.metrics.muse:RETAIN_KNOWLEDGE",
    "neighbours_rouge": "benchmarks.metrics.rouge:NEIGHBOURS",
    "over_refusal": "benchmarks.metrics.refusal:NEIGHBOURS",
    "retain_declined": "benchmarks.metrics.refusal:RETAIN",
    "retain_refusal_quality": "benchmarks.metrics.refusal_quality:RETAIN",
    "unchanged": "benchmarks.metrics.unchanged:RETAIN",
    "mia_loss": "benchmarks.metrics.membership:LOSS",
    "mia_zlib": "benchmarks.metrics.membership:ZLIB",
    "mia_min_k": "benchmarks.metrics.membership:MIN_K",
    "mia_min_k_plus_plus": "benchmarks.metrics.membership:MIN_K_PLUS_PLUS",
    "mia_reference": "benchmarks.metrics.membership:REFERENCE",
    "mia_worst_group": "benchmarks.metrics.minority:WORST_MIN_K",
    "mia_worst_group_loss": "benchmarks.metrics.minority:WORST_LOSS",
    "mia_worst_group_zlib": "benchmarks.metrics.minority:WORST_ZLIB",
    "mia_worst_group_min_k_plus_plus": "benchmarks.metrics.minority:WORST_MIN_K_PLUS_PLUS",
    "mia_worst_group_reference": "benchmarks.metrics.minority:WORST_REFERENCE",
    "mia_canaries_min_k": "benchmarks.metrics.minority:CANARIES_MIN_K",
    "mia_canaries_loss": "benchmarks.metrics.minority:CANARIES_LOSS",
    "mia_canaries_zlib": "benchmarks.metrics.minority:CANARIES_ZLIB",
    "mia_canaries_min_k_plus_plus": "benchmarks.metrics.minority:CANARIES_MIN_K_PLUS_PLUS",
    "mia_canaries_reference": "benchmarks.metrics.minority:CANARIES_REFERENCE",
    "privacy_leakage": "benchmarks.metrics.privacy_leakage:LEAKAGE",
    "repetition": "benchmarks.metrics.fluency:REPETITION",
    "retain_repetition": "benchmarks.metrics.fluency:REPETITION_RETAIN",
    "word_likeness": "benchmarks.metrics.fluency:WORD_LIKENESS",
}
"""Name -> "module:attribute"; loaded on first use. In the order of a report."""


@cache
def metric(name: str) -> Metric:
    """The metric called ``name``.

    Raises:
        ValueError: there is none.
    """
    return cast(Metric, named(METRICS, name, "metric"))
