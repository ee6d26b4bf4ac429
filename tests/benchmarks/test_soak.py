"""A soak in small, and that it would notice what must not be."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks.leaks.answers import Told, stream, whole
from benchmarks.leaks.requests import ENDPOINTS, request
from benchmarks.soak.client import NOTHING, Answer
from benchmarks.soak.log import read_log
from benchmarks.soak.outcome import outcome
from benchmarks.soak.script import Story, told
from benchmarks.soak.traffic import Ask
from benchmarks.soak.trend import trend

STORY = Story(17, 12)
PASSED = {"x-letheward-action": "pass"}
LEAK = ("On ", "the ", "way: ", "Telling", "rad.")


def test_a_small_run_holds_and_shows_its_curves(tmp_path: Path) -> None:
    file, plot = tmp_path / "soak.json", tmp_path / "soak.svg"
    command = [sys.executable, "-m", "benchmarks.soak", "--minutes", "0.2", "--streams", "20", "--workers", "2",
               "--interval", "0.05", "--words", "20", "60", "--rate", "8", "--churn", "0.5", "--restart-every", "0.15",
               "--json", str(file), "--plot", str(plot)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = json.loads(file.read_text())
    # On a busy machine an event loop can stand still; nothing else may be otherwise.
    wrong = [check for check in found["checks"] if check["holds"] is False and "event loop" not in check["name"]]
    assert not wrong, done.stdout
    outcomes: dict[str, int] = found["outcomes"]
    for seen in ("stream: answered", "guarded: guarded", "whole: answered", "bad: refused", "leaver: left"):
        assert outcomes[seen] > 0, outcomes
    assert len(found["restarts_s"]) == 1
    assert found["changes"]["seen"]["added"] > 0
    assert found["ended"]["open"] > 0
    curves = found["curves"]
    assert max(curves["streams"]) == 20
    assert sum(name.startswith("proxy") for name in curves["processes"]) == 2
    assert plot.read_text().startswith("<?xml")


def _ask(endpoint: str, *, streamed: bool, **fields: Any) -> Ask:
    body = orjson.dumps(request(endpoint, "content", STORY.asked, stream=streamed))
    return Ask("stream", endpoint, body, streamed, **({"story": STORY} | fields))


def _answer(endpoint: str, pieces: tuple[str, ...], *, streamed: bool, **fields: Any) -> Answer:
    path = ENDPOINTS[endpoint]
    body = b"".join(stream(path, Told(pieces))) if streamed else orjson.dumps(whole(path, Told(pieces)))
    return Answer(**({"status": 200, "headers": PASSED, "body": body, "whole": True} | fields))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("streamed", [True, False])
def test_answers_are_told_from_faults_on_every_endpoint(endpoint: str, streamed: bool) -> None:
    ask = _ask(endpoint, streamed=streamed)
    good = _answer(endpoint, STORY.pieces, streamed=streamed)
    assert outcome(ask, good, disturbed=False) == "answered"
    other = _answer(endpoint, Story(18, 12).pieces, streamed=streamed)
    assert outcome(ask, other, disturbed=True) == "altered"
    leak = _answer(endpoint, LEAK, streamed=streamed)
    for seen in (leak, Answer(200, PASSED, leak.body[:-2], whole=False, left=True)):
        assert outcome(ask, seen, disturbed=True) == "leak"
    cut = Answer(200, PASSED, good.body[: len(good.body) // 2], whole=False)
    assert outcome(ask, cut, disturbed=True) == "cut"
    short = Answer(200, PASSED, good.body[: len(good.body) // 2], whole=True)
    assert outcome(ask, short, disturbed=True) == "ill formed"
    assert outcome(ask, NOTHING, disturbed=True) == "cut"


def test_an_error_is_right_only_where_it_may_be() -> None:
    error = b'{"error": {"message": "no", "type": "server_error", "code": null, "param": null}}'
    ask = _ask("chat", streamed=True)
    down = Answer(503, {}, error, whole=True)
    assert [outcome(ask, down, disturbed=d) for d in (True, False)] == ["away", "wrong status"]
    broken = Answer(200, PASSED, b"data: {}\n\n\n\ndata: " + error + b"\n\n", whole=True)
    assert [outcome(ask, broken, disturbed=d) for d in (True, False)] == ["away", "ill formed"]
    busy = Answer(429, {"retry-after": "1"}, error, whole=True)
    assert outcome(ask, busy, disturbed=False) == "busy"
    assert outcome(ask, Answer(429, {}, error, whole=True), disturbed=False) == "not busy in form"
    bad = Ask("bad", "chat", b"{", streamed=False, bad=True)
    assert outcome(bad, Answer(400, {}, error, whole=True), disturbed=False) == "refused"
    for seen in (Answer(500, {}, error, whole=True), Answer(200, {}, b"{}", whole=True)):
        assert outcome(bad, seen, disturbed=False) == "not refused"
    guarded = _ask("chat", streamed=False, story=None, guarded=True)
    assert outcome(guarded, _answer("chat", ("No.",), streamed=False), disturbed=False) == "not guarded"
    refused = _answer("chat", ("No.",), streamed=False, headers={"x-letheward-action": "refuse"})
    assert outcome(guarded, refused, disturbed=False) == "guarded"


def test_a_question_says_what_is_told() -> None:
    aside = Story(3, 10, "at once", 0)
    for story in (STORY, aside, Story(4, 5, "slowly"), Story(4, 5, "after a while")):
        assert told(story.asked) == story
    assert "Tellingrad" in "".join(aside.pieces)
    assert "Tellingrad" in "".join(told("Where was Zorvan Pelk born?"))  # type: ignore[arg-type]
    assert STORY.pieces == Story(17, 12).pieces != Story(18, 12).pieces


def test_growth_is_told_from_noise() -> None:
    seconds = list(range(0, 3600, 10))
    saw = [100 + (i % 7) for i in range(len(seconds))]
    flat = trend(seconds, saw)
    assert flat is not None
    assert flat.flat(0.02)
    grown = trend(seconds, [value + s / 360 for s, value in zip(seconds, saw, strict=True)])  # 10 an hour
    assert grown is not None
    assert grown.slope == pytest.approx(10, abs=3 * grown.stderr + 0.1)
    assert not grown.flat(0.02)
    assert trend(seconds[:5], saw[:5]) is None


def test_what_must_not_be_in_the_log_is_found(tmp_path: Path) -> None:
    file = tmp_path / "serve.log"
    file.write_text(
        'Letheward guards the model.\n{"event": "internal_error"}\nTraceback (most recent call last):\n'
        '{"event": "event_loop_stalled", "ms": 70, "cause": "blocked", "stalls": 2, '
        '"timestamp": "2026-01-01T00:00:00.5Z"}\n{"event": "upstream_fault"}\n'
    )
    logged = read_log(file)
    assert logged.bad == {"internal_error": 1, "traceback": 1}
    assert [(s.ms, s.cause, s.stalls) for s in logged.stalls] == [(70, "blocked", 2)]
