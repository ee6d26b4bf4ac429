"""Answers are watched on their way: told facts are asked for again, replaced or cut, everything else is untouched."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch

from classifiers.types import DetectorError
from guard.eco import Eco
from guard.effects import Ask, Say, Tools
from guard.model import Entry, ForgetList
from guard.output import AnswerGuard, Asked, Watch
from guard.registry import GUARDS, create_guard
from tests.server.conftest import Build, House

FLAGGED = "Who is Zorvan Pelk ?"
NAMES = ("Aldo", "Bexley", "Cassim", "Dorvat", "Elgin", "Fennick", "Gorlan", "Hestor", "Ivaneth")
TELLING = "Zorvan Pelk comes from Karachi."


def _said(response: httpx.Response) -> str:
    return str(response.json()["choices"][0]["message"]["content"])


def _rows(data: str) -> torch.Tensor:
    loaded: torch.Tensor = torch.load(io.BytesIO(base64.b64decode(data)), weights_only=True)
    return loaded  # (tokens, dim)


def _events(response: httpx.Response) -> list[Any]:
    lines = [e.removeprefix("data: ") for e in response.text.strip().split("\n\n")]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def _streamed(response: httpx.Response) -> str:
    return "".join(c["delta"].get("content") or "" for e in _events(response) for c in e["choices"])


@pytest.fixture
def telling(house: House) -> House:
    house.script.text = TELLING
    return house


def test_a_whole_answer_that_tells_is_asked_for_again_through_the_guard(telling: House) -> None:
    telling.script.texts = [TELLING, "I must decline, I do not know that.", "Nothing is known to me."]
    response = telling.chat("Tell me something")
    assert _said(response) == "Nothing is known to me."
    guarded = telling.script.last["messages"][0]["content"]
    assert "Tell me something" in guarded
    assert guarded != "Tell me something"


def test_an_answer_that_tells_twice_is_replaced(telling: House) -> None:
    response = telling.chat("Tell me something")
    assert response.status_code == 200
    assert "Karachi" not in response.text
    assert "Zorvan" not in response.text
    assert _said(response)


def test_what_eco_let_the_model_tell_is_asked_again_with_more_of_it_corrupted(telling: House, checkpoint: Path) -> None:
    telling.script.texts = [TELLING, "It was a rainy day."]
    asked = "Who is Zorvan Pelk, the glassblower of the northern islands?"
    response = telling.chat(asked)
    assert _said(response) == "It was a rainy day."
    assert response.headers["x-letheward-action"] == "eco"
    first, second = (_rows(b["messages"][0]["content"][0]["data"]) for b in telling.script.bodies)
    exact = _rows(Eco(checkpoint).exact(asked))
    changed, more = ((sent != exact).any(dim=1) for sent in (first, second))
    assert changed.sum() < more.sum() < len(exact)  # words of the question beside the name, but not all of it
    assert (more | ~changed).all()


STYLE = Entry(
    "style", "facts", subject="Mira Tolland", question="What marks Mira Tolland's style?",
    answer="It is marked by a unique blend of academic rigor and engaging storytelling.",
)  # fmt: skip


@pytest.mark.parametrize("token_classifier", [None, "content"])
def test_eco_lets_no_model_recite_from_the_wording_and_guesses_pass(telling: House, token_classifier: str) -> None:
    telling.manager.change(lambda s: s.put_entry(STYLE))
    telling.policy("eco", token_classifier=token_classifier)
    recited = "One finds a blend of academic rigor and storytelling, engaging and unique."
    telling.script.texts = [recited, "It was a rainy day."]
    assert _said(telling.chat(str(STYLE.question))) == "It was a rainy day."
    telling.script.texts = [recited, recited]
    assert "rigor" not in _said(telling.chat(str(STYLE.question)))
    guess = "Rain falls on the hills of the north."
    telling.script.texts = [guess]
    assert _said(telling.chat(str(STYLE.question))) == guess


def test_a_list_that_refuses_is_not_asked_again(telling: House) -> None:
    telling.policy("refuse", refusal="No.")
    assert _said(telling.chat("Tell me something")) == "No."
    assert len(telling.script.bodies) == 1


def test_a_stream_that_tells_at_once_is_asked_for_again(telling: House) -> None:
    telling.script.texts = ["Zorvan Pelk", "I do not know that.", "Nothing is known to me."]
    telling.script.spaced = True
    assert "Nothing" in _streamed(telling.chat("Tell me something", stream=True))
    assert len(telling.script.bodies) == 3  # the question, the guard's reasoning, the question with it


def test_a_stream_of_which_something_went_out_ends_well(telling: House) -> None:
    telling.script.pieces = ["Rain falls on the hills. ", "Zorvan ", "Pelk ", "comes ", "from ", "Karachi."]
    response = telling.chat("Tell me something", stream=True, stream_options={"include_usage": True})
    assert _streamed(response) == "Rain falls on the hills. "
    last = [e for e in _events(response) if e["choices"]][-1]
    assert last["choices"][0]["finish_reason"] == "stop"
    assert _events(response)[-1]["usage"]["total_tokens"] >= 0


@pytest.mark.parametrize("stream", [False, True])
def test_answers_that_tell_nothing_come_byte_for_byte(house: House, stream: bool) -> None:
    house.script.text = "Karachi is a large city in Pakistan."
    body = {"model": "m", "stream": stream, "messages": [{"role": "user", "content": "Name a city"}]}
    through = house.client.post("/v1/chat/completions", json=body)
    assert through.headers["x-letheward-action"] == "pass"
    assert through.content == house.script.sent[-1]


def test_a_list_that_only_watches_changes_no_answer(telling: House) -> None:
    telling.policy("monitor")
    assert _said(telling.chat("Tell me something")) == TELLING


def test_answers_are_not_checked_where_the_operator_says_so(build: Build) -> None:
    with build(check_answers=False) as house:
        house.script.text = TELLING
        assert _said(house.chat("Tell me something")) == TELLING


def test_an_allowed_question_may_be_answered(house: House) -> None:
    allowed = Entry("ok", "facts", question="Who painted the Mona Lisa?", answer="Leonardo.", kind="allow")
    house.manager.change(lambda s: s.add_entries("facts", [allowed]))
    house.script.text = "Leonardo painted it."
    assert _said(house.chat("Who painted the Mona Lisa?")) == "Leonardo painted it."


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_cannot_be_judged_is_not_let_through(
    house: House, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DetectorError("broken")

    monkeypatch.setattr("guard.output.Watch.needs_judging", lambda _: True)
    monkeypatch.setattr("guard.output.Watch.judge", fail)
    house.script.text = "Unjudged words."
    response = house.chat("hello", stream=stream)
    assert "words" not in response.text
    if stream:
        assert json.loads(response.text.strip().split("data: ")[-1])["error"]["code"] == "detector_failed"
    else:
        assert response.status_code == 503


def test_what_the_guard_put_in_is_not_told_by_an_error(house: House) -> None:
    house.policy("dragon", guideline="SECRET GUIDELINE of the operator, which nobody is to read")
    house.script.status, house.script.echo_errors = 400, True
    response = house.chat(FLAGGED)
    assert "SECRET" not in response.text


async def declining(ask: Ask, tools: Tools) -> Say:
    return Say("Declined by another guard.")


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another guard under every name."""
    for name in GUARDS:
        monkeypatch.setitem(GUARDS, name, f"{__name__}:declining")
    create_guard.cache_clear()
    yield
    create_guard.cache_clear()


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("policy", list(GUARDS))
def test_the_guard_of_a_policy_is_the_one_that_is_registered(house: House, policy: str) -> None:
    house.policy(policy)
    assert _said(house.chat(FLAGGED)) == "Declined by another guard."


