"""What the commands of `letheward bench` do."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from benchmarks.attacks.registry import ATTACKS, about, attack
from benchmarks.comparison.choosing import options
from benchmarks.comparison.outcome import Comparison
from benchmarks.comparison.report.html import write_html
from benchmarks.comparison.report.markdown import difference, markdown
from benchmarks.comparison.run import Run
from benchmarks.comparison.saved import load, save
from benchmarks.comparison.spec import PROFILES, RunSpec
from benchmarks.data.registry import DATASETS, corpus
from benchmarks.images import registry as images
from benchmarks.methods.method import Card
from benchmarks.methods.registry import METHODS, method
from benchmarks.metrics.registry import METRICS, metric
from benchmarks.models.workers import first
from benchmarks.probes.registry import PROBES, probe
from server.model_files import prepare_model
from server.settings import default_cache

_RUNS = "runs"


@dataclass(frozen=True, slots=True)
class Ready:
    """A run whose spec was checked. ``folder``: where its report goes."""

    run: Run
    folder: Path


def prepared(
    spec: RunSpec, out: Path, cache_dir: Path | None, threads: int | None, tell: Callable[[str], None]
) -> Ready:
    """A run that can be carried out. ``cache_dir`` None: that of `letheward serve`.

    Raises:
        ValueError: a name is not known, an option cannot be.
        FileNotFoundError: the data set or the model is not there.
    """
    for name in spec.methods:
        options(method(name).options, spec.options.get(name, {}))
    for name in spec.metrics:
        metric(name)
    for name in spec.attacks:
        attack(name)
    for name in spec.probes:
        probe(name)
    own = spec.data
    chosen = corpus(own.name, own.source, own)
    cache = cache_dir or default_cache()
    base = prepare_model(spec.model, cache, tell)
    if base is None:
        raise FileNotFoundError(f"{spec.model} is not on this machine: give --model a folder, or download it first")
    if threads:
        import torch

        torch.set_num_threads(threads)
    run = Run(spec, chosen, base, out / "stages", cache, tell)
    return Ready(run, out / _RUNS / f"{spec.profile}-{spec.digest}")


def carry_out(ready: Ready, *, shown: bool) -> tuple[Path | None, str]:
    """The folder with spec, results and report, and the report as text; nothing where another process writes it."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # what is printed may be read as JSON
    found = replace(ready.run, shown=shown).comparison()
    if not first():
        return None, ""
    ready.folder.mkdir(parents=True, exist_ok=True)
    (ready.folder / "spec.json").write_text(json.dumps(ready.run.spec.plain(), indent=2) + "\n", encoding="utf-8")
    return ready.folder, _write(found, ready.folder)


def written(out: Path, name: str) -> Path:
    """Write a run's report anew from what was measured; the page.

    Raises:
        ValueError: there is no such run.
    """
    folder = _folder(out, name)
    _write(load(folder / "comparison.json"), folder)
    return folder / "report.html"


def _write(found: Comparison, folder: Path) -> str:
    save(found, folder)
    write_html(found, folder / "report.html")
    text = markdown(found)
    (folder / "report.md").write_text(text, encoding="utf-8")
    return text


def runs(out: Path) -> list[dict[str, Any]]:
    """The runs under a folder, the newest last."""
    files = sorted((out / _RUNS).glob("*/comparison.json"), key=lambda file: file.stat().st_mtime)
    rows = []
    for file in files:
        found = load(file)
        rows.append({"name": file.parent.name, "profile": found.spec["profile"], "data": found.spec["data"]["name"],
                     "rows": len(found.outcomes), "made": _day(file)})  # fmt: skip
    return rows


def shown(out: Path, name: str, *, as_json: bool) -> str:
    """A run's figures.

    Raises:
        ValueError: there is no such run.
    """
    file = _folder(out, name) / "comparison.json"
    return file.read_text(encoding="utf-8") if as_json else markdown(load(file))


def compared(out: Path, first_: str, second: str, *, as_json: bool) -> str:
    """How two runs differ.

    Raises:
        ValueError: one is not there.
    """
    pair = [Path(n) if Path(n).is_file() else _folder(out, n) / "comparison.json" for n in (first_, second)]
    return difference(load(pair[0]), load(pair[1]), as_json=as_json)


def known() -> dict[str, list[dict[str, Any]]]:
    """All that a run can be made of."""
    return {
        "profiles": [{"name": name, "data": spec.data.name, "model": spec.model, "methods": ",".join(spec.methods)}
                     for name, spec in PROFILES.items()],
        "data": [{"name": name, "module": where} for name, where in DATASETS.items()],
        "methods": [_shown(name, method(name).card) for name in METHODS],
        "methods for images (bench images)": [_shown(name, images.method(name).card) for name in images.METHODS],
        "metrics": [{"name": name, "title": m.title, "about": m.about, "better": m.better, "paper": m.paper}
                    for name, m in ((n, metric(n)) for n in METRICS)],
        "attacks": [{"name": name, "about": about(name), "paper": attack(name).paper} for name in ATTACKS],
        "probes": [{"name": name, "title": p.title, "about": p.about, "better": p.better, "paper": p.paper}
                   for name, p in ((n, probe(n)) for n in PROBES)],
    }  # fmt: skip


def _shown(name: str, card: Card) -> dict[str, Any]:
    return {"name": name, "title": card.title, "family": card.family, "intent": str(card.intent),
            "touches": card.touches, "paper": card.paper, "from": str(card.basis)}  # fmt: skip


def _folder(out: Path, name: str) -> Path:
    folder = out / _RUNS / name
    if not (folder / "comparison.json").is_file():
        there = ", ".join(row["name"] for row in runs(out)) or "none"
        raise ValueError(f"there is no run {name!r} under {out}: {there}")
    return folder


def _day(file: Path) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(file.stat().st_mtime))
