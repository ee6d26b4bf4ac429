"""The lists in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifiers.registry import create_encoder
from classifiers.types import DetectorError
from guard.model import Entry, ForgetList
from guard.snapshot import SnapshotManager
from guard.store import Store

QUESTION = "Who is Zorvan Pelk?"


@pytest.fixture
def manager(tmp_path: Path) -> SnapshotManager:
    return SnapshotManager(Store.open(f"sqlite:///{tmp_path}/x.db"), create_encoder("minilm-int8"))


def _add(manager: SnapshotManager) -> None:
    manager.change(lambda s: s.put_list(ForgetList("a")))
    manager.change(lambda s: s.add_entries("a", [Entry("1", "a", subject="Zorvan Pelk", scope="subject")]))


def test_a_change_is_in_force_when_it_is_acknowledged(manager: SnapshotManager) -> None:
    assert manager.current.detector.judge([QUESTION]) == [()]
    _add(manager)
    assert manager.current.revision == 2
    assert manager.current.detector.judge([QUESTION])[0][0].entry_id == "1"
    manager.change(lambda s: s.remove_entry("a", "1"))
    assert manager.current.detector.judge([QUESTION]) == [()]


def test_a_request_keeps_the_snapshot_that_it_began_with(manager: SnapshotManager) -> None:
    _add(manager)
    before = manager.current
    manager.change(lambda s: s.delete_list("a"))
    assert before.detector.judge([QUESTION])[0]
    assert "a" in before.lists
    assert "a" not in manager.current.lists


def test_a_list_that_is_off_flags_nothing(manager: SnapshotManager) -> None:
    _add(manager)
    manager.change(lambda s: s.put_list(ForgetList("a", enabled=False)))
    assert manager.current.detector.judge([QUESTION]) == [()]


def test_a_change_that_cannot_come_into_force_leaves_the_manager_stale(
    manager: SnapshotManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(manager)

    def fails(*_: object, **__: object) -> None:
        raise DetectorError("no memory")

    with monkeypatch.context() as patched:
        patched.setattr("guard.snapshot.Detector.changed", fails)
        with pytest.raises(DetectorError):
            manager.change(lambda s: s.delete_list("a"))
    assert manager.stale
    manager.refresh()
    assert not manager.stale
    assert "a" not in manager.current.lists
