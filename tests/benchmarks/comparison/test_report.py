"""The report of a comparison, as a page and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from benchmarks.comparison.outcome import Comparison, Cost, Outcome
from benchmarks.comparison.report.catalogue import Catalogue, registered
from benchmarks.comparison.report.html import html, write_html
from benchmarks.comparison.report.markdown import markdown
from benchmarks.comparison.report.numbers import counted, duration, plain, size, with_error
from benchmarks.comparison.report.view import View
from benchmarks.metrics.metric import Measured, Undefined
from tests.benchmarks.comparison.report_made import CATALOGUE, NO_PROBABILITIES, hostile, made
from tests.browser import chromium

HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}{% raw %}", "$\\frac{1}{$ ^_",
    "]]></style></svg><svg onload=alert(1)>", "' onmouseover='alert(1)", "| a | b |\n# c",
    "名前\u202e\x00\ud800\x1b[31m", "_hidden", "javascript:alert(1)//" + "x" * 300, "",
)  # fmt: skip


class Elements(HTMLParser):
    """Every tag with its attributes, and the visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@cache
def page() -> str:
    return html(made(), CATALOGUE)


@cache
def hostile_page() -> str:
    return html(hostile(*HOSTILE), CATALOGUE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def test_figures_stand_with_their_errors_and_the_number_of_questions() -> None:
    text = Elements(page()).text
    for shown in (
        "0.340 ± 0.008",
        "0.900 ± 0.021",
        "48,000",
        "1.00e-09",
        "n = 40",
        "2.17 min",
        "540 MiB",
        "10 Wh",
        "20.0 ms",
    ):
        assert shown in text, shown


def test_what_is_not_available_says_why_in_a_tooltip_and_in_a_note() -> None:
    tags = Elements(page()).tags
    assert ("abbr", {"title": NO_PROBABILITIES}) in tags
    notes = {attributes["id"] for tag, attributes in tags if tag == "li" and "id" in attributes}
    asked = {
        (attributes["href"] or "")[1:] for tag, attributes in tags if (attributes.get("href") or "").startswith("#note")
    }
    assert asked - {"notes"} == notes
    assert f">{NO_PROBABILITIES}</li>" in page()
    assert "failed: OutOfMemoryError: 12 GiB wanted" in page()


def test_the_page_says_how_to_repeat_each_method_and_what_it_means_to_do() -> None:
    text = Elements(page()).text
    assert "letheward bench run --profile cpu --methods npo" in text
    assert "divergence, means to suppress" in text
    assert "arXiv 2404.05868" in text
    assert "Built from" in text
    assert "authors' code" in text


def test_break_even_numbers_stand_in_the_table() -> None:
    for shown in (
        "NPO up to 2, guard from 3",
        "NPO up to 35, guard from 36",
        "29,990",
        "3,000×",
        "retraining up to 3, guard from 4",
    ):
        assert shown in page(), shown
        assert shown in markdown(made(), CATALOGUE), shown


@pytest.mark.parametrize("text", [page, hostile_page])
def test_nothing_is_loaded_and_nothing_runs_whatever_the_texts(text: Callable[[], str]) -> None:
    for tag, attributes in Elements(text()).tags:
        assert tag not in ("script", "img", "iframe", "object", "embed", "base"), tag
        assert not any(name.startswith("on") for name in attributes), attributes
        for name in ("src", "href", "xlink:href", "action", "data"):
            assert (attributes.get(name) or "#").startswith(("#", "data:,")), attributes


def test_hostile_texts_are_shown_as_they_are() -> None:
    shown = Elements(hostile_page()).text
    for text in HOSTILE[:6]:
        assert text in shown, text
    assert "<script" not in markdown(hostile(HOSTILE[0]), CATALOGUE).replace("\\<script", "")


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_tables_keep_their_columns_whatever_the_texts(text: str) -> None:
    for table in re.findall(r"(?:^\|.*\n)+", markdown(hostile(text), CATALOGUE), re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table


def test_the_same_comparison_gives_the_same_bytes(tmp_path: Path) -> None:
    write_html(made(), tmp_path / "new" / "report.html", CATALOGUE)
    assert (tmp_path / "new" / "report.html").read_text(encoding="utf-8") == page()
    assert markdown(made(), CATALOGUE) == markdown(made(), CATALOGUE)


def test_ids_are_unique_and_every_chart_has_a_title_and_a_description() -> None:
    tags = Elements(page()).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    charts = [attributes for tag, attributes in tags if tag == "svg"]
    assert len(charts) >= 7
    for chart in charts:
        assert chart["role"] == "img"
        assert set((chart["aria-labelledby"] or "").split()) <= set(ids)


def test_every_table_has_a_caption_and_every_head_a_scope() -> None:
    tags = Elements(page()).tags
    assert sum(tag == "table" for tag, _ in tags) == sum(tag == "caption" for tag, _ in tags) > 5
    assert all("scope" in attributes for tag, attributes in tags if tag == "th")


def test_charts_keep_their_text_as_text() -> None:
    assert ">ROUGE-L retain (higher is better)</text>" in page()
    assert "mathdefault" not in page()
    assert re.search(r"#0[ef]000", page()) is None


def test_best_is_bold_only_where_no_other_interval_reaches_it() -> None:
    view = View(made(), CATALOGUE)
    best = {h.name: {view.rows[n - 1].outcome.name for n in view.best(h)} for h in view.headings}
    assert best["perplexity"] == {"idk_dpo"}
    assert best["retain_rouge"] == {"npo", "simnpo", "eco", "dragon", "refuse"}
    assert best["forget_rouge"] == {"rmu", "npo", "eco"}  # nearest to the retained model's 0.36
    assert best["forget_quality"] == {"npo", "simnpo", "ga", "rmu", "idk_dpo"}  # no standard error: nothing is known


def test_a_comparison_of_next_to_nothing_has_a_page_too() -> None:
    empty = Comparison({}, {}, ())
    odd = {
        "forget_rouge": Measured(float("nan"), float("nan"), 0),
        "x": Measured(float("inf"), 0.0, 1),
        "y": Undefined("no"),
    }
    one = Comparison({}, {}, (Outcome("eco", {}, Cost(float("nan")), odd),))
    for comparison in (empty, one, replace(made(), outcomes=made().outcomes[:1])):
        assert "No answer" in html(comparison, CATALOGUE)
        assert "No answer" in markdown(comparison, CATALOGUE)


def test_names_that_no_registry_knows_stand_for_themselves() -> None:
    found = registered(Comparison({}, {}, (Outcome("npo", {}, Cost(1.0), {"forget_rouge": Undefined("no")}),)))
    assert found.card("npo").title == "NPO"
    assert found.heading("forget_rouge").title == "ROUGE-L forget"
    bare = Catalogue({}, {})
    assert (bare.card("new").title, bare.heading("a_b").title) == ("new", "a b")
    assert (bare.heading("attack: leet_speak").title, bare.heading("attack: leet_speak").about) == (
        "leet speak",
        "attack",
    )
    assert "No answer" in markdown(made(), bare)


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (duration(0.0021), "2.10 ms"), (duration(None), "n/a"), (duration(7260), "2.02 h"), (duration(100), "100 s"),
        (size(1536), "1.50 KiB"), (size(None), "n/a"), (counted(12345.4), "12,345"), (plain(-0.25), "−0.250"),
        (plain(float("inf")), "∞"), (plain(2e12), "2.00e+12"), (with_error(0.5, float("nan")), "0.500"),
        (with_error(0.5, 0.0001), "0.500 ± <0.001"),
    ],
)  # fmt: skip
def test_numbers_have_units_and_three_digits(shown: str, text: str) -> None:
    assert shown == text


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1280, "light")])
def test_a_browser_shows_it_offline_without_complaint_or_overflow(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    (tmp_path / "report.html").write_text(hostile_page(), encoding="utf-8", errors="replace")
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)  # type: ignore[arg-type]
    tab, told = context.new_page(), list[str]()
    tab.on("console", lambda message: told.append(message.text))
    tab.on("pageerror", lambda error: told.append(str(error)))
    tab.on(
        "request", lambda request: told.append(request.url) if not request.url.startswith(("file:", "data:")) else None
    )
    tab.goto((tmp_path / "report.html").as_uri())
    tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert told == []
    context.close()


def test_details_open_and_tables_scroll_by_the_keyboard(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(page(), encoding="utf-8")
    tab = browser.new_page(viewport={"width": 390, "height": 800})
    tab.goto((tmp_path / "report.html").as_uri())
    card = tab.locator("#methods details").first
    card.locator("summary").focus()
    tab.keyboard.press("Enter")
    assert card.get_attribute("open") is not None
    scroll = tab.locator(".scroll").first
    scroll.focus()
    tab.keyboard.press("ArrowRight")
    expect(scroll).not_to_have_js_property("scrollLeft", 0)  # wait_for_function would need the page's leave to eval
    tab.close()
