"""What a run is: frozen, saved with its results, and enough to repeat any number in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from benchmarks.data.registry import Selection
from benchmarks.models.training import Recipe


@dataclass(frozen=True, slots=True)
class Data(Selection):
    """Which data set and how much of it.

    Attributes:
        name: in ``benchmarks.data.registry``.
        source: a folder or a hub's name, where the data set needs one.
    """

    name: str = "people"
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """How subjects are read.

    Attributes:
        items: of a set at most; the first ones. None: all.
        max_tokens: of an answer.
        batch: chats computed together.
    """

    items: int | None = None
    max_tokens: int = 64
    batch: int = 16


@dataclass(frozen=True, slots=True)
class RunSpec:
    """A run.

    Attributes:
        profile: that it began from.
        data: what is learnt and forgotten.
        model: "smollm2", a folder or a hub's name.
        target: a model that has learnt the corpus already, instead of teaching ``model``.
        retained: one that has learnt all but the forget set.
        teach: how the target and the retained model are taught.
        methods: names in the order of the report.
        options: by method, over the method's defaults.
        metrics: names; empty: all.
        attacks: names; empty: none.
        probes: names of what is measured on the weights; empty: none.
        asking: how answers are read.
        requests: parts that the forget set comes in, one after the other; 1: all at once.
        sweep: settings tried for each method; 1: only its own.
        precision: "fp32" or "bf16".
        seed: of order and chance.
    """

    profile: str
    data: Data = field(default_factory=Data)
    model: str = "smollm2"
    target: str | None = None
    retained: str | None = None
    teach: Recipe = field(default_factory=Recipe)
    methods: tuple[str, ...] = ()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    attacks: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    asking: Asking = field(default_factory=Asking)
    requests: int = 1
    sweep: int = 1
    precision: str = "fp32"
    seed: int = 0

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> RunSpec:
        """The spec that ``plain`` gave.

        Raises:
            ValueError: it is another version's.
        """
        try:
            parts = {"data": Data(**found["data"]), "teach": Recipe(**found["teach"])}
            parts |= {"asking": Asking(**found["asking"])}
            tuples = {key: tuple(found.get(key, ())) for key in ("methods", "metrics", "attacks", "probes")}
            return cls(**{**found, **parts, **tuples})
        except (TypeError, KeyError) as error:
            raise ValueError(f"this is no spec of this version: {error}") from error

    @property
    def digest(self) -> str:
        """A short name of all that it says."""
        return digest(self.plain())

    def command(self, method: str | None = None) -> str:
        """The command that repeats it, or of it one method's row."""
        words = ["letheward bench run", f"--profile {self.profile}", f"--methods {method or ','.join(self.methods)}"]
        before = PROFILES[self.profile]
        source = f":{self.data.source}" if self.data.source else ""
        words += [f"--data {self.data.name}{source}"] if self.data.name != before.data.name or source else []
        for name, own, its in (
            ("--part", self.data.part, before.data.part), ("--forget", self.data.forget, before.data.forget),
            ("--retain", self.data.retain, before.data.retain), ("--model", self.model, before.model),
            ("--target", self.target, None), ("--retained", self.retained, None),
            ("--attacks", ",".join(self.attacks), ",".join(before.attacks)),
            ("--probes", ",".join(self.probes), ",".join(before.probes)),
            ("--requests", self.requests, before.requests), ("--sweep", self.sweep, before.sweep),
            ("--seed", self.seed, before.seed),
        ):  # fmt: skip
            words += [f"{name} {own}"] if own != its else []
        for name, options in self.options.items():
            if method in (None, name) and options != before.options.get(name):
                words += [f"--set {name}.{key}={value}" for key, value in options.items()]
        return " ".join(words)


def digest(value: Any) -> str:
    """A short name of a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:12]


_GUARDS = ("eco", "dragon", "icul", "refuse", "template", "prompt_only")
_TRAINED = ("ga", "grad_diff", "kl_min", "idk_nll", "idk_dpo", "npo", "simnpo", "rmu", "undial", "wga", "satimp", "whp",
            "ssd", "task_vector")  # fmt: skip

_FIELD = ("catnip", "ceu", "dipo", "entropy", "idk_ap", "guard_attribution", "wagle", "sure", "llmu", "elm",
          "harmonizing", "tar", "u2a", "laf", "ofmu", "dmm", "ssu", "rule")  # fmt: skip


def _small(**settings: Any) -> dict[str, dict[str, Any]]:
    """What 135M parameters take where the papers' models have billions; chosen by what it does to both sets."""
    usual = {name: dict(settings) for name in (*_TRAINED, *_FIELD) if name != "ssd"}
    steered = {name: settings | {"lr": 1e-3} for name in ("rmu", "rmu_lat", "circuit_breakers", "kuda")}
    dampened = {name: {"alpha": 1000.0} for name in ("ssd", "corrective_ssd")}
    own = {"whp": {"lr": 1e-4}, "catnip": {"lr": 5e-5}, "ceu": {"lr": 5e-5}, "rule": {"lr": 5e-5},
           "dmm": {"scale": 30.0}, "klue": {"lr": 3e-4, "share": 0.1, "retain_weight": 3.0},
           "fit": {"lr": 5e-5, "retain_weight": 10.0}, "unierase": {"lr": 1e-2, "epochs": 20}}  # fmt: skip
    return usual | steered | dampened | {name: {**settings, **given} for name, given in own.items()}


PROFILES: dict[str, RunSpec] = {
    "tiny": RunSpec(
        "tiny", Data(forget=2, retain=4, held=2), teach=Recipe(epochs=12, lr=5e-4, stop=9),
        methods=("ga", "grad_diff", "npo", "simnpo", "rmu", "whp", "eco", "dragon", "refuse"),
        options=_small(epochs=5, lr=2e-4), asking=Asking(items=8, max_tokens=32),
    ),
    "cpu": RunSpec(
        "cpu", Data(name="tofu", source="locuslab/TOFU", part="forget10", forget=5, retain=10, held=2),
        teach=Recipe(epochs=10, lr=5e-4, stop=8), methods=(*_TRAINED, *_GUARDS),
        options=_small(epochs=4, lr=1e-4) | {name: {"epochs": 4, "lr": 2e-4} for name in ("ga", "npo")},
        asking=Asking(items=60, max_tokens=96),
    ),
    "gpu": RunSpec(
        "gpu", Data(name="tofu", source="locuslab/TOFU", part="forget10", forget=20, retain=180, held=10),
        model="meta-llama/Llama-3.2-1B-Instruct", teach=Recipe(epochs=5, lr=1e-5, batch=16),
        methods=(*_TRAINED, *_GUARDS), asking=Asking(max_tokens=128, batch=64), precision="bf16",
    ),
}  # fmt: skip
"""Where runs begin."""


def profile(name: str) -> RunSpec:
    """The profile called ``name``.

    Raises:
        ValueError: there is none.
    """
    if name not in PROFILES:
        raise ValueError(f"there is no profile {name!r}: choose from {', '.join(PROFILES)}")
    return replace(PROFILES[name])
