"""`letheward verify`."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import pytest

from guard.model import ForgetList
from tests.server.conftest import Run, command_line
from tests.server.verifying.conftest import Place

SMALL = ("--per-kind", "1", "--samples", "1", "--kind", "question", "--kind", "paraphrase", "--tolerance", "0.6")


@pytest.fixture
def verify(place: Place, tmp_path: Path) -> Run:
    return partial(command_line(place.url, tmp_path, timeout=300), "verify")


def test_it_writes_a_record_that_it_checks_again(verify: Run, place: Place, tmp_path: Path) -> None:
    file, html = tmp_path / "record.json", tmp_path / "record.html"
    done = verify("people", *SMALL, "--json", str(file), "--html", str(html))
    assert "It holds: 0 of" in done.stdout
    assert "The guard makes the difference" in done.stdout
    assert re.search(r"(asking|waiting for another verification): \d+ of \d+", done.stderr)
    assert html.read_text().startswith("<!doctype html>")
    checked = verify("--check", str(file), "--public-key", place.signer.public)
    assert "It holds: 0 of" in checked.stdout
    assert "figures follow from the counts" in checked.stdout
    assert "give --public-key" in verify("--check", str(file)).stdout


def test_a_record_that_was_changed_is_told_from_one_that_was_not(verify: Run, place: Place, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    verify("people", *SMALL, "--json", str(file))
    document = json.loads(file.read_text())
    document["record"]["live"]["answers"]["upper"] = 0.001
    file.write_text(json.dumps(document))
    assert "FORGED" in verify("--check", str(file), code=1).stderr
    file.write_text(json.dumps(place.signer.sign(document["record"])))  # signed by somebody who reckons badly
    assert "record.live.answers" in verify("--check", str(file), code=1).stderr
    file.write_text("{}")
    assert "FORGED" in verify("--check", str(file), code=1).stderr
    file.write_text("no JSON")
    verify("--check", str(file), code=2)
    verify("--check", str(tmp_path / "none"), code=2)


def test_what_does_not_hold_ends_with_1(verify: Run, place: Place) -> None:
    place.manager.change(lambda s: s.put_list(ForgetList("people", policy="monitor")))
    assert "It does not hold" in verify("people", *SMALL, "--tolerance", "0.1", code=1).stdout


def test_a_list_is_verified_again_and_again_until_never(verify: Run, place: Place) -> None:
    assert "every 12h" in verify("people", *SMALL, "--every", "12h").stdout
    assert place.get("/lists/people/schedule")["every_seconds"] == 12 * 3600
    verify("people", "--every", "never")
    assert place.client.get("/admin/v1/lists/people/schedule").status_code == 404
    verify("people", "--every", "often", code=2)
    verify(code=2)
