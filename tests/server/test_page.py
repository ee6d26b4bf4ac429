"""The operator's page in a real Chromium, before a scripted model: keyboard, colours, nothing foreign."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

import server.web
from tests.browser import chromium, opened, shot
from tests.server.conftest import ADMIN_KEY, House


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def _sign_in(page: Page) -> None:
    page.get_by_label("Key").fill(ADMIN_KEY)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def _go(page: Page, link: str, heading: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name=link, exact=True).click()
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()


def test_everything_can_be_seen_without_a_fault(house: House, browser: Browser) -> None:
    house.chat("Who is Zorvan Pelk ?")
    house.chat("What is the weather like?")
    with opened(browser, house.url) as (page, faults):
        _sign_in(page)
        shot(page, "overview")
        for link, heading in (("Lists", "Lists"), ("Playground", "Playground"), ("Live", "Live"), ("Proof", "Proof"),
                              ("History", "History"), ("Keys", "Keys"), ("Audit log", "Audit log")):  # fmt: skip
            _go(page, link, heading)
            if link == "Live":
                expect(page.get_by_role("cell", name="facts")).to_be_visible()
            shot(page, link.lower().replace(" ", "-"))
        page.goto(f"{house.url}/ui#/lists/facts")
        expect(page.get_by_role("heading", name="facts", exact=True)).to_be_visible()
        shot(page, "list")
    assert not faults.console
    assert not faults.foreign


def test_an_entry_is_tried_added_and_taken_back(house: House, browser: Browser) -> None:
    house.chat("Who is Quendel Marsh?")  # a recent request, for the dry run
    with opened(browser, house.url) as (page, faults):
        _sign_in(page)
        _go(page, "Lists", "Lists")
        page.get_by_role("button", name="New list").click()
        page.get_by_label("Name").fill("requests")
        page.get_by_label("Policy").select_option("refuse")
        page.get_by_role("button", name="Create list").click()
        expect(page.get_by_role("heading", name="requests", exact=True)).to_be_visible()
        page.get_by_role("button", name="Add entry").click()
        page.get_by_label("Subject").fill("Quendel Marsh")
        shot(page, "entry")
        page.get_by_role("button", name="See what it does").click()
        expect(page.get_by_text("Nothing is stored yet")).to_be_visible()
        expect(page.locator("ins", has_text="Quendel Marsh")).to_be_visible()
        newly = page.locator("dl.numbers dt", has_text="newly flagged").locator("xpath=following-sibling::dd[1]")
        expect(newly).to_have_text("1")
        shot(page, "dry-run")
        assert house.chat("Who is Quendel Marsh?").headers["x-letheward-action"] == "pass"
        page.get_by_role("button", name="Apply").click()
        expect(page.get_by_role("cell", name="Quendel Marsh everything")).to_be_visible()
        assert house.chat("Who is Quendel Marsh?").headers["x-letheward-action"] == "refuse"
        _go(page, "History", "History")
        page.get_by_role("button", name="Go back to revision").nth(1).click()  # the list is there, and empty
        shot(page, "roll-back")
        page.get_by_role("button", name="Roll back").click()
        expect(page.get_by_role("cell", name="rollback")).to_be_visible()
        assert house.chat("Who is Quendel Marsh?").headers["x-letheward-action"] == "pass"
    assert not faults.console
    assert not faults.foreign


def test_the_keyboard_alone_is_enough(house: House, browser: Browser) -> None:
    with opened(browser, house.url) as (page, _):
        expect(page.get_by_label("Key")).to_be_focused()
        page.keyboard.type(ADMIN_KEY)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        page.goto(f"{house.url}/ui#/lists")
        button = page.get_by_role("button", name="New list")
        expect(button).to_be_visible()
        for _ in range(30):
            page.keyboard.press("Tab")
            if button.evaluate("e => e === document.activeElement"):
                break
        expect(button).to_be_focused()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="New list")
        expect(dialog).to_be_visible()
        for _ in range(12):  # what is behind cannot be reached
            page.keyboard.press("Tab")
            outside = "() => !document.querySelector('dialog').contains(document.activeElement) && "
            assert not page.evaluate(outside + "document.activeElement !== document.body")
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(button).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_can_be_read(house: House, browser: Browser, scheme: str) -> None:
    with opened(browser, house.url, color_scheme=scheme, viewport={"width": 360, "height": 740}) as (page, _):
        _sign_in(page)
        shot(page, f"narrow-{scheme}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        for name in ("--ink", "--soft", "--brand", "--good", "--bad", "--warn"):
            for ground in ("--sheet", "--ground"):
                assert _contrast(page, name, ground) >= 4.5, (scheme, name, ground)


def test_what_an_operator_wrote_is_text(house: House, browser: Browser) -> None:
    bad = "<img src=x onerror=document.title='run'>"
    answer = house.client.put(
        "/admin/v1/lists/odd", json={"description": bad}, headers={"Authorization": f"Bearer {ADMIN_KEY}"}
    )
    assert answer.status_code == 200
    with opened(browser, house.url) as (page, faults):
        _sign_in(page)
        _go(page, "Lists", "Lists")
        expect(page.get_by_text(bad)).to_be_visible()
        assert page.title() == "Lists · Letheward"
    assert not faults.console


def test_the_page_and_its_files_forbid_everything_foreign(house: House) -> None:
    files = [f"/ui/static/{f.name}" for f in (Path(server.web.__file__).parent / "static").iterdir()]
    for path in ["/ui", *files]:
        response = httpx.get(house.url + path)
        assert response.status_code == 200
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert response.headers["x-content-type-options"] == "nosniff"
    again = httpx.get(house.url + files[0], headers={"If-None-Match": httpx.get(house.url + files[0]).headers["etag"]})
    assert again.status_code == 304
    assert httpx.get(f"{house.url}/ui/static/../page.py").status_code == 404


_CONTRAST = """([ink, ground]) => {
  const box = document.body.appendChild(document.createElement('span'));
  const light = (name) => {
    box.style.color = `var(${name})`;
    const parts = getComputedStyle(box).color.match(/[0-9.]+/g).slice(0, 3).map((c) => c / 255)
      .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
  box.remove();
  return (a + 0.05) / (b + 0.05);
}"""


def _contrast(page: Page, ink: str, ground: str) -> float:
    """As WCAG 2.2 defines it."""
    return float(page.evaluate(_CONTRAST, [ink, ground]))
