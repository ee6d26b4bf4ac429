"""An entry's own strength and template go before its list's."""

from __future__ import annotations

from datetime import UTC, datetime

from classifiers.registry import create_encoder
from classifiers.types import Span, Verdict
from guard.dragon import guard_text
from guard.effects import Ask
from guard.model import EcoFit, Entry, ForgetList
from guard.router import plan
from guard.vectors_only import keep, new_salt

LISTS = {"a": ForgetList("a", sigma=3.0), "b": ForgetList("b", sigma=5.0, corruption="flip_sign_first_n", dims=4)}
FITS = {("a", "m"): EcoFit("a", "m", 8.0, "rand_noise_first_n", 2)}


def _entry(list_name: str, entry_id: str, sigma: float | None = None, template: str | None = None) -> Entry:
    return Entry(entry_id, list_name, subject="Zorvan Pelk", sigma=sigma, template=template)


ENTRIES = {
    (e.list_name, e.entry_id): e
    for e in (_entry("a", "plain"), _entry("a", "weak", 1.0), _entry("a", "none", 0.0), _entry("b", "strong", 30.0))
}


def _way(*found: tuple[str, str], model: str = "other") -> tuple[float, str, int | None, str]:
    verdicts = [tuple(Verdict(name, entry_id, 1.0, 0.5, (Span(0, 2),), ()) for name, entry_id in found)]
    planned = plan(verdicts, LISTS, ENTRIES, rewritable=[True], eco_available=True, fits=FITS, model=model)
    (eco,) = planned.eco
    return eco.sigma, eco.corruption, eco.dims, eco.seed_key


def test_an_entrys_own_strength_goes_before_its_lists_and_before_a_fit() -> None:
    assert _way(("a", "plain")) == (3.0, "gaussian", None, "a")
    assert _way(("a", "weak")) == (1.0, "gaussian", None, "a")
    assert _way(("a", "none")) == (0.0, "gaussian", None, "a")
    assert _way(("a", "plain"), model="m") == (8.0, "rand_noise_first_n", 2, "a")
    assert _way(("a", "weak"), model="m") == (1.0, "rand_noise_first_n", 2, "a")


def test_of_several_entries_in_one_text_the_strongest_counts() -> None:
    assert _way(("a", "weak"), ("a", "plain")) == (3.0, "gaussian", None, "a")
    assert _way(("a", "plain"), ("b", "strong")) == (30.0, "flip_sign_first_n", 4, "a+b")


def test_an_entrys_own_template_goes_before_its_lists() -> None:
    item = ForgetList("a", policy="dragon", template="The list says: {{ guideline }}", guideline="Say nothing.")
    texts = [
        guard_text(Ask(item, _entry("a", "1", template=own), "Who?", "m"), "because").before.strip()
        for own in (None, "This entry says: {{ guideline }}")
    ]
    assert texts == ["The list says: Say nothing.", "This entry says: Say nothing."]


def test_without_texts_an_entry_keeps_how_it_is_guarded_and_until_when_but_not_where_it_came_from() -> None:
    until = datetime(2090, 1, 1, tzinfo=UTC)
    entry = Entry(
        "1", "a", subject="Zorvan Pelk", action="dragon", sigma=2.0, template="t", expires_at=until,
        labels=("Pelk",), source="Pelk's letter",
    )  # fmt: skip
    (kept,) = keep([entry], create_encoder("minilm-int8"), new_salt())
    assert (kept.action, kept.sigma, kept.template, kept.expires_at) == ("dragon", 2.0, "t", until)
    assert "Pelk" not in repr(kept)
