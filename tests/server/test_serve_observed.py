"""`letheward serve` with two workers and a file: their metrics, logs and settings, as an operator meets them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.server.conftest import Script, running, scripted

DEPLOY = Path(__file__).parents[2] / "deploy"
CONFIG = """\
admin_key: "0123456789abcdef0123456789abcdef"
workers: 2
metrics_public: true
learning: false
log_level: info
"""
_WORDS = {"instance", "job"}  # labels that Prometheus itself gives


@dataclass
class Served:
    """A running server."""

    client: httpx.Client
    config: Path
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def logged(self, event: str) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in list(self.lines) if line.startswith("{")]
        return [e for e in found if e["event"] == event]

    def metric(self, name: str, **labels: str) -> float:
        text = self.client.get("/metrics").text
        samples = [s for f in text_string_to_metric_families(text) for s in f.samples if s.name == name]
        return sum(s.value for s in samples if labels.items() <= s.labels.items())

    def write(self, text: str) -> None:
        made = self.config.with_suffix(".new")
        made.write_text(text)
        made.replace(self.config)


def _until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 600  # three processes start, on a machine that may be busy
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("serve")
    config = folder / "letheward.yaml"
    config.write_text(CONFIG)
    with running(scripted(Script())) as upstream:
        process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "serve", "--config", str(config), "--upstream", upstream,
             "--port", "0", "--cache-dir", str(folder / "cache")],
            env={"HOME": str(folder), "PATH": os.environ["PATH"]}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        served = Served(httpx.Client(timeout=60), config, process)
        reading = threading.Thread(target=lambda: served.lines.extend(iter(process.stderr.readline, "")), daemon=True)  # type: ignore[union-attr]
        reading.start()
        try:
            _until(
                lambda: process.poll() is not None or any("Point a client at" in line for line in list(served.lines))
            )
            told = "".join(served.lines)
            found = re.search(r"(http://127\.0\.0\.1:\d+)/v1", told[told.find("Point a client at") :])
            assert found, told
            served.client.base_url = httpx.URL(found[1])
            yield served
        finally:
            process.terminate()
            process.wait(60)
            reading.join(20)
            served.client.close()
            process.stderr.close()  # type: ignore[union-attr]


def _chat(served: Served, **headers: str) -> httpx.Response:
    body = {"model": "m", "messages": [{"role": "user", "content": "What is the capital of France?"}]}
    with httpx.Client(base_url=served.client.base_url, timeout=60, headers=headers) as client:  # another connection
        return client.post("/v1/chat/completions", json=body)


def test_every_worker_answers_for_all(served: Served) -> None:
    for _ in range(12):
        assert _chat(served).status_code == 200
    path = {"path": "/v1/chat/completions"}
    _until(lambda: served.metric("letheward_requests_total", **path) == 12)
    assert served.metric("letheward_processes") == 2
    assert served.metric("letheward_phase_seconds_count", phase="judge") == 12
    assert served.metric("letheward_decisions_total", list="sample") == 12


def test_every_metric_and_label_of_the_dashboard_and_the_alerts_is_there(served: Served) -> None:
    _chat(served)
    names: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(served.client.get("/metrics").text):
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        for end in ends:
            names[family.name + end] = {label for s in family.samples for label in s.labels} | {"le"}
    expressions = list(_expressions())
    assert len(expressions) > 40
    for expression in expressions:
        used = re.findall(r"letheward_\w+", re.sub(r'"[^"]*"', '""', expression))
        assert used, expression
        assert set(used) <= names.keys(), expression
        labels = set(re.findall(r"[{,]\s*(\w+)\s*(?:=|!=|=~|!~)", expression))
        labels |= {name.strip() for by in re.findall(r"by \(([^)]*)\)", expression) for name in by.split(",")}
        sampled = [names[name] for name in used if names[name] != {"le"}]
        assert not sampled or labels <= _WORDS.union(*sampled), expression


def _expressions() -> Iterator[str]:
    dashboard = json.loads((DEPLOY / "grafana" / "letheward.json").read_text())
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (note["expr"] for note in dashboard["annotations"]["list"])
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("page", "warning")
            assert {"summary", "action"} == rule["annotations"].keys()
            yield rule["expr"]


def test_events_are_json_with_the_ids_of_request_and_trace(served: Served) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    _chat(served, **{"x-request-id": "mine-7", "traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    _until(lambda: any(e["request_id"] == "mine-7" for e in served.logged("request")))
    (mine,) = [e for e in served.logged("request") if e["request_id"] == "mine-7"]
    assert (mine["trace_id"], mine["forget_list"], mine["level"]) == (trace, "sample", "info")
    plain = [line for line in served.lines if "Traceback" in line]
    assert not plain


def test_a_worker_that_dies_takes_no_counts_with_it(served: Served) -> None:
    before = served.metric("letheward_requests_total", path="/v1/chat/completions")
    workers = {e["pid"] for e in served.logged("worker_up")}
    time.sleep(1.5)  # what a worker counted is kept once a second
    os.kill(sorted(workers)[0], signal.SIGKILL)
    _until(lambda: len(served.logged("worker_up")) == 3)
    _until(lambda: served.metric("letheward_processes") == 2)
    assert served.metric("letheward_requests_total", path="/v1/chat/completions") >= before


def test_every_worker_takes_over_a_changed_file_and_refuses_a_wrong_one(served: Served) -> None:
    served.write(CONFIG + "prot: 1\n")
    _until(lambda: len(served.logged("config_refused")) == 2)
    assert served.logged("config_refused")[0]["problems"] == [
        f"{served.config}:6:1: 'prot' is unknown; did you mean 'port'?"
    ]
    _until(lambda: served.metric("letheward_config_valid") == 0)
    assert _chat(served).status_code == 200
    served.write(CONFIG + "clients: [{key: client-key-of-mine}]\nenforce: false\n")
    _until(lambda: len(served.logged("config_reloaded")) == 2)
    assert {tuple(e["changed"]) for e in served.logged("config_reloaded")} == {("clients",)}
    assert {tuple(e["settings"]) for e in served.logged("config_needs_restart")} == {("enforce",)}
    for _ in range(6):
        assert _chat(served).status_code == 401
        assert _chat(served, authorization="Bearer client-key-of-mine").status_code == 200
    served.process.send_signal(signal.SIGHUP)
    _until(lambda: len(served.logged("config_reloaded")) == 4)
    _until(lambda: served.metric("letheward_config_valid") == 1)
