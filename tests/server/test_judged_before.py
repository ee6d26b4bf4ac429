"""Texts that a client sends again are not judged again, and what is said of them is as if they were."""

from __future__ import annotations

import pytest

from classifiers.conversation import Mentioned
from guard.model import Entry
from guard.snapshot import SnapshotManager
from server.judged_before import Found, JudgedBefore
from tests.server.conftest import Build, House

FLAGGED = "Who is Zorvan Pelk ?"
FOLLOW_UP = "And where was she born ?"
NOTHING = Found((), {}, True, Mentioned())


def _action(house: House, *turns: str) -> str:
    messages = [{"role": "user", "content": turn} for turn in turns]
    response = house.client.post("/v1/chat/completions", json={"model": "m", "messages": messages})
    assert response.status_code == 200
    return response.headers["x-letheward-action"]


@pytest.mark.parametrize("remembered", [0, 2, 4096])
def test_a_conversation_is_told_the_same_each_time(build: Build, remembered: int) -> None:
    with build(remembered_texts=remembered) as house:
        house.policy("refuse")
        for _ in range(2):
            assert _action(house, FOLLOW_UP) == "pass"
            assert _action(house, FLAGGED) == "refuse"
            assert _action(house, FLAGGED, FOLLOW_UP) == "refuse"
            assert _action(house, "What is the capital ?", FOLLOW_UP) == "pass"


def test_a_change_counts_for_texts_that_came_before(house: House) -> None:
    house.policy("refuse")
    other = "Who is Mirella Quandt ?"
    assert [_action(house, FLAGGED), _action(house, other)] == ["refuse", "pass"]
    entry = Entry("mq", "facts", subject="Mirella Quandt", answer="Karachi", scope="subject")
    house.manager.change(lambda s: s.put_entry(entry))
    assert _action(house, other) == "refuse"
    house.manager.change(lambda s: s.delete_list("facts"))
    assert [_action(house, FLAGGED), _action(house, other)] == ["pass", "pass"]


def test_each_client_has_his_own(manager: SnapshotManager) -> None:
    before, detector = JudgedBefore(), manager.current.detector
    before.remember(detector, "a", {FLAGGED: NOTHING})
    assert before.known(detector, "a", [FLAGGED, "Who ?"]) == {FLAGGED: NOTHING}
    assert before.known(detector, "b", [FLAGGED]) == {}
    assert before.known(detector.changed({}), "a", [FLAGGED]) == {}


def test_there_is_a_bound_and_those_used_last_are_kept(manager: SnapshotManager) -> None:
    before, detector = JudgedBefore(2), manager.current.detector
    before.remember(detector, "a", {"1": NOTHING, "2": NOTHING})
    before.known(detector, "a", ["1"])
    before.remember(detector, "a", {"3": NOTHING})
    assert set(before.known(detector, "a", ["1", "2", "3"])) == {"1", "3"}


def test_a_name_that_only_the_text_tells_is_not_kept(manager: SnapshotManager) -> None:
    before, detector = JudgedBefore(), manager.current.detector
    before.remember(
        detector, "a", {FLAGGED: Found((), {}, True, Mentioned({"zorvan pelk": "Zorvan Pelk"}, quoted=True))}
    )
    assert before.known(detector, "a", [FLAGGED]) == {}
