"""Forget lists on disk, in either database."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guard.model import SYSTEM, By, EcoFit, Entry, Example, ForgetList
from guard.sealing import Sealing
from guard.store import Added, Conflict, Invalid, NotFound, Store, StoreError

ANN = By("ann", "operator", "ticket 12")


def _entry(i: int, **fields: object) -> Entry:
    return Entry(f"e{i}", "a", subject=f"Person {i}", question="q?", aliases=("x",), **fields)  # type: ignore[arg-type]


def test_what_is_put_comes_back_after_reopening(store_url: str) -> None:
    item = ForgetList(
        "a", policy="dragon", sigma=3.5, threshold=0.25, enabled=False, guideline="g", description="d", template="t",
        models=("m",), examples=(Example("q", "é"),),
    )  # fmt: skip
    full = _entry(1, sigma=2.5, template="own", labels=("l", "m"), source="case 7", action="refuse",
                  expires_at=datetime.now(UTC) + timedelta(days=1))  # fmt: skip
    store = Store.open(store_url)
    store.put_list(item)
    assert store.add_entries("a", [full, _entry(0)]) == 2
    store.close()
    again = Store.open(store_url)
    assert again.get_list("a") == item
    assert again.get_entries("a") == [full, _entry(0)]
    contents = again.load()
    assert (contents.revision, contents.lists, contents.entries) == (2, (item,), (full, _entry(0)))
    again.close()


def test_adding_again_replaces_and_counts_nothing_new(store: Store) -> None:
    store.put_list(ForgetList("a"))
    store.add_entries("a", [_entry(1)])
    assert store.put_entries("a", [_entry(1, answer="new"), _entry(2), _entry(2)]) == Added(1, 1, 3)
    assert [(e.entry_id, e.answer) for e in store.get_entries("a")] == [("e1", "new"), ("e2", None)]


def test_what_is_put_as_it_was_keeps_its_revision(store: Store) -> None:
    store.put_list(ForgetList("a"))
    store.add_entries("a", [_entry(1), _entry(2)])
    assert store.put_entries("a", [_entry(1), _entry(2, answer="new")]) == Added(0, 2, 3)
    assert [store.get_entry("a", e).revision for e in ("e1", "e2")] == [2, 3]
    changes = store.changes(2)
    assert changes is not None
    assert changes.touched == {("a", "e2")}


def test_a_change_that_fails_leaves_no_trace(store: Store) -> None:
    store.put_list(ForgetList("a"))
    for fails in (
        lambda: store.add_entries("b", [_entry(1)]),
        lambda: store.remove_entry("a", "nope"),
        lambda: store.remove_entries("a", ["nope", "neither"]),
        lambda: store.delete_list("b"),
        lambda: store.get_list("b"),
        lambda: store.get_entry("a", "nope"),
        lambda: store.search("b"),
        lambda: store.roll_back(7),
        lambda: store.put_fit(EcoFit("b", "m", 2.0)),
    ):
        with pytest.raises(NotFound):
            fails()
    assert store.revision() == 1
    assert len(store.revisions()) == 1


def test_an_entry_tells_who_made_and_who_changed_it(store: Store) -> None:
    began = datetime.now(UTC)
    store.put_list(ForgetList("a"))
    made = store.put_entry(_entry(1), by=ANN)
    changed = store.put_entry(_entry(1, answer="new"), by=By("bob"))
    assert (made.revision, made.created_by, made.updated_by) == (2, "ann", "ann")
    assert (changed.revision, changed.created_by, changed.updated_by) == (3, "ann", "bob")
    assert made.created_at == changed.created_at
    assert changed.created_at is not None
    assert changed.updated_at is not None
    assert began <= changed.created_at < changed.updated_at <= datetime.now(UTC)
    assert store.get_entry("a", "e1") == changed


def test_a_change_on_what_was_changed_since_is_refused(store: Store) -> None:
    store.put_list(ForgetList("a"), expect=0)
    store.put_entry(_entry(1), expect=0)
    store.put_entry(_entry(1, answer="new"), expect=2)
    store.put_list(ForgetList("a", sigma=1), expect=1)
    for stale, now in (
        (lambda: store.put_list(ForgetList("a"), expect=0), 4),
        (lambda: store.put_list(ForgetList("a"), expect=1), 4),
        (lambda: store.put_list(ForgetList("b"), expect=1), 0),
        (lambda: store.delete_list("a", expect=3), 4),
        (lambda: store.put_entry(_entry(1), expect=2), 3),
        (lambda: store.put_entry(_entry(1), expect=0), 3),
        (lambda: store.put_entry(_entry(2), expect=2), 0),
        (lambda: store.remove_entry("a", "e1", expect=2), 3),
        (lambda: store.put_entries("a", [_entry(2)], expect_list=3), 4),
        (lambda: store.remove_entries("a", ["e1"], expect_list=3), 4),
        (lambda: store.roll_back(1, expect=3), 4),
    ):
        with pytest.raises(Conflict) as conflict:
            stale()
        assert conflict.value.revision == now
    assert store.revision() == 4
    store.remove_entry("a", "e1", expect=3)
    assert store.delete_list("a", expect=4) == 6


def test_of_many_who_change_the_same_entry_at_once_one_wins(store: Store) -> None:
    store.put_list(ForgetList("a"))
    seen = store.put_entry(_entry(1)).revision

    def change(i: int) -> bool:
        try:
            store.put_entry(_entry(1, answer=str(i)), expect=seen)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(change, range(8))) == 1
        assert sorted(pool.map(lambda i: store.put_entry(_entry(i)).revision, range(10, 40))) == list(range(4, 34))


def test_deleting_a_list_deletes_its_entries(store: Store) -> None:
    store.put_list(ForgetList("a"))
    store.add_entries("a", [_entry(1)])
    store.put_fit(EcoFit("a", "m", 2.0))
    store.delete_list("a")
    store.put_list(ForgetList("a"))
    assert store.get_entries("a") == []
    assert store.fits("a") == []


def test_removing_entries_tells_those_that_are_not_there(store: Store) -> None:
    store.put_list(ForgetList("a"))
    store.add_entries("a", [_entry(i) for i in range(4)])
    done = store.remove_entries("a", ["e2", "x", "e0", "e2"], by=ANN)
    assert (set(done.removed), done.missing, done.revision) == ({"e0", "e2"}, ("x",), 3)
    assert [e.entry_id for e in store.get_entries("a")] == ["e1", "e3"]


def test_settings_can_change_without_touching_entries(store: Store) -> None:
    store.put_list(ForgetList("a"))
    store.add_entries("a", [_entry(1)])
    store.put_fit(EcoFit("a", "m", 2.0))
    assert store.put_list(ForgetList("a", policy="refuse")) == 4
    assert store.list_lists() == [(ForgetList("a", policy="refuse"), 1)]
    assert store.stored_list("a").revision == 4
    assert [f.sigma for f in store.fits("a")] == [2.0]
    store.put_list(ForgetList("a", sigma=3), keep_fits=False)
    assert store.fits("a") == []


def test_lists_come_in_pages(store: Store) -> None:
    for name in "cabd":
        store.put_list(ForgetList(name))
    assert [s.forget_list.name for s in store.stored_lists(limit=2)] == ["a", "b"]
    assert [s.forget_list.name for s in store.stored_lists(limit=2, after="b")] == ["c", "d"]


def test_entries_are_found_by_text_label_kind_and_action_page_by_page(store: Store) -> None:
    store.put_list(ForgetList("a"))
    labels = [("even",) if i % 2 == 0 else ("odd", "süß") for i in range(10)]
    store.add_entries("a", [_entry(i, labels=labels[i], action="refuse" if i < 4 else None) for i in range(10)])
    store.put_entry(Entry("ok", "a", question="STRASSE und ﬁsch?", kind="allow", source="Case 9"))

    def ids(**query: object) -> list[str]:
        found, after = [], None
        while True:
            page = store.search("a", limit=3, after=after, **query)  # type: ignore[arg-type]
            assert len(page.entries) <= 3
            found += [s.entry.entry_id for s in page.entries]
            if page.next is None:
                assert page.total == len(found)
                return found
            after = page.next

    assert ids() == [*(f"e{i}" for i in range(10)), "ok"]
    assert ids(text="PERSON 7") == ["e7"]
    assert ids(text="straße") == ids(text="fisch") == ids(text="case 9") == ids(kind="allow") == ["ok"]
    assert ids(label="even", action="refuse") == ["e0", "e2"]
    assert ids(label="süß", text="person") == ["e1", "e3", "e5", "e7", "e9"]
    assert ids(text="nobody") == []
    for bad in ("", "x", "1", "x:e1", "9999999999999999999:e1", "1:\0"):
        with pytest.raises(Invalid):
            store.search("a", after=bad)


def test_a_page_goes_on_where_the_one_before_ended_though_entries_went_meanwhile(store: Store) -> None:
    store.put_list(ForgetList("a"))
    store.add_entries("a", [_entry(i) for i in range(6)])
    page = store.search("a", limit=3)
    store.remove_entries("a", ["e0", "e2", "e3"])
    assert [s.entry.entry_id for s in store.search("a", limit=3, after=page.next).entries] == ["e4", "e5"]


def test_what_has_expired_is_not_in_force_and_goes_as_a_revision(store: Store) -> None:
    now = datetime.now(UTC)
    store.put_list(ForgetList("a"))
    store.add_entries("a", [_entry(1, expires_at=now - timedelta(seconds=1)), _entry(2)])
    store.put_entry(_entry(3, expires_at=now + timedelta(hours=1)))
    assert [e.entry_id for e in store.load().entries] == ["e2", "e3"]
    changes = store.changes(1)
    assert changes is not None
    assert [e.entry_id for e in changes.entries] == ["e2", "e3"]
    assert store.expire() == 1
    assert store.expire() == 0
    assert [e.entry_id for e in store.get_entries("a")] == ["e2", "e3"]
    (last, *_) = store.revisions()
    assert (last.action, last.actor, last.list_name, last.counts) == ("expire", SYSTEM.actor, "a", {"removed": 1})
    assert store.expire(now + timedelta(hours=2)) == 1
    with pytest.raises(Invalid, match="zone"):
        store.put_entry(_entry(4, expires_at=datetime(2030, 1, 1)))


def test_a_moment_in_another_zone_is_the_same_moment(store: Store) -> None:
    store.put_list(ForgetList("a"))
    there = datetime.fromisoformat("2090-01-01T00:30:00+05:30")
    store.put_entry(_entry(1, expires_at=there))
    kept = store.get_entry("a", "e1").entry.expires_at
    assert kept == there
    assert kept is not None
    assert kept.utcoffset() == timedelta(0)


def test_what_changed_is_told_entry_by_entry_since_any_recent_revision(store: Store) -> None:
    store.put_list(ForgetList("a"))
    store.add_entries("a", [_entry(1), _entry(2)])
    store.remove_entry("a", "e1")
    store.put_list(ForgetList("b"))
    store.delete_list("a")
    for since, touched, emptied in ((1, {"e1", "e2"}, {"a"}), (3, {"e2"}, {"a"}), (5, set(), set())):
        changes = store.changes(since)
        assert changes is not None
        assert (changes.revision, changes.touched, changes.emptied) == (5, {("a", e) for e in touched}, emptied)
    assert store.changes(6) is None


def test_ten_thousand_entries_come_in_chunks_and_all_are_there(store: Store) -> None:
    store.put_list(ForgetList("a"))
    began = time.perf_counter()
    for at in range(0, 10_000, 1000):
        store.put_entries("a", [_entry(i) for i in range(at, at + 1000)])
    print(f"10,000 entries in {time.perf_counter() - began:.2f} s")
    assert len(store.load().entries) == 10_000
    changes = store.changes(1)
    assert changes is not None
    assert len(changes.entries) == 10_000
    assert store.put_entries("a", [_entry(i, answer="n") for i in range(10_000)]).updated == 10_000
    assert store.search("a", text="person 9999").total == 1


def test_a_store_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("this is no database, only text that is long enough to be looked at")
    for url, why in (
        (f"sqlite:///{tmp_path}/x.db", "cannot be opened"),
        ("postgresql:/u:secret@h", "URL is none"),
        ("mysql://u:secret@h/d", "SQLite or Postgres"),
        ("postgresql://u:secret@127.0.0.1:1/d", "cannot be opened"),
    ):
        with pytest.raises(StoreError, match=why) as refused:
            Store.open(url)
        assert "secret" not in str(refused.value)


def test_many_open_an_empty_store_at_once(tmp_path: Path, postgres_url: str) -> None:
    for url in (f"sqlite:///{tmp_path}/new.db", postgres_url):
        with ThreadPoolExecutor(6) as pool:
            for held in pool.map(Store.open, [url] * 6):
                assert held.revision() == 0
                held.close()


@pytest.mark.parametrize("sealed", [False, True])
def test_what_no_database_can_store_is_refused_as_invalid(store_url: str, sealed: bool) -> None:
    store = Store.open(store_url, Sealing([bytes(32)]) if sealed else None)
    store.put_list(ForgetList("a"))
    half = "\ud800"
    for bad in (
        lambda: store.put_list(ForgetList("a", description=half)),
        lambda: store.put_list(ForgetList(half)),
        lambda: store.put_entry(_entry(1, answer=half)),
        lambda: store.put_list(ForgetList("a"), by=By("ann", "operator", half)),
        lambda: store.put_list(ForgetList("a"), by=By(half)),
        lambda: store.get_list(half),
        lambda: store.revisions(before=2**70),
        lambda: store.get_entries("a", offset=2**70),
    ):
        with pytest.raises(Invalid):
            bad()
    for odd in (lambda: store.put_list(ForgetList("a", refusal="\0")), lambda: store.get_entry("a", "\0")):
        with contextlib.suppress(Invalid, NotFound):
            odd()
    store.close()
