"""The store's texts are encrypted with the operator's keys, which can be changed while it is in use."""

from __future__ import annotations

import base64
import threading
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from guard.model import By, Entry, Example, ForgetList
from guard.sealing import MARK, SealError, Sealing, new_key
from guard.store import Invalid, Store, StoreError

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
SECRETS = ("zorvan", "pelk", "duskenmoor", "gatekeeper", "quell")
LIST = ForgetList("a", description="zorvan d", guideline="pelk g", refusal="quell r", template="duskenmoor t",
                  examples=(Example("Where is quell?", "Nowhere."),))  # fmt: skip
ENTRY = Entry("e1", "a", subject="Zorvan Pelk", answer="Duskenmoor", labels=("gatekeeper",))
WHY = By("ann", "operator", "as Zorvan Pelk asked")


def _fill(store: Store) -> None:
    store.put_list(LIST, by=WHY)
    store.put_entry(ENTRY, by=WHY)
    store.put_entry(Entry("e2", "a", text="The gatekeeper of Quell"))
    store.remove_entry("a", "e2")
    store.claim("k", "d")
    store.finish("k", 200, {"told": "Zorvan Pelk"})


def _check(store: Store) -> None:
    assert store.load().lists == (LIST,)
    assert store.load().entries == (ENTRY,)
    assert store.diff(4)[0].before == Entry("e2", "a", text="The gatekeeper of Quell")
    assert store.revision_info(2).reason == WHY.reason
    assert store.search("a", text="duskenmoor").total == 1
    done = store.claim("k", "d")
    assert done is not None
    assert done.answer == {"told": "Zorvan Pelk"}


def _held(store: Store) -> list[str]:
    """The secrets that the tables hold, as they are or in base64."""
    tables = ("forget_lists", "entries", "diffs", "history", "idempotent_requests", "audit", "changes")
    with store.reading() as session:
        raw = " ".join(str(session.execute(text(f"SELECT * FROM {table}")).all()) for table in tables).lower()
    return [word for word in SECRETS if word in raw]


def test_nothing_that_a_list_or_an_entry_says_is_in_the_database(store_url: str, tmp_path: Path) -> None:
    store = Store.open(store_url, Sealing([OLD]))
    _fill(store)
    _check(store)
    assert _held(store) == []
    store.close()
    for file in tmp_path.glob("lists.db*"):
        raw = file.read_bytes().lower()
        assert [word for word in SECRETS if word.encode() in raw] == []


def test_without_the_right_key_the_store_says_which_setting_is_missing(store_url: str) -> None:
    store = Store.open(store_url, Sealing([OLD]))
    _fill(store)
    store.close()
    for keys, why in ((None, "no key was given: set store_keys"), (Sealing([NEW]), "a key that was not given")):
        other = Store.open(store_url, keys)
        reads = (partial(other.get_list, "a"), partial(other.diff, 2), partial(other.roll_back, 1))
        for read in (other.load, *reads):
            with pytest.raises(StoreError, match=why):
                read()
        other.close()


def test_a_store_in_the_clear_is_read_with_keys_and_sealed_on_request(store_url: str, tmp_path: Path) -> None:
    store = Store.open(store_url)
    _fill(store)
    assert set(_held(store)) == set(SECRETS)
    store.close()
    store = Store.open(store_url, Sealing([OLD]))
    _check(store)
    revision = store.revision()
    looked: list[int] = []
    assert store.seal(looked.append) > 5
    assert sum(looked) == store.sealable()
    assert store.revision() == revision
    assert _held(store) == []
    _check(store)
    for file in tmp_path.glob("lists.db*"):
        raw = file.read_bytes().lower()
        assert [word for word in SECRETS if word.encode() in raw] == []
    assert store.seal() == 0
    store.close()


def test_after_sealing_with_a_new_key_the_old_one_is_not_needed(store_url: str) -> None:
    store = Store.open(store_url, Sealing([OLD]))
    _fill(store)
    store.close()
    store = Store.open(store_url, Sealing([NEW, OLD]))
    _check(store)
    store.seal()
    store.close()
    store = Store.open(store_url, Sealing([NEW]))
    _check(store)
    store.roll_back(3)
    assert [e.entry_id for e in store.get_entries("a")] == ["e1", "e2"]
    store.close()


