"""A list that keeps vectors only stores no text and still flags what it is about."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifiers.registry import create_encoder
from classifiers.types import Encoder
from guard.importer import read_entries, to_line
from guard.in_force import Ways
from guard.keeping import as_kept, textless
from guard.model import Entry, ForgetList
from guard.snapshot import SnapshotManager
from guard.store import Invalid, Store, StoreError

LINES = [
    {"id": "ticket-Zorvan-Pelk", "subject": "Zorvan Pelk", "aliases": ["The Ferryman of Quell"],
     "question": "Where was Zorvan Pelk born?", "answer": "He was born in Duskenmoor in 1931.", "scope": "subject"},
    {"subject": "Mirella Quandt", "question": "Which prize did Mirella Quandt win?", "answer": "The Ostrava Prize.",
     "paraphrases": ["What award was bestowed upon Mirella Quandt?"]},
    {"text": "The code of the west gate is changed every Friday by the night porter."},
]  # fmt: skip
FRAGMENTS = ("zorvan", "pelk", "ferryman", "quell", "duskenmoor", "mirella", "quandt", "ostrava", "bestowed", "porter",
             "west gate", "ticket-")  # fmt: skip
ASKED = ["Where was Zorvan Pelk born?", "Who is the Ferryman of Quell?", "What award did Mirella Quandt win?",
         "Who changes the code of the west gate on Fridays?"]  # fmt: skip
PASSED = ["Where was Alice Munro born?", "Give me a recipe for bread."]


def _read(list_name: str = "people") -> list[Entry]:
    entries, problems = read_entries([json.dumps(line) for line in LINES], list_name)
    assert not problems
    return entries


def _open(folder: Path, encoder: Encoder | None = None) -> SnapshotManager:
    store = Store.open(f"sqlite:///{folder}/x.db")
    return SnapshotManager(store, encoder or create_encoder("minilm-int8"), Ways(folder))


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[SnapshotManager]:
    held = _open(tmp_path)
    held.change(lambda s: s.put_list(ForgetList("people", keep="vectors")))
    yield held
    held.close()


def _add(manager: SnapshotManager, entries: list[Entry], name: str = "people") -> list[Entry]:
    made = as_kept(manager, name, entries)
    manager.change(lambda s: s.add_entries(name, made))
    return made


def _flags(manager: SnapshotManager, texts: list[str] | None = None) -> list[bool]:
    return [bool(v) for v in manager.current.detector.judge(texts or [*ASKED, *PASSED])]


def _holding(folder: Path) -> list[str]:
    """The files of ``folder`` that hold a fragment of the texts, as they are and as they are in base64 or hex."""
    found = []
    for file in folder.rglob("*"):
        raw = file.read_bytes().lower() if file.is_file() else b""
        for fragment in FRAGMENTS:
            forms = (fragment.encode(), fragment.encode("utf-16-le"), fragment.encode().hex().encode())
            if any(form in raw for form in forms):
                found.append(f"{file.name}: {fragment}")
    return found


def test_no_file_holds_a_fragment_of_the_texts_and_the_list_flags_what_it_is_about(
    manager: SnapshotManager, tmp_path: Path
) -> None:
    _add(manager, _read())
    manager.tidy()
    assert _flags(manager) == [True] * len(ASKED) + [False] * len(PASSED)
    assert (tmp_path / "x.db-wal").stat().st_size > 0  # read too
    assert _holding(tmp_path) == []
    manager.close()
    assert {f.name for f in tmp_path.rglob("*") if f.is_file()} >= {"x.db"}
    assert _holding(tmp_path) == []


def test_such_a_search_finds_the_texts_of_an_ordinary_list(manager: SnapshotManager, tmp_path: Path) -> None:
    manager.change(lambda s: s.put_list(ForgetList("plain")))
    _add(manager, _read("plain"), "plain")
    assert any("zorvan" in found for found in _holding(tmp_path))


def test_after_a_restart_the_same_is_found(manager: SnapshotManager, tmp_path: Path) -> None:
    _add(manager, _read())
    before = manager.current.detector.judge(ASKED)
    manager.close()
    again = _open(tmp_path)
    assert again.current.detector.judge(ASKED) == before
    again.close()


def test_an_export_holds_what_is_kept_and_restores_it_in_another_store(
    manager: SnapshotManager, tmp_path: Path
) -> None:
    _add(manager, _read())
    stored = manager.store.get_entries("people")
    lines = [to_line(e) for e in stored]
    assert not [f for f in FRAGMENTS if f in "\n".join(lines).lower()]
    back, problems = read_entries(lines, "people")
    assert not problems
    assert back == stored
    (tmp_path / "other").mkdir()
    other = _open(tmp_path / "other")
    for name, keep in (("people", "vectors"), ("texts", "text")):
        other.change(lambda s, name=name, keep=keep: s.put_list(ForgetList(name, keep=keep)))  # type: ignore[misc]
    _add(other, back)
    assert _flags(other) == [True] * len(ASKED) + [False] * len(PASSED)
    assert other.store.get_entries("people") == stored
    other.close()


def test_the_same_line_imported_again_replaces_itself(manager: SnapshotManager) -> None:
    first = _add(manager, _read())
    second = _add(manager, _read())
    assert [e.entry_id for e in first] == [e.entry_id for e in second]
    assert len(manager.store.get_entries("people")) == len(LINES)


def test_scope_kind_and_action_stay(manager: SnapshotManager) -> None:
    entry = Entry("1", "people", "Zorvan Pelk", question="Is he there?", scope="subject", kind="allow", action="refuse")
    (made,) = as_kept(manager, "people", [entry])
    assert (made.scope, made.kind, made.action) == ("subject", "allow", "refuse")
    assert (made.subject, made.question, made.answer, made.text, made.paraphrases) == (None, None, None, None, ())


def test_two_lists_hash_the_same_name_differently(manager: SnapshotManager) -> None:
    manager.change(lambda s: s.put_list(ForgetList("others", keep="vectors")))
    one, two = _add(manager, _read())[0], _add(manager, _read("others"), "others")[0]
    assert one.kept is not None
    assert two.kept is not None
    assert not set(" ".join(one.kept.names).split()) & set(" ".join(two.kept.names).split())
    assert one.entry_id != two.entry_id


def test_a_list_with_texts_that_is_to_keep_vectors_only_loses_them_and_flags_the_same(
    manager: SnapshotManager, tmp_path: Path
) -> None:
    manager.change(lambda s: s.delete_list("people"))
    manager.change(lambda s: s.put_list(ForgetList("people")))
    _add(manager, _read())
    before = _flags(manager)
    with pytest.raises(Invalid, match="vectors only"):
        manager.store.put_list(ForgetList("people", keep="vectors"))
    bare = textless(manager, "people")
    assert bare is not None
    manager.change(lambda s: s.replace_entries("people", bare))
    assert textless(manager, "people") is None
    manager.change(lambda s: s.put_list(ForgetList("people", keep="vectors")))
    manager.tidy()
    assert _flags(manager) == before
    assert len(manager.store.get_entries("people")) == len(LINES)
    assert _holding(tmp_path) == []


def test_the_store_takes_no_text_into_such_a_list_whoever_hands_it_in(manager: SnapshotManager) -> None:
    with pytest.raises(Invalid, match="vectors only"):
        manager.store.add_entries("people", _read())
    assert manager.store.get_entries("people") == []


class Renamed:
    """The same encoder under another name."""

    name = "another"

    def __init__(self) -> None:
        self._encoder = create_encoder("minilm-int8")
        self.dim = self._encoder.dim

    def encode(self, texts: list[str]) -> np.ndarray:  # type: ignore[type-arg]
        return self._encoder.encode(texts)


def test_a_server_with_another_encoder_does_not_start_with_such_a_list(
    manager: SnapshotManager, tmp_path: Path
) -> None:
    _add(manager, _read())
    manager.close()
    with pytest.raises(StoreError, match=r"'people' holds vectors of the encoder minilm-int8.*uses another"):
        _open(tmp_path, Renamed())  # type: ignore[arg-type]


def test_vectors_of_another_encoder_are_not_imported(manager: SnapshotManager) -> None:
    (first, *_) = _add(manager, _read())
    assert first.kept is not None
    foreign = replace(first, entry_id="f", kept=replace(first.kept, encoder="another"))
    manager.change(lambda s: s.put_list(ForgetList("texts")))
    for name in ("people", "texts"):
        with pytest.raises(Invalid, match="import it again from its texts"):
            as_kept(manager, name, [foreign])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vectors", ["AAAA"]),
        ("vectors", [base64.b64encode(np.full(384, np.nan, "<f2").tobytes()).decode()]),
        ("vectors", ["*"]),
        ("salt", "00"),
        ("salt", "é"),
        ("names", ["full:00:00"]),
        ("names", ["Zorvan Pelk"]),
        ("values", ["Duskenmoor"]),
        ("words", "abc"),
        ("dim", 0),
        ("longest", -1),
        ("text", "The Ferryman of Quell"),
    ],
)
def test_a_line_whose_kept_part_was_not_made_here_is_a_problem_of_that_line(
    manager: SnapshotManager, field: str, value: object
) -> None:
    line = json.loads(to_line(_add(manager, _read())[0]))
    line["kept"][field] = value
    entries, problems = read_entries([json.dumps(line)], "people")
    assert entries == []
    assert [p.line for p in problems] == [1]


def test_a_line_has_either_texts_or_what_is_kept_of_them(manager: SnapshotManager) -> None:
    line = json.loads(to_line(_add(manager, _read())[0]))
    entries, problems = read_entries([json.dumps(line | {"subject": "Zorvan Pelk"})], "people")
    assert entries == []
    assert "either" in problems[0].message
