"""The lists in force."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from classifiers.fitting import Aim
from classifiers.registry import create_encoder
from classifiers.types import DetectorError
from guard.in_force import Ways
from guard.model import Entry, ForgetList
from guard.snapshot import SnapshotManager
from guard.store import Invalid, Store

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


@pytest.fixture
def learning(tmp_path: Path) -> Iterator[SnapshotManager]:
    """With two lists, one of facts and one that its own scorer judges; it learns when it is told to."""
    store = Store.open(f"sqlite:///{tmp_path}/x.db")
    store.put_list(ForgetList("facts"))
    store.put_list(ForgetList("near", scorer="dragon"))
    people = ["Zorvan Pelk", "Mira Tolland", "Oskar Brundt"]
    store.add_entries("facts", [Entry(n, "facts", subject=n, question=f"Where was {n} born?") for n in people])
    store.add_entries(
        "near", [Entry("1", "near", subject="west gate", text="The code of the west gate is changed on Fridays.")]
    )
    manager = SnapshotManager(store, create_encoder("minilm-int8"), Ways(tmp_path, learning=True))
    yield manager
    manager.close()


def test_what_is_learnt_comes_into_force_with_its_figures(learning: SnapshotManager) -> None:
    learning.tidy()
    found = learning.current.calibrations
    assert set(found) == {"facts"}
    assert found["facts"].bounded
    assert found["facts"].recall.value > 0.9
    assert learning.current.detector.threshold("facts") == found["facts"].threshold
    assert learning.current.detector.judge(["Where was Mira Tolland born?", "Where was Mira Sand born?"])[1] == ()


def test_learning_asks_again_and_again_whether_it_is_to_give_way(learning: SnapshotManager) -> None:
    asked: list[bool] = []

    def busy() -> bool:
        asked.append(True)
        return len(asked) <= 3

    learning.busy = busy
    learning.tidy()
    assert len(asked) > 100
    assert learning.current.calibrations


def test_an_operators_threshold_stays_in_force_whatever_is_learnt(learning: SnapshotManager) -> None:
    learning.change(lambda s: s.put_list(ForgetList("facts", threshold=0.99)))
    learning.tidy()
    assert learning.current.detector.threshold("facts") == 0.99


def test_a_list_is_judged_by_its_own_scorer(learning: SnapshotManager) -> None:
    text = "On Fridays the code of the gate in the west is changed."
    (verdict,) = learning.current.detector.judge([text])[0]
    assert (verdict.list_name, verdict.threshold) == ("near", pytest.approx(0.8 / 3))
    learning.change(lambda s: s.put_list(ForgetList("near", scorer="rule")))
    assert learning.current.detector.threshold("near") == 0.5


def test_a_scorer_that_is_not_there_is_refused_and_stops_a_start(learning: SnapshotManager, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="letheward detector train"):
        learning.check_scorer("trained:nope")
    learning.check_scorer(None)
    learning.store.put_list(ForgetList("near", scorer="trained:nope"))
    with pytest.raises(ValueError, match="letheward detector train"):
        SnapshotManager(learning.store, create_encoder("minilm-int8"), Ways(tmp_path))


def test_a_calibration_on_an_operators_traffic_changes_nothing(learning: SnapshotManager) -> None:
    before = learning.current.detector.threshold("facts")
    traffic = [f"Where was Zorvan Pelk born, on page {i}?" for i in range(450)]
    found = learning.calibrate("facts", traffic, Aim(0.01))
    assert found.threshold > 0.6
    assert found.used >= 199
    assert learning.current.detector.threshold("facts") == before
    assert learning.store.get_list("facts").threshold is None
    learning.store.put_list(ForgetList("empty"))
    with pytest.raises(Invalid, match="no entries"):
        learning.calibrate("empty", traffic, Aim())