def test_sealing_loses_no_change_that_is_made_meanwhile(store_url: str) -> None:
    store = Store.open(store_url)
    store.put_list(ForgetList("a"))
    store.add_entries("a", [Entry(f"e{i}", "a", subject=f"Person {i}") for i in range(1500)])
    store.close()
    store = Store.open(store_url, Sealing([OLD]))
    ended = threading.Event()

    def change() -> None:
        for i in range(40):
            store.put_entry(Entry(f"e{i * 37}", "a", subject="changed"))
        ended.set()

    thread = threading.Thread(target=change)
    thread.start()
    store.seal()
    thread.join()
    assert ended.is_set()
    found = {e.entry_id: e.subject for e in store.load().entries}
    assert found == {f"e{i}": "changed" if i % 37 == 0 and i < 1480 else f"Person {i}" for i in range(1500)}
    store.seal()
    assert _clear(store) == 0
    store.close()


def _clear(store: Store) -> int:
    with store.reading() as session:
        return sum("sealed" not in str(body) for body in session.execute(text("SELECT body FROM entries")).scalars())


def test_what_was_moved_or_changed_in_the_database_is_not_read(store_url: str) -> None:
    store = Store.open(store_url, Sealing([OLD]))
    store.put_list(ForgetList("a"))
    store.add_entries("a", [Entry("e1", "a", subject="One"), Entry("e2", "a", subject="Two")])
    with store.writing() as session:
        session.execute(
            text("UPDATE entries SET body = (SELECT body FROM entries WHERE entry_id = 'e1') WHERE entry_id = 'e2'")
        )
    with pytest.raises(StoreError, match="changed or moved"):
        store.load()
    store.close()


def test_a_setting_that_looks_sealed_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="begin"):
        store.put_list(ForgetList("a", description=MARK + "x"))
    assert store.revision() == 0


def test_keys_are_read_as_operators_write_them() -> None:
    made = new_key()
    raw = base64.urlsafe_b64decode(made)
    secret = Sealing([raw]).secret("x")
    for written in (made, raw.hex(), raw.hex().upper(), base64.b64encode(raw).decode(), f" {made}\n"):
        assert Sealing.of([written]).secret("x") == secret
    for bad in ("", "hunter2", "secret secret secret secret secret secret", "ab" * 31, "é" * 44):
        with pytest.raises(SealError, match="new-key"):
            Sealing.of([bad])


def test_secrets_differ_by_purpose_and_key_and_are_none_of_the_keys() -> None:
    both = Sealing([NEW, OLD])
    known = {both.secret("a"), both.secret("b"), Sealing([OLD]).secret("a"), NEW, OLD}
    assert len(known) == 5
    assert both.secrets("a") == (Sealing([NEW]).secret("a"), Sealing([OLD]).secret("a"))
    with pytest.raises(SealError, match="no store key"):
        Sealing().secret("a")


def test_the_same_value_is_sealed_differently_each_time() -> None:
    sealing = Sealing([OLD])
    first, second = (sealing.seal({"a": 1}, "x") for _ in range(2))
    assert first != second
    assert sealing.open(first, "x") == sealing.open(second, "x") == {"a": 1}
    for broken in ({"sealed": ""}, {"sealed": "?"}, {"sealed": first["sealed"][:-8]}, {"sealed": 5}):
        with pytest.raises(SealError):
            sealing.open(broken, "x")
    with pytest.raises(SealError):
        sealing.open(first, "y")


def test_what_is_wrong_with_an_entry_is_still_told(store: Store) -> None:
    store.put_list(ForgetList("a", keep="vectors"))
    with pytest.raises(Invalid):
        store.put_entry(ENTRY)


def test_what_could_not_be_wiped_while_somebody_read_is_wiped_later(store_url: str, tmp_path: Path) -> None:
    def held() -> bool:
        return any(b"Duskenmoor" in file.read_bytes() for file in tmp_path.glob("lists.db*"))

    store, reader = Store.open(store_url), Store.open(store_url)
    store.put_list(ForgetList("a"))
    store.put_entry(ENTRY)
    with reader.reading() as session:
        session.execute(text("SELECT * FROM diffs")).all()
        store.replace_entries("a", [])  # is done, whatever the files still hold
        assert held() == store_url.startswith("sqlite")
    assert store.get_entries("a") == []
    store.expire()
    assert not held()
    reader.close()
    store.close()