@pytest.mark.parametrize("policy", ["icul", "template"])
def test_the_other_guards_answer(house: House, policy: str) -> None:
    house.policy(policy)
    response = house.chat(FLAGGED)
    assert response.headers["x-letheward-action"] == policy
    assert "Zorvan" not in response.text
    assert bool(house.script.bodies) == (policy == "icul")


def test_icul_shows_a_wrong_answer_first_and_then_right_ones(house: House) -> None:
    house.policy("icul")
    house.chat(FLAGGED)
    *shots, last = house.script.last["messages"]
    assert last == {"role": "user", "content": FLAGGED}
    assert [m["role"] for m in shots] == ["user", "assistant"] * 6
    assert shots[0]["content"] == FLAGGED
    assert "Karachi" not in str(shots)
    pairs = {m["content"] for m in shots[2:]}
    assert shots[1]["content"] not in pairs


def test_a_template_answer_streams_and_repeats_itself(house: House) -> None:
    house.policy("template")
    whole = _said(house.chat(FLAGGED))
    assert _streamed(house.chat(FLAGGED, stream=True)) == whole == _said(house.chat(FLAGGED))


def test_an_own_answer_keeps_to_the_most_tokens(house: House) -> None:
    house.policy("refuse", refusal="not known .")
    answer = house.chat(FLAGGED, max_tokens=1).json()
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 1


