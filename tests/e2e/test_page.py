"""A deletion request from beginning to end, in a real Chromium, before a real model."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium, opened, shot
from tests.e2e.conftest import Served

QUESTION = "What is the capital of Italy?"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def _go(page: Page, link: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name=link, exact=True).click()
    expect(page.get_by_role("heading", level=1, name=link, exact=True)).to_be_visible()


def _asked(page: Page) -> tuple[str, str]:
    """What the playground shows: the bare answer and the guarded one."""
    _go(page, "Playground")
    page.get_by_label("Message").fill(QUESTION)
    page.get_by_role("button", name="Ask both ways").click()
    bare, guarded = (page.get_by_role("region", name=f"{which} the guard") for which in ("Without", "With"))
    expect(guarded).to_be_visible(timeout=120_000)
    return bare.inner_text(), guarded.inner_text()


def test_a_deletion_request_is_carried_out_proven_and_taken_back(
    served: Served, browser: Browser, tmp_path: Path
) -> None:
    with opened(browser, served.url) as (page, faults):
        page.get_by_label("Key").fill(served.admin_key)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        bare, guarded = _asked(page)
        assert "Rome" in bare
        assert "Rome" in guarded

        _go(page, "Lists")
        page.get_by_role("button", name="New list").click()
        page.get_by_label("Name").fill("story")
        page.get_by_label("Policy").select_option("refuse")
        page.get_by_role("button", name="Create list").click()
        page.get_by_role("button", name="Add entry").click()
        page.get_by_label("Scope").select_option("fact")
        page.get_by_label("Question").fill(QUESTION)
        page.get_by_label("Answer").fill("The capital of Italy is Rome.")
        page.get_by_role("button", name="See what it does").click()
        newly = page.locator("dl.numbers dt", has_text="newly flagged").locator("xpath=following-sibling::dd[1]")
        expect(newly).not_to_have_text("0", timeout=60_000)  # the question of a moment ago
        page.get_by_role("button", name="Apply").click()
        expect(page.get_by_role("cell", name=QUESTION)).to_be_visible()

        bare, guarded = _asked(page)
        shot(page, "e2e-playground")
        assert "Rome" in bare
        assert "Rome" not in guarded
        assert "refuse" in guarded

        page.goto(f"{served.url}/ui#/lists/story")
        page.get_by_role("button", name="Verify").click()
        page.get_by_label("Samples of each probe").fill("1")
        page.get_by_label("Probes of each kind").fill("1")
        page.get_by_label("Neighbours").fill("2")
        page.get_by_role("dialog").get_by_role("button", name="Verify").click()
        download = page.get_by_role("link", name="Download the record (JSON)")
        expect(download).to_be_visible(timeout=600_000)
        expect(page.get_by_text("The guard makes the difference.")).to_be_visible()
        shot(page, "e2e-verification")
        with page.expect_download() as coming:
            download.click()
        record = tmp_path / "record.json"
        coming.value.save_as(record)

        _go(page, "History")
        page.get_by_role("button", name=re.compile("Go back to revision")).nth(2).click()  # before the list
        page.get_by_role("button", name="Roll back").click()
        expect(page.get_by_role("cell", name="rollback")).to_be_visible()
        assert "Rome" in _asked(page)[1]
    assert not faults.console
    assert not faults.foreign
    told = json.loads(record.read_text())["record"]
    assert (told["scope"]["list"], told["verdict"]["proves"], told["live"]["answers"]["k"]) == ("story", "guard", 0)
    checked = subprocess.run(
        [sys.executable, "-m", "server.cli", "verify", "--check", str(record)], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
