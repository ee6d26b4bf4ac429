"""The load on gateways: what it comes to, that its model server answers, and a tiny run with real processes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import httpx
import pytest

from benchmarks.gateways.grid import Found, Grid
from benchmarks.gateways.load import Cell, Pace, Seen
from benchmarks.gateways.part import run, tell
from benchmarks.gateways.places import DIRECT, LITELLM, upstream
from benchmarks.gateways.prompts import KINDS, body, unflagged
from benchmarks.gateways.report import loads, paces, ratios
from benchmarks.gateways.upstream import TOKENS
from benchmarks.guarded.serving import Place
from benchmarks.guarded.timing import stream

OURS = "letheward, 10 entries"


def _seen(p50: float, requests: int, cpu: float) -> Seen:
    return Seen(p50, 2 * p50, 3 * p50, requests, 2.0, cpu, 100.0)


def test_ratios_hold_what_letheward_adds_against_what_the_other_gateway_adds() -> None:
    short, flagged = Cell("short", 1), Cell("flagged", 1)
    found = Found(
        {
            (DIRECT, short): [_seen(1.0, 1000, 0.1)],
            (LITELLM, short): [_seen(21.0, 100, 2.0), _seen(21.0, 100, 2.0)],
            (OURS, short): [_seen(3.0, 800, 1.0)],
            (OURS, flagged): [_seen(6.0, 400, 1.0)],
        },
        {},
    )
    own = {(r["way"], r["prompts"]): r for r in ratios(loads(found))}
    assert set(own) == {(OURS, "short"), (OURS, "flagged")}
    assert own[OURS, "short"]["added_p50"] == pytest.approx(0.1)
    assert own[OURS, "short"]["per_worker"] == pytest.approx(8.0)
    assert own[OURS, "short"]["per_core"] == pytest.approx(16.0)
    assert own[OURS, "flagged"]["added_p50"] == pytest.approx(0.25)  # against short ones, which it resembles


def test_a_stream_s_added_times_are_over_those_of_the_direct_way() -> None:
    direct, ours = paces(Found({}, {DIRECT: Pace([10.0], [5.0, 5.0]), OURS: Pace([13.0], [5.5, 5.5])}))
    assert "added_first_p50" not in direct or direct["added_first_p50"] == 0
    assert ours["added_first_p50"] == pytest.approx(3.0)
    assert ours["added_gap_p50"] == pytest.approx(0.5)


def test_prompts_of_a_kind_are_alike_in_length_and_the_mix_has_all_kinds() -> None:
    lengths = {kind: [len(p.split()) for p in unflagged(kind, 10, 0)] for kind in (*KINDS, "mix")}
    assert max(lengths["short"]) < min(lengths["1k"]) < 1000 < 5000 < min(lengths["8k"])
    assert {any(low <= n < high for n in lengths["mix"]) for low, high in ((0, 100), (500, 1500), (5000, 9000))} == {
        True
    }
    assert b"\n" not in body(unflagged("1k", 1, 0)[0])  # one request is one line of the load's file


async def test_the_model_server_answers_whole_and_in_a_stream() -> None:
    async with upstream(0.0) as model, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{model.url}/v1/chat/completions", content=body("Hello"))
        assert answer.json()["choices"][0]["message"]["content"]
        streamed = await stream(client, Place(model.url, "any", "m"), "Hello")
        assert streamed.arrivals
        assert len(streamed.released([streamed.arrivals[-1][1]])) == 1
        assert len(streamed.arrivals) <= TOKENS


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
async def test_a_tiny_run_measures_every_way(tmp_path: Path) -> None:
    grid = Grid(entries=(3,), clients=(1, 2), seconds=1, rounds=1, streams=2, interval=0.001)
    report = await run(grid, tmp_path / "cache")
    tell(report, tmp_path / "report.json", tmp_path / "loads.svg")
    kept = json.loads((tmp_path / "report.json").read_text())
    assert {r["way"] for r in kept["loads"]} == {DIRECT, "letheward, off", "letheward, 3 entries"}
    assert all(r["requests"] > 0 and r["mib"] > 0 for r in kept["loads"])
    assert {r["prompts"] for r in kept["loads"]} == {*KINDS, "mix", "flagged"}
    assert [r["way"] for r in kept["streams"]] == list(dict.fromkeys(r["way"] for r in kept["loads"]))
    assert kept["ratios"] == []  # there is no other gateway
    assert (tmp_path / "loads.svg").read_text().startswith("<?xml")
