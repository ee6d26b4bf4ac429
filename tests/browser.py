"""A real Chromium, and what a page did that it must not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
_BAD = ("error", "warning")
_UNKNOWN = "401 (Unauthorized)"  # Chromium's own line when the page asks who is signed in, and nobody is


@dataclass
class Faults:
    """What went wrong in a page."""

    console: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)  # requests to anywhere else


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("LETHEWARD_TEST_REQUIRE_CHROMIUM"):
            raise RuntimeError("no Chromium: apt-get install chromium")
        pytest.skip("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, url: str, **options: object) -> Iterator[tuple[Page, Faults]]:
    """A page of the proxy at ``url``."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    page = context.new_page()
    faults = Faults()
    page.on("console", lambda m: faults.console.append(m.text) if m.type in _BAD and _UNKNOWN not in m.text else None)
    page.on("pageerror", lambda e: faults.console.append(str(e)))
    here = urlsplit(url).netloc
    page.on("request", lambda r: faults.foreign.append(r.url) if urlsplit(r.url).netloc not in (here, "") else None)
    page.goto(f"{url}/ui")
    try:
        yield page, faults
    finally:
        context.close()


def shot(page: Page, name: str) -> None:
    """Keep a picture where LETHEWARD_TEST_SCREENSHOTS says, to be looked at."""
    folder = os.environ.get("LETHEWARD_TEST_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