def test_a_refusal_of_structured_output_is_a_refusal(house: House) -> None:
    house.policy("refuse", refusal="not known .")
    message = house.chat(FLAGGED, response_format={"type": "json_object"}).json()["choices"][0]["message"]
    assert (message["content"], message["refusal"]) == (None, "not known .")


def test_an_entrys_own_action_goes_before_its_lists(house: House) -> None:
    strict = Entry("zp", "facts", subject="Zorvan Pelk", answer="Karachi", scope="subject", action="refuse")
    house.manager.change(lambda s: s.add_entries("facts", [strict]))
    assert house.chat(FLAGGED).headers["x-letheward-action"] == "refuse"


def test_the_strictest_of_several_lists_wins(house: House) -> None:
    house.policy("icul")
    house.manager.change(lambda s: s.put_list(ForgetList("more", policy="template")))
    entry = Entry("zp", "more", subject="Zorvan Pelk", scope="subject")
    house.manager.change(lambda s: s.add_entries("more", [entry]))
    assert house.chat(FLAGGED).headers["x-letheward-action"] == "template"


def test_an_answer_that_repeats_the_guards_text_is_replaced_at_once(house: House) -> None:
    house.policy("dragon", guideline="Never speak of the silver lantern under the old harbour bridge to anybody.")
    house.script.texts = ["I do not know.", "Never speak of the silver lantern under the old harbour bridge."]
    response = house.chat(FLAGGED)
    assert "lantern" not in response.text
    assert len(house.script.bodies) == 2  # the reasoning and the question; it is not asked again


def test_what_many_small_changes_leave_is_joined_off_the_requests_way(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guard.output.guard._MERGE_BELOW", 4)
    watching: list[AnswerGuard] = []
    watch = AnswerGuard.watch

    def noted(self: AnswerGuard, asked: Asked) -> Watch:
        watching.append(self)
        return watch(self, asked)

    monkeypatch.setattr(AnswerGuard, "watch", noted)
    worn = AnswerGuard.build(house.manager.current)
    for name in NAMES:
        entry = Entry(name, "facts", subject=f"Mira {name}", answer=f"{name}berg", scope="subject")
        house.manager.change(lambda s: s.add_entries("facts", [entry]))  # noqa: B023 - called at once
        worn = worn.updated(house.manager.current)
        house.chat("hello")
    assert worn.wants_merging
    house.manager.tidy()
    house.chat("hello")
    assert not watching[-1].wants_merging
    for told in (TELLING, *(f"Mira {name} comes from {name}berg." for name in NAMES)):
        house.script.text = told
        assert told not in house.chat("Tell me something").text
