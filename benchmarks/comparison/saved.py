"""A comparison as files: JSON from which the same value comes back, CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from benchmarks.comparison.outcome import Comparison, Cost, Outcome, Said
from benchmarks.metrics.metric import Measured, Undefined

FORMAT = 1
"""Of ``comparison.json``; another one is refused."""

COLUMNS = ("method", "metric", "value", "stderr", "n", "note", "not_available")
"""Of ``comparison.csv``."""

_FLOAT, _MAP = "$float", "$map"
_ODD = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def save(comparison: Comparison, folder: Path) -> None:
    """Writes ``comparison.json`` and ``comparison.csv`` into ``folder``, which is made where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "comparison.json").write_text(dumps(comparison), encoding="utf-8")
    (folder / "comparison.csv").write_text(rows(comparison), encoding="utf-8", newline="")


def load(file: Path) -> Comparison:
    """The comparison in a ``comparison.json``.

    Raises:
        ValueError: it is none, or of another format.
    """
    return loads(file.read_text(encoding="utf-8"))


def dumps(comparison: Comparison) -> str:
    """As JSON, an outcome to a line. Only ASCII, so that any answer of a model can be written.

    ``spec``, ``environment`` and ``options`` come back as JSON has them: tuples as lists, paths as texts.
    """
    head = {"format": FORMAT, **{k: getattr(comparison, k) for k in ("spec", "environment", "notes")}}
    lines = [_line(_outcome(outcome)) for outcome in comparison.outcomes]
    return _line(head)[:-1] + ', "outcomes": [\n' + ",\n".join(lines) + "\n]}\n"


def loads(text: str) -> Comparison:
    """The comparison in the text of a ``comparison.json``.

    Raises:
        ValueError: it is none, or of another format.
    """
    found = json.loads(text)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        have = found.get("format") if isinstance(found, dict) else None
        raise ValueError(f"not a saved comparison of format {FORMAT} (format: {have!r}): run the comparison again")
    try:
        plain = _from_json(found)
        outcomes = tuple(_to_outcome(raw) for raw in plain["outcomes"])
        return Comparison(plain["spec"], plain["environment"], outcomes, tuple(plain["notes"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"a saved comparison that lacks something: {error}") from error


def rows(comparison: Comparison) -> str:
    """As CSV: a row for each method and metric; one row, without a metric, for a method that failed."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for outcome in comparison.outcomes:
        if outcome.failed:
            writer.writerow([_cell(outcome.name), "", "", "", "", "", _cell(outcome.failed)])
        for name, figure in outcome.figures.items():
            writer.writerow([_cell(outcome.name), _cell(name), *_figure_cells(figure)])
    return out.getvalue()


def _figure_cells(figure: Measured | Undefined) -> list[object]:
    if isinstance(figure, Undefined):
        return ["", "", "", "", _cell(figure.why)]
    return [figure.value, figure.stderr, figure.n, _cell(figure.note), ""]


def _cell(text: str) -> str:
    """A spreadsheet takes a text that begins so for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "options": outcome.options,
        "cost": asdict(outcome.cost),
        "figures": _figures(outcome.figures),
        "said": [asdict(said) for said in outcome.said],
        "command": outcome.command,
        "failed": outcome.failed,
        "steps": [_figures(step) for step in outcome.steps],
    }


def _figures(figures: Mapping[str, Measured | Undefined]) -> list[list[object]]:
    """Pairs, which keep the registry's order whatever rewrites the file."""
    return [[name, asdict(figure)] for name, figure in figures.items()]


def _to_outcome(raw: Mapping[str, Any]) -> Outcome:
    return Outcome(
        name=raw["name"],
        options=raw["options"],
        cost=Cost(**raw["cost"]),
        figures=_to_figures(raw["figures"]),
        said=tuple(Said(**said) for said in raw["said"]),
        command=raw["command"],
        failed=raw["failed"],
        steps=tuple(_to_figures(step) for step in raw["steps"]),
    )


def _to_figures(raw: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Measured | Undefined]:
    return {name: _to_figure(figure) for name, figure in raw}


def _to_figure(raw: Mapping[str, Any]) -> Measured | Undefined:
    return Undefined(**raw) if "why" in raw else Measured(**{**raw, "values": tuple(raw["values"])})


def _line(value: object) -> str:
    return json.dumps(_to_json(value), allow_nan=False)


def _to_json(value: object) -> Any:
    """What JSON can hold: floats that are no number, and mappings that look like one, in a wrapping."""
    if isinstance(value, Enum):
        return _to_json(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {_FLOAT: str(value)}
    if is_dataclass(value) and not isinstance(value, type):
        return _to_json(asdict(value))
    if isinstance(value, Mapping):
        plain = {str(key): _to_json(item) for key, item in value.items()}
        return {_MAP: plain} if set(plain) in ({_FLOAT}, {_MAP}) else plain
    if isinstance(value, Sequence):
        return [_to_json(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_to_json(item) for item in value), key=repr)
    return str(value)


def _from_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {_FLOAT}:
        return _ODD[value[_FLOAT]]
    inner = value[_MAP] if set(value) == {_MAP} else value
    return {key: _from_json(item) for key, item in inner.items()}
