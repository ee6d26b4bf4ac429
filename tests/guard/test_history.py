"""Every revision is kept with what it changed, and there is a way back to it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from guard import audit
from guard.model import By, EcoFit, Entry, ForgetList, Kept
from guard.schema import AuditHeadRow, AuditRow
from guard.store import Difference, Invalid, NotFound, Store

ANN = By("ann", "operator", "ticket 12")
KEPT = Kept("enc", 2, (), "00" * 16, (), (), 1)


def _entry(i: int, list_name: str = "a", **fields: object) -> Entry:
    return Entry(f"e{i}", list_name, subject=f"Person {i}", **fields)  # type: ignore[arg-type]


def _bare(i: int, list_name: str = "a") -> Entry:
    return Entry(f"e{i}", list_name, kept=KEPT)


def _state(store: Store) -> tuple[object, ...]:
    contents = store.load()
    return contents.lists, contents.entries


def test_a_revision_tells_who_did_what_and_why(store: Store) -> None:
    store.put_list(ForgetList("a"), by=ANN)
    store.put_entry(_entry(1), by=ANN)
    store.put_entries("a", [_entry(1, answer="x"), _entry(2), _entry(3)])
    store.remove_entry("a", "e2", by=By("bob"))
    store.put_list(ForgetList("b"))
    told = [(r.revision, r.actor, r.action, r.list_name, r.reason, dict(r.counts)) for r in store.revisions()]
    assert told == [
        (5, "system", "list.put", "b", "", {}),
        (4, "bob", "entry.remove", "a", "", {"removed": 1}),
        (3, "system", "entries.put", "a", "", {"added": 2, "updated": 1}),
        (2, "ann", "entry.add", "a", "ticket 12", {"added": 1}),
        (1, "ann", "list.put", "a", "ticket 12", {}),
    ]
    assert [r.revision for r in store.revisions(list_name="a", before=4, limit=2)] == [3, 2]
    assert store.revision_info(4).actor == "bob"
    for none in (0, 6, -1, 2**40):
        with pytest.raises(NotFound):
            store.revision_info(none)


def test_a_revision_tells_what_was_before_and_after(store: Store) -> None:
    store.put_list(ForgetList("a"))
    store.put_entry(_entry(1))
    store.put_list(ForgetList("a", sigma=2))
    store.put_entries("a", [_entry(1, answer="x"), _entry(2)])
    store.delete_list("a")
    assert store.diff(1) == [Difference("a", None, None, ForgetList("a"))]
    assert store.diff(3) == [Difference("a", None, ForgetList("a"), ForgetList("a", sigma=2))]
    assert store.diff(4) == [
        Difference("a", "e1", _entry(1), _entry(1, answer="x")),
        Difference("a", "e2", None, _entry(2)),
    ]
    gone = [
        Difference("a", None, ForgetList("a", sigma=2), None),
        Difference("a", "e1", _entry(1, answer="x"), None),
        Difference("a", "e2", _entry(2), None),
    ]
    assert store.diff(5) == gone
    assert store.diff(5, offset=1, limit=1) == gone[1:2]
    with pytest.raises(NotFound):
        store.diff(6)


def test_a_list_goes_back_to_what_it_was_and_the_way_back_is_a_revision_too(store: Store) -> None:
    store.put_list(ForgetList("a", sigma=2))
    store.put_entries("a", [_entry(1), _entry(2), _entry(3)], by=ANN)
    store.put_list(ForgetList("b"))
    then = _state(store)
    made = store.get_entry("a", "e2").created_at
    store.put_fit(EcoFit("a", "m", 9.0))
    store.put_entry(_entry(1, answer="x"))
    store.remove_entry("a", "e2")
    store.put_entry(_entry(4))
    store.put_list(ForgetList("a", sigma=5))
    planned = store.plan_roll_back(3)
    changed = _state(store)
    assert {(d.list_name, d.entry_id) for d in planned} == {("a", None), ("a", "e1"), ("a", "e2"), ("a", "e4")}
    assert store.roll_back(3, by=ANN, expect=8) == 9
    assert _state(store) == then
    assert [f.sigma for f in store.fits("a")] == [9.0]
    back = store.get_entry("a", "e2")
    assert (back.created_by, back.created_at, back.updated_by, back.revision) == ("ann", made, "ann", 9)
    info = store.revision_info(9)
    assert (info.action, info.list_name, info.counts) == ("rollback", None, {"updated": 1, "added": 1, "removed": 1})
    assert sorted(map(repr, store.diff(9))) == sorted(map(repr, planned))
    assert store.plan_roll_back(3) == []
    store.roll_back(8)
    assert _state(store) == changed


def test_a_deleted_list_comes_back_with_its_entries_in_order(store: Store) -> None:
    store.put_list(ForgetList("a", policy="refuse"))
    store.put_entries("a", [_entry(i) for i in (3, 1, 2)])
    then = _state(store)
    store.delete_list("a")
    store.put_list(ForgetList("b"))
    store.roll_back(2, list_name="a")
    assert [item.name for item in store.load().lists] == ["a", "b"]
    store.roll_back(2)
    assert _state(store) == then
    store.roll_back(0)
    assert _state(store) == ((), ())
    assert [r.revision for r in store.revisions(list_name="a")] == [7, 5, 3, 2, 1]


def test_only_the_list_that_is_named_goes_back(store: Store) -> None:
    for name in "ab":
        store.put_list(ForgetList(name))
        store.put_entry(_entry(1, name))
    for name in "ab":
        store.put_entry(_entry(1, name, answer="x"))
    store.roll_back(4, list_name="a")
    assert [(e.list_name, e.answer) for e in store.load().entries] == [("a", None), ("b", "x")]
    assert store.revision_info(7).list_name == "a"


def test_running_servers_hear_what_a_way_back_changed(store: Store) -> None:
    store.put_list(ForgetList("a"))
    store.put_entries("a", [_entry(1), _entry(2)])
    store.remove_entry("a", "e1")
    store.roll_back(2)
    changes = store.changes(3)
    assert changes is not None
    assert (changes.touched, [e.entry_id for e in changes.entries]) == ({("a", "e1")}, ["e1"])


def test_there_is_no_way_back_before_the_history_began(store: Store) -> None:
    store.put_list(ForgetList("a"))
    store.put_list(ForgetList("a", sigma=1))
    store.put_list(ForgetList("a", sigma=2))
    with store.writing() as session:  # as in a store that an earlier release made
        session.execute(text("DELETE FROM history WHERE revision < 3"))
        session.execute(text("DELETE FROM diffs WHERE revision < 3"))
    with pytest.raises(Invalid, match="begins after revision 2: 1 is too old"):
        store.plan_roll_back(1)
    assert store.roll_back(2) == 4
    assert store.get_list("a").sigma == 1
    for none in (-1, 5):
        with pytest.raises(NotFound):
            store.roll_back(none)


def test_a_list_that_loses_its_texts_loses_its_history(store: Store) -> None:
    store.put_list(ForgetList("b"))
    store.put_entry(_entry(9, "b"), by=ANN)
    store.put_list(ForgetList("a"))
    store.put_entry(_entry(1), by=By("ann", "operator", "as Person 1 asked"))
    store.put_entry(_entry(1, answer="x"))
    store.remove_entry("a", "e1")
    store.claim("k", "d")
    store.finish("k", 200, {"told": "Person 1"})
    wiped = store.put_list(ForgetList("a", keep="vectors"))
    assert store.revision_info(wiped).action == "list.wipe"
    for revision in range(3, wiped):
        assert store.diff(revision) == []
        assert store.revision_info(revision).reason == ""
    assert store.claim("k", "d") is None
    for name in (None, "a"):
        with pytest.raises(Invalid, match="for good at revision 7"):
            store.roll_back(4, list_name=name)
    store.roll_back(1, list_name="b")
    assert store.get_entries("b") == []


def test_entries_that_replace_all_leave_no_trace_of_those_before(store: Store) -> None:
    store.put_list(ForgetList("a"))
    store.put_entries("a", [_entry(1), _entry(2)])
    with pytest.raises(Invalid, match="vectors only"):
        store.put_list(ForgetList("a", keep="vectors"))
    store.replace_entries("a", [_bare(1)], by=ANN)
    store.put_list(ForgetList("a", keep="vectors"))
    assert store.get_entries("a") == [_bare(1)]
    with store.reading() as session:
        for table in ("diffs", "changes", "entries", "history", "audit"):
            held = session.execute(text(f"SELECT * FROM {table}")).all()
            assert "Person" not in str(held)
            assert "e2" not in [value for row in held for value in row]


def test_a_list_without_texts_goes_back_but_not_over_a_time_when_it_had_some(store: Store) -> None:
    store.put_list(ForgetList("a", keep="vectors"))
    store.put_entry(_bare(1))
    store.delete_list("a")
    store.roll_back(2)
    assert store.get_entries("a") == [_bare(1)]
    store.put_list(ForgetList("a"))
    store.put_entry(_entry(2))
    for _ in range(2):
        with pytest.raises(Invalid, match="has kept texts since revision 5"):
            store.roll_back(4)
        if store.revision() == 6:
            store.delete_list("a")
    store.roll_back(6)
    assert store.get_entries("a") == [_bare(1), _entry(2)]


def test_each_change_is_in_the_audit_log_without_a_text_or_an_id(store: Store) -> None:
    store.put_list(ForgetList("a"), by=ANN)
    store.put_entry(Entry("Zorvan-Pelk", "a", subject="Zorvan Pelk"), by=ANN)
    store.put_fit(EcoFit("a", "m", 2.0))
    store.roll_back(1, by=ANN)
    with pytest.raises(NotFound):
        store.remove_entry("a", "e1")
    with store.reading() as session:
        rows = session.execute(select(AuditRow).order_by(AuditRow.seq)).scalars().all()
        head = session.get(AuditHeadRow, 1)
        assert head is not None
        told = [(r.seq, r.actor, r.role, r.action, r.target, r.detail) for r in rows]
        assert told == [
            (1, "ann", "operator", "list.put", "a", {"revision": 1}),
            (2, "ann", "operator", "entry.add", audit.target("a", "Zorvan-Pelk"), {"revision": 2, "added": 1}),
            (3, "system", "system", "fit.put", "a", {"revision": 3, "model": "m", "sigma": 2.0}),
            (4, "ann", "operator", "rollback", "", {"revision": 4, "removed": 1, "to": 1}),
        ]
        assert "orvan" not in str(told)
        assert (head.seq, head.hash) == (4, rows[-1].hash)
        for row, before in zip(rows, ["0" * 64, *(r.hash for r in rows)], strict=False):
            columns = {c.name: getattr(row, c.name) for c in AuditRow.__table__.columns}
            assert (row.before, row.hash) == (before, audit.chained(before, columns))


_NAMES = st.sampled_from(["a", "b"])
_STEP = st.one_of(
    st.tuples(st.just("list"), _NAMES, st.integers(0, 2)),
    st.tuples(st.just("drop"), _NAMES, st.just(0)),
    st.tuples(st.just("put"), _NAMES, st.integers(0, 15)),
    st.tuples(st.just("remove"), _NAMES, st.integers(0, 3)),
    st.tuples(st.just("back"), st.sampled_from(["a", "b", None]), st.integers(0, 12)),
)


def _take(store: Store, start: int, kind: str, name: str | None, n: int) -> None:
    if kind == "back":
        store.roll_back(start + n, list_name=name)
    elif kind == "list":
        store.put_list(ForgetList(str(name), sigma=n))
    elif kind == "drop":
        store.delete_list(str(name))
    elif kind == "put":
        some = [_entry(i, str(name), answer=str(n)) for i in range(4) if n >> i & 1]
        store.put_entries(str(name), some)
    else:
        store.remove_entry(str(name), f"e{n}")


def _of(store: Store, name: str) -> tuple[object, ...]:
    """A list and its entries, as they are in force."""
    contents = store.load()
    return tuple(x for x in contents.lists if x.name == name), tuple(e for e in contents.entries if e.list_name == name)


@pytest.fixture(scope="module")
def in_memory() -> Iterator[Store]:
    """A store that takes no time to open or to change."""
    held = Store.open("sqlite://")
    yield held
    held.close()


@settings(max_examples=30, deadline=None, phases=[p for p in Phase if p is not Phase.shrink])
@given(st.lists(_STEP, max_size=14), st.integers(0, 14), st.sampled_from(["a", "b", None]))
def test_whatever_was_done_every_state_can_be_had_again(
    in_memory: Store, steps: list[tuple[str, str | None, int]], to: int, name: str | None
) -> None:
    store = in_memory
    start = store.roll_back(0)
    states = [{n: _of(store, n) for n in "ab"}]
    for step in steps:
        with contextlib.suppress(NotFound):
            _take(store, start, *step)
            states.append({n: _of(store, n) for n in "ab"})
    assert store.revision() == start + len(states) - 1
    to = min(to, len(states) - 1)
    store.roll_back(start + to, list_name=name)
    for own in "ab":
        assert _of(store, own) == states[to if name in (None, own) else -1][own]
