"""What a grid comes to: figures for each way and load, and Letheward's ratios to the other gateway."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.gateways.grid import FLAGGED, Found
from benchmarks.gateways.load import Cell
from benchmarks.gateways.places import DIRECT, LITELLM
from benchmarks.guarded.timing import quantile

Row = dict[str, Any]


def loads(found: Found) -> list[Row]:
    """A row for each way and load: milliseconds, requests a second by worker and by core, memory in MiB."""
    return [_load(found, way, cell) for way, cell in found.seen]


def _load(found: Found, way: str, cell: Cell) -> Row:
    rounds = found.seen[way, cell]
    requests, cpu = sum(s.requests for s in rounds), sum(s.cpu for s in rounds)
    row: Row = {"way": way, "prompts": cell.prompts, "clients": cell.clients, "requests": requests}
    for name in ("p50", "p95", "p99"):
        row[name] = round(statistics.median(getattr(s, name) for s in rounds), 3)
    if way != DIRECT and (direct := found.median(DIRECT, _unflagged(cell), "p50")) is not None:
        row["added_p50"] = round(row["p50"] - direct, 3)
    row["per_worker"] = round(statistics.median(s.requests / s.seconds for s in rounds), 1)
    row["per_core"] = round(requests / cpu, 1) if cpu else None
    row["cpu_per_1000"] = round(1000 * cpu / requests, 3)
    row["mib"] = round(max(s.mib for s in rounds))
    return row


def _unflagged(cell: Cell) -> Cell:
    """What the direct way and the other gateway were asked in place of flagged prompts, which are short."""
    return Cell("short", cell.clients) if cell.prompts == FLAGGED else cell


def paces(found: Found) -> list[Row]:
    """A row for each way: the time to a stream's first text, and between the pieces after it, in milliseconds."""
    rows: list[Row] = []
    for way, pace in found.paces.items():
        if not pace.first:
            continue
        row: Row = {"way": way, "streams": len(pace.first)}
        row["first_p50"] = round(statistics.median(pace.first), 3)
        row |= {f"gap_{name}": round(quantile(pace.gaps, share), 3) for name, share in (("p50", 0.5), ("p99", 0.99))}
        if direct := next((r for r in rows if r["way"] == DIRECT), None):
            row |= {f"added_{k}": round(row[k] - direct[k], 3) for k in ("first_p50", "gap_p50", "gap_p99")}
        rows.append(row)
    return rows


def ratios(rows: Sequence[Row]) -> list[Row]:
    """For each load of Letheward: its added time and its requests a second, over the other gateway's."""
    other = {(r["prompts"], r["clients"]): r for r in rows if r["way"] == LITELLM}
    return list(_ratios(rows, other))


def _ratios(rows: Sequence[Row], other: dict[tuple[str, int], Row]) -> Iterator[Row]:
    for row in rows:
        cell = _unflagged(Cell(row["prompts"], row["clients"]))
        beside = other.get((cell.prompts, cell.clients))
        if beside is None or row["way"] in (DIRECT, LITELLM):
            continue
        kept = {k: row[k] for k in ("way", "prompts", "clients")}
        yield {**kept, "added_p50": _over(row["added_p50"], beside["added_p50"]),
               "per_worker": _over(row["per_worker"], beside["per_worker"]),
               "per_core": _over(row["per_core"], beside["per_core"])}  # fmt: skip


def _over(one: float | None, other: float | None) -> float | None:
    return round(one / other, 3) if one is not None and other else None


def table(rows: Sequence[Row]) -> str:
    """Rows as a table for a README."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, ["---"] * len(names), *([_told(row.get(name)) for name in names] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _told(value: object) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
