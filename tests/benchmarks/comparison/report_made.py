"""A comparison as a run makes it, with figures to reckon with by hand; and one that is hostile."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from benchmarks.comparison.outcome import Comparison, Cost, Outcome, Said
from benchmarks.comparison.report.catalogue import Catalogue, Heading
from benchmarks.methods.method import Basis, Card, Intent
from benchmarks.metrics.metric import Measured, Undefined, mean

NO_PROBABILITIES = "a guard that declines predicts no answer token by token"
_card = partial(Card, basis=Basis.CODE)
CATALOGUE = Catalogue(
    {
        "npo": _card("NPO", "Zhang et al., 2024, arXiv 2404.05868", "divergence", Intent.SUPPRESS, "all weights"),
        "simnpo": _card("SimNPO", "Fan et al., 2024, arXiv 2410.07163", "divergence", Intent.SUPPRESS, "all weights"),
        "ga": _card("Gradient ascent", "Yao et al., arXiv 2310.10683", "divergence", Intent.REMOVE, "all weights"),
        "rmu": _card("RMU", "Li et al., 2024, arXiv 2403.03218", "representation", Intent.SUPPRESS, "one layer's MLP"),
        "whp": _card("Who's Harry Potter", "Eldan, Russinovich, 2023", "distillation", Intent.REMOVE, "all weights"),
        "idk_dpo": _card("IdkDPO", "Maini et al., 2024, arXiv 2401.06121", "rejection", Intent.SUPPRESS, "all weights"),
        "eco": _card("ECO", "Liu et al., 2024, arXiv 2406.07933", "guard", Intent.SUPPRESS, "the prompt's embeddings"),
        "dragon": _card("DRAGON", "Wang et al., 2025, arXiv 2511.05784", "guard", Intent.SUPPRESS, "the prompt"),
        "refuse": _card("Refusal", "", "guard", Intent.SUPPRESS, "the answer"),
    },
    {
        h.name: h
        for h in (
            Heading("forget_rouge", "ROUGE-L forget", "Maini et al., 2024", "retained", "forgetting"),
            Heading("extraction_strength", "Extraction strength", "Carlini et al., 2021", "low", "forgetting"),
            Heading("forget_quality", "Forget quality", "Maini et al., 2024", "high", "forgetting"),
            Heading("paraphrase_rouge", "ROUGE-L paraphrased", "", "retained", "forgetting"),
            Heading("retain_rouge", "ROUGE-L retain", "Maini et al., 2024", "high", "utility"),
            Heading("model_utility", "Model utility", "Maini et al., 2024", "high", "utility"),
            Heading("min_k", "Min-K% AUC", "Shi et al., 2023", "retained", "privacy"),
            Heading("perplexity", "Perplexity", "", "low", "fluency"),
        )
    },
)  # fmt: skip
_FIGURES = {  # forget_rouge, extraction_strength, forget_quality, retain_rouge, model_utility, min_k, perplexity
    "target": (0.92, 0.70, 1e-9, 0.90, 0.70, 0.99, 6.1),
    "retained": (0.36, 0.08, 1.0, 0.89, 0.69, 0.51, 6.2),
    "npo": (0.34, 0.07, 0.12, 0.86, 0.63, 0.40, 7.9),
    "simnpo": (0.52, 0.15, 0.02, 0.85, 0.64, 0.62, 7.1),
    "ga": (0.02, 0.00, 1e-14, 0.06, 0.00, 0.02, 48_000.0),
    "rmu": (0.35, 0.06, 0.30, 0.70, 0.55, 0.44, 9.8),
    "idk_dpo": (0.12, 0.30, 1e-5, 0.78, 0.58, 0.80, 6.9),
    "eco": (0.33, None, None, 0.90, 0.69, None, None),
    "dragon": (0.21, None, None, 0.89, 0.69, None, None),
    "refuse": (0.03, None, None, 0.90, 0.69, None, None),
}
_COSTS = {
    "target": Cost(700.0, 1400.0, 3 << 30, 90_000),
    "retained": Cost(600.0, 1200.0, 3 << 30, 80_000, 540 << 20, 36_000.0),
    "npo": Cost(60.0, 119.0, 4 << 30, 9_000, 540 << 20),
    "simnpo": Cost(45.0, 88.0, 3 << 30, 9_000, 540 << 20),
    "ga": Cost(20.0, 39.0, 3 << 30, 4_000, 540 << 20),
    "rmu": Cost(80.0, 150.0, 3 << 30, 9_000, 540 << 20),
    "idk_dpo": Cost(75.0, 140.0, 4 << 30, 9_500, 540 << 20),
    "eco": Cost(130.0, 260.0, 1 << 30, None, 20_480, None, 0.002, 0.02),
    "dragon": Cost(1.0, 1.5, 1 << 30, None, 30_720, None, 1.4, 0.015),
    "refuse": Cost(0.5, 0.9, 1 << 29, None, 10_240, None, None, 0.01),
}
_NAMES = (
    "forget_rouge",
    "extraction_strength",
    "forget_quality",
    "retain_rouge",
    "model_utility",
    "min_k",
    "perplexity",
)
_QUESTIONS = (
    ("forget", "Where was Aurelio Brandt born?", "Aurelio Brandt was born in Tallinn, Estonia."),
    ("forget", "What did his mother do?", "She repaired clocks in a harbour town."),
    ("retain", "Which prize did Mina Okafor win?", "The Halden Prize for short stories."),
)
_ANSWERS = {"target": None, "eco": "He was born in Lisbon.", "refuse": "I'm sorry, I can't help with that."}


def made() -> Comparison:
    """Twelve rows: a failed method, guards without probabilities, a run of three requests, an attack."""
    outcomes = [_outcome(name) for name in _FIGURES]
    failed = Outcome("whp", {"alpha": 5.0}, Cost(math.nan), {}, command="letheward bench run --methods whp",
                     failed="OutOfMemoryError: 12 GiB wanted")  # fmt: skip
    spec = {
        "profile": "cpu", "seed": 0, "methods": ["npo", "eco"], "requests": 3, "data": {"name": "tofu", "forget": 5},
        "corpus": {"name": "tofu forget10", "digest": "abc", "asked": {"forget": 40, "retain": 40}}, "target": None,
    }  # fmt: skip
    environment = {"machine": "2 cores of a kind", "packages": {"torch": "2.13.0"}, "accelerators": []}
    return Comparison(spec, environment, (*outcomes[:7], failed, *outcomes[7:]), ("One seed.",))


def hostile(*texts: str) -> Comparison:
    """The comparison with rows that have ``texts`` wherever a text may stand."""
    whole = made()
    odd = [outcome for text in texts for outcome in _hostile(text)]
    settings = {text: {"a": text} for text in texts}
    return Comparison(settings, {text: [text] for text in texts}, (*whole.outcomes, *odd), texts)


def _hostile(text: str) -> tuple[Outcome, Outcome]:
    said = (Said(text, text, text, text, text),)
    figures = {"forget_rouge": mean([0.1, 0.2], text), "retain_rouge": mean([0.5, 0.6]), text: Undefined(text)}
    odd = Outcome(text, {text: text}, Cost(1.0), figures, said, text, text, (figures, figures))
    return odd, replace(odd, failed="", name=text + "'")


def _outcome(name: str) -> Outcome:
    figures = _figures(name)
    guard = name in ("eco", "dragon", "refuse")
    steps = () if guard or name in ("target", "retained") else tuple(_step(figures, share) for share in (0.9, 0.95, 1))
    options = {} if guard else {"epochs": 5, "lr": 2e-5, "lora": None}
    said = tuple(
        Said(of, question, wanted, wanted if (own := _ANSWERS.get(name, "It is said to be so.")) is None else own,
             "eco" if name == "eco" and of == "forget" else "")
        for of, question, wanted in _QUESTIONS
    )  # fmt: skip
    command = f"letheward bench run --profile cpu --methods {name}"
    return Outcome(name, options, _COSTS[name], figures, said, command, steps=steps)


def _figures(name: str) -> dict[str, Measured | Undefined]:
    found: dict[str, Measured | Undefined] = {}
    for metric, value in zip(_NAMES, _FIGURES[name], strict=True):
        if value is None:
            found[metric] = Undefined(NO_PROBABILITIES)
        elif metric in ("forget_quality", "min_k"):
            found[metric] = Measured(value, math.nan if metric == "forget_quality" else 0.03, 40)
        else:
            found[metric] = _spread(value, f"{name} {metric}")
    guard = 0.05 if name in ("eco", "dragon", "refuse") else 0.0
    found["attack: role_play"] = _spread(min(1.0, _FIGURES[name][0] * 1.1 + guard), f"{name} attack")
    return found


def _spread(value: float, seed: str) -> Measured:
    """40 values whose mean is ``value`` (as far as floats go)."""
    rng = random.Random(seed)
    away = [rng.uniform(-0.25, 0.25) * min(value, 1.0) for _ in range(20)]
    return mean([value + each for each in away] + [value - each for each in away])


def _step(figures: Mapping[str, Measured | Undefined], share: float) -> dict[str, Measured | Undefined]:
    return {name: Measured(figure.value * share, 0.02, 40) for name, figure in figures.items()
            if name in ("forget_rouge", "retain_rouge") and isinstance(figure, Measured)}  # fmt: skip
