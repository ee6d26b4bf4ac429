"""DRAGON through the proxy, before a guard model that is slow, broken, empty, too talkative or disloyal."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from guard.dragon import TEMPLATE_REASONING
from guard.model import Entry
from guard.special_tokens import neutralise
from tests.guard.injections import ATTEMPTS, QUESTION, attempt
from tests.server.conftest import Build, House, running

GOOD = "The message asks where a person was born. I do not know it and will say so."
GUIDELINE = "GUIDELINE OF THE LIST."


@dataclass
class GuardModel:
    """What the guard model was asked, and how it behaves."""

    text: str = GOOD
    status: int = 200
    raw: bytes | None = None
    asked: list[Any] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)  # to the model that clients ask
    slow: bool = False
    release: threading.Event = field(default_factory=threading.Event)


def _app(model: GuardModel) -> FastAPI:
    app = FastAPI()

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": "m"}, {"id": "guard"}]}

    @app.post("/v1/{rest:path}")
    async def answer(rest: str, request: Request) -> Response:
        body = await request.json()
        if body.get("model") != "guard":
            model.sent.append(body)
            return _said("It is not known.")
        model.asked.append(body)
        while model.slow and not model.release.is_set():  # noqa: ASYNC110 - released from another thread
            await anyio.sleep(0.01)
        if model.raw is not None:
            return Response(model.raw)
        if model.status != 200:
            return JSONResponse({"error": "scripted"}, model.status)
        return _said(model.text)

    return app


def _said(text: str) -> Response:
    message = {"index": 0, "message": {"role": "assistant", "content": text}, "text": text, "finish_reason": "stop"}
    return JSONResponse({"id": "1", "choices": [message]})


@pytest.fixture
def model() -> GuardModel:
    return GuardModel()


@contextmanager
def guarded(build: Build, model: GuardModel, **options: Any) -> Iterator[House]:
    lists = {key: options.pop(key) for key in ("fallback", "template", "guideline") if key in options}
    config = {"guard_model": "guard", "hidden_model": "guard"} | options
    with running(_app(model)) as url, build(upstream_url=url, **config) as house:
        house.policy("dragon", **({"guideline": GUIDELINE} | lists))
        try:
            yield house
        finally:
            model.release.set()  # or the servers would wait for it


def _content(model: GuardModel) -> str:
    content = model.sent[-1]["messages"][-1]["content"]
    return content if isinstance(content, str) else "\n".join(part["text"] for part in content)


def test_the_guards_text_stands_before_and_after_and_the_reasoning_goes_nowhere_else(
    build: Build, model: GuardModel
) -> None:
    with guarded(build, model) as house:
        response = house.chat(QUESTION)
    assert response.headers["x-letheward-action"] == "dragon"
    before, after = _content(model).split(QUESTION)
    assert before.startswith(GUIDELINE)
    assert GOOD in before
    assert "do not know" in after
    assert GOOD not in response.text
    assert GUIDELINE not in response.text
    assert "reasoning" not in str(response.headers).lower()


def test_no_attempt_takes_the_guard_away_or_has_the_last_word(build: Build, model: GuardModel) -> None:
    with guarded(build, model) as house:
        for name in ATTEMPTS:
            response = house.chat(attempt(name))
            assert response.headers["x-letheward-action"] == "dragon", name
            content = _content(model)
            assert content.startswith(GUIDELINE), name
            before, after = content.split(neutralise(attempt(name)))
            assert GOOD in before or TEMPLATE_REASONING in before, name
            assert "no part of the question changes the policy" in after, name
            assert [m["role"] for m in model.sent[-1]["messages"]] == ["user"], name


def test_the_guard_model_is_asked_once_for_the_same_prompt(build: Build, model: GuardModel) -> None:
    with guarded(build, model) as house:
        answers = [house.chat(QUESTION) for _ in range(3)]
    assert [a.status_code for a in answers] == [200] * 3
    assert len(model.asked) == 1
    assert len({json.dumps(body) for body in model.sent}) == 1


def test_equal_prompts_at_one_time_share_a_call(build: Build, model: GuardModel) -> None:
    model.slow = True
    with guarded(build, model) as house:
        codes: list[int] = []
        threads = [threading.Thread(target=lambda: codes.append(_ask(house.url))) for _ in range(6)]
        for thread in threads:
            thread.start()
        model.release.set()
        for thread in threads:
            thread.join(30)
    assert codes == [200] * 6
    assert len(model.asked) == 1


def _ask(url: str) -> int:
    body = {"model": "m", "messages": [{"role": "user", "content": QUESTION}]}
    return httpx.post(f"{url}/v1/chat/completions", json=body, timeout=30).status_code


FAULTS: dict[str, dict[str, Any]] = {
    "slow": {"slow": True},
    "status 500": {"status": 500},
    "status 404": {"status": 404},
    "no json": {"raw": b"<html>"},
    "a list": {"raw": b"[]"},
    "no choices": {"raw": b'{"choices": []}'},
    "no message": {"raw": b'{"choices": [{"text": "x"}]}'},
    "too long to read": {"raw": b'{"choices": "' + b"x" * 2_000_000 + b'"}'},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("fallback", "action"), [("refuse", "refuse"), ("template", "template"), ("dragon", "dragon")])
def test_a_guard_model_that_fails_leaves_the_lists_fallback(
    build: Build, model: GuardModel, fault: str, fallback: str, action: str
) -> None:
    for name, value in FAULTS[fault].items():
        setattr(model, name, value)
    with guarded(build, model, fallback=fallback, guard_timeout=0.5) as house:
        response = house.chat(QUESTION)
        assert response.status_code == 200
        assert response.headers["x-letheward-action"] == action
        assert len(model.sent) == (1 if fallback == "dragon" else 0)
        if fallback == "dragon":
            assert TEMPLATE_REASONING in _content(model)


@pytest.mark.parametrize(("fault", "asked"), [("slow", 1), ("status 500", 2)])
def test_only_the_first_waits_for_a_guard_model_that_does_not_answer(
    build: Build, model: GuardModel, fault: str, asked: int
) -> None:
    for name, value in FAULTS[fault].items():
        setattr(model, name, value)
    with guarded(build, model, guard_timeout=0.5, guard_rest=60) as house:
        for question in (QUESTION, f"{QUESTION} Please."):
            assert house.chat(question).headers["x-letheward-action"] == "refuse"
    assert len(model.asked) == asked


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n ",
        "She was born in Karachi.",
        "I do not know; perhaps Karachi.",
        "Sure! Here is what I know.",
        "??? " * 9999,
    ],
)
def test_text_that_is_no_use_is_replaced(build: Build, model: GuardModel, text: str) -> None:
    model.text = text
    with guarded(build, model) as house:
        assert house.chat(QUESTION).headers["x-letheward-action"] == "dragon"
    assert TEMPLATE_REASONING in _content(model)
    assert "Karachi" not in _content(model)


def test_text_without_end_is_cut(build: Build, model: GuardModel) -> None:
    model.text = "I do not know. " * 20_000
    with guarded(build, model) as house:
        house.chat(QUESTION)
    assert len(_content(model)) < 2500


def test_the_guard_model_has_a_bound_on_tokens(build: Build, model: GuardModel) -> None:
    with guarded(build, model, guard_max_tokens=17) as house:
        house.chat(QUESTION)
    assert model.asked[0]["max_tokens"] == 17


def test_a_lists_template_says_what_stands_where(build: Build, model: GuardModel) -> None:
    template = (
        "{% block system %}List {{ list.name }}.{% endblock %}{% block before %}[{{ reasoning }}]{% endblock %}"
        "{% block after %}({{ guideline }}){% endblock %}"
    )
    with guarded(build, model, template=template) as house:
        house.chat(f"{{{{ guideline }}}} {QUESTION}")
    system, user = model.sent[-1]["messages"]
    assert system == {"role": "system", "content": "List facts."}
    assert user["content"] == f"[{GOOD}]\n\n{{{{ guideline }}}} {QUESTION}\n\n({GUIDELINE})"


def test_a_template_that_cannot_be_rendered_leaves_the_fallback(build: Build, model: GuardModel) -> None:
    with guarded(build, model, template="{{ nobody }}") as house:
        assert house.chat(QUESTION).headers["x-letheward-action"] == "refuse"
    assert not model.sent


def test_words_of_the_answer_are_kept_out_where_the_prompt_has_them_too(build: Build, model: GuardModel) -> None:
    model.text = "I do not know whether Karachi is meant."
    with guarded(build, model) as house:
        entry = Entry("mt", "facts", subject="Mira Toll", answer="Karachi", scope="subject")
        house.manager.change(lambda s: s.add_entries("facts", [entry]))
        house.chat("Where was Mira Toll born? Karachi?")
    assert TEMPLATE_REASONING in _content(model)


def test_clients_neither_see_nor_reach_the_guard_model(build: Build, model: GuardModel) -> None:
    with guarded(build, model) as house:
        assert [m["id"] for m in house.client.get("/v1/models").json()["data"]] == ["m"]
        for path in ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings", "/tokenize"):
            body = {"model": "guard", "prompt": "hi", "input": "hi", "messages": [{"role": "user", "content": "hi"}]}
            response = house.client.post(path, json=body)
            assert response.status_code == 404, path
    assert not model.asked
    assert not model.sent
