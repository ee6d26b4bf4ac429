"""Past traffic before and after a change that is not made, over a real socket."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from classifiers.types import DetectorError
from server.replay_summary import differs, summary
from server.traffic import NoRequest, read_line
from tests.server.conftest import ADMIN_KEY, Build, House

AUTH = {"Authorization": f"Bearer {ADMIN_KEY}"}
FLAGGED = "Who is Zorvan Pelk ?"
MIRA = {"subject": "Mira Toll", "scope": "subject", "id": "mt"}


def _post(house: House, body: Any) -> httpx.Response:
    content = json.dumps(body).encode()  # escapes what has no UTF-8
    return house.client.post("/admin/v1/replay", headers=AUTH, content=content)


def _replay(house: House, requests: list[Any], **change: Any) -> Any:
    response = _post(house, {"requests": requests} | ({"change": {"list": "facts", **change}} if change else {}))
    assert response.status_code == 200, response.text
    return response.json()


def test_requests_of_every_kind_are_judged_as_the_proxy_judges_them(house: House) -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": FLAGGED}}]
    user = {"role": "user", "content": "hello"}
    flagged = {"role": "user", "content": FLAGGED}
    found = _replay(
        house,
        [
            {"text": FLAGGED, "id": "a"},
            {"prompt": ["hello", FLAGGED]},
            {"prompt": [1, 3, 8, 9, 10]},
            {"messages": [user], "tools": tools},
            {"messages": [flagged], "echo": True},
            {
                "messages": [
                    {"role": "user", "content": FLAGGED},
                    {"role": "user", "content": "And where was she born?"},
                ]
            },
            {"text": "What is the capital ?", "id": 7},
        ],
    )
    sides = [(r["before"]["action"], r["before"]["entry"]) for r in found["results"]]
    assert sides == [("eco", "zp"), ("eco", "zp"), ("eco", "zp"), ("refuse", "zp"), ("refuse", "zp"), ("eco", "zp"),
                     ("pass", None)]  # fmt: skip
    assert [r.get("id") for r in found["results"]] == ["a", None, None, None, None, None, 7]
    assert all(r["before"] == r["after"] for r in found["results"])
    assert (found["dry_run"], found["revision"]) == (False, house.manager.current.revision)
    assert house.script.bodies == []


def test_a_replay_says_what_the_proxy_then_does(house: House) -> None:
    house.policy("refuse")
    conversation = [
        {"role": "user", "content": FLAGGED},
        {"role": "assistant", "content": "no"},
        {"role": "user", "content": "What is the capital ?"},
    ]
    for messages in (conversation, conversation[:1], conversation[2:]):
        live = house.client.post("/v1/chat/completions", json={"model": "m", "messages": messages})
        (result,) = _replay(house, [{"messages": messages, "model": "m"}])["results"]
        assert result["before"]["action"] == live.headers["x-letheward-action"]


def test_a_change_is_tried_and_not_made(house: House) -> None:
    before = (house.manager.current, house.manager.store.load())
    traffic = [{"text": "Who is Mira Toll?"}, {"text": FLAGGED}, {"text": "hello"}]
    found = _replay(house, traffic, add=[MIRA], remove=["zp"])
    assert [(r["before"]["action"], r["after"]["action"]) for r in found["results"]] == [
        ("pass", "eco"), ("eco", "pass"), ("pass", "pass"),
    ]  # fmt: skip
    assert (found["results"][0]["after"]["entry"], found["results"][1]["before"]["entry"]) == ("mt", "zp")
    told = found["summary"]
    counts = {k: told[k]["hits"] for k in ("flagged_before", "flagged_after", "newly_flagged", "no_longer_flagged")}
    assert counts == {"flagged_before": 1, "flagged_after": 1, "newly_flagged": 1, "no_longer_flagged": 1}
    assert told["lists"]["facts"]["newly_flagged"]["hits"] == 1
    assert told["newly_flagged"]["low"] < 1 / 3 < told["newly_flagged"]["high"]
    assert (house.manager.current.detector, house.manager.store.load()) == (before[0].detector, before[1])
    assert house.chat("Who is Mira Toll?").headers["x-letheward-action"] == "pass"
    assert house.chat(FLAGGED).headers["x-letheward-action"] == "eco"


def test_what_is_then_really_changed_does_what_the_dry_run_said(house: House) -> None:
    traffic = [{"text": t} for t in ("Who is Mira Toll?", "Tell me about Mira", "hello", FLAGGED)]
    dry = _replay(house, traffic, add=[MIRA])
    house.client.post("/admin/v1/lists/facts/entries", headers=AUTH, json={"entries": [MIRA]}).raise_for_status()
    wet = _replay(house, traffic)
    for said, done in zip(dry["results"], wet["results"], strict=True):  # scores may move: a list learns from a change
        assert [said["after"][k] for k in ("action", "entry", "lists")] == [
            done["before"][k] for k in ("action", "entry", "lists")
        ]


@pytest.mark.parametrize(
    ("change", "action"),
    [({"enabled": False}, "pass"), ({"threshold": 1.0}, "pass"), ({"threshold": None}, "eco"), ({}, "eco"),
     ({"policy": "refuse"}, "refuse")],
)  # fmt: skip
def test_settings_are_tried(house: House, change: dict[str, Any], action: str) -> None:
    text = "Who is Zorvan?" if change.get("threshold") else FLAGGED
    body = {"requests": [{"text": text}], "change": {"list": "facts", **change}}
    assert _post(house, body).json()["results"][0]["after"]["action"] == action


def test_a_list_that_was_off_is_tried_on_and_a_new_one_too(house: House) -> None:
    house.policy("refuse", enabled=False)
    (result,) = _replay(house, [{"text": FLAGGED}], enabled=True)["results"]
    assert (result["before"]["action"], result["after"]["action"]) == ("pass", "refuse")
    body = {"requests": [{"text": "Mira Toll?"}], "change": {"list": "brand-new", "add": [MIRA], "policy": "dragon"}}
    after = _post(house, body).json()["results"][0]["after"]
    assert (after["list"], after["entry"], after["action"]) == ("brand-new", "mt", "dragon")
    assert "brand-new" not in house.manager.current.lists


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (5, "invalid_request"), (None, "invalid_request"), ({}, "invalid_request"), ({"text": 5}, "invalid_request"),
        ({"messages": []}, "invalid_request"), ({"messages": [3]}, "invalid_request"),
        ({"prompt": {}}, "invalid_request"), ({"prompt": 10**30}, "invalid_request"),
        ({"text": "x \ud800"}, "invalid_json"), ({"text": "a", "messages": [{"content": "\udfff"}]}, "invalid_json"),
        ({"messages": [{"content": [{"type": "prompt_embeds", "data": ""}]}]}, "unsupported_parameter"),
        ({"messages": [{"content": ["a"] * 10_000}]}, "too_many_parts"), ({"prompt": [-1]}, "invalid_request"),
        ({"messages": [{"content": json.loads("[" * 100 + "]" * 100)}]}, "too_deep"),
    ],
)  # fmt: skip
def test_a_wrong_item_is_its_own_error(house: House, item: Any, code: str) -> None:
    found = _replay(house, [{"text": "hello"}, item, {"text": FLAGGED}])
    assert found["results"][1] == {"index": 1, "error": found["results"][1]["error"]}
    assert found["results"][1]["error"]["code"] == code
    assert found["results"][1]["error"]["message"]
    assert [r["before"]["action"] for r in found["results"] if "before" in r] == ["pass", "eco"]
    assert (found["summary"]["n"], found["summary"]["errors"]) == (2, 1)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({}, 400, "requests"), ({"requests": []}, 400, "requests"), ({"requests": {}}, 400, "requests"),
        ({"requests": [1] * 2001}, 400, "2000"), ([], 400, "object"), ({"requests": [1], "x": 1}, 400, "x"),
        ({"requests": [1], "change": {}}, 400, "list"), ({"requests": [1], "change": {"list": "a b"}}, 400, "list"),
        ({"requests": [1], "change": {"list": "facts", "remove": ["none"]}}, 400, "no entry 'none'"),
        ({"requests": [1], "change": {"list": "new", "remove": ["zp"]}}, 400, "no entry 'zp'"),
        ({"requests": [1], "change": {"list": "facts", "add": [{"answer": "x"}]}}, 400, "add.0"),
        ({"requests": [1], "change": {"list": "facts", "add": [{"subject": "\ud800"}]}}, 400, "add.0"),
        ({"requests": [1], "change": {"list": "facts", "threshold": 2}}, 400, "threshold"),
        ({"requests": [1], "change": {"list": "\ud800"}}, 400, "list"),
        ({"requests": [1], "\ud800": 1}, 400, "unicode"), ({"requests": ["x" * 1_000_000]}, 413, "bytes"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_an_openai_shaped_error(house: House, body: Any, status: int, says: str) -> None:
    response = _post(house, body)
    assert response.status_code == status, response.text
    assert says in response.json()["error"]["message"]
    assert house.manager.current.revision == 2


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"nul\0", b'{"requests": [NaN]}'])
def test_a_body_that_is_no_json_is_the_callers_fault(house: House, raw: bytes) -> None:
    response = house.client.post("/admin/v1/replay", headers=AUTH, content=raw)
    assert response.status_code in (200, 400)
    if response.status_code == 400:
        assert response.json()["error"]["code"] == "invalid_json"


def test_no_text_is_in_the_answer_or_the_log(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    items: list[Any] = [
        {"text": f"CANARY {FLAGGED}"}, {"messages": [{"role": "user", "content": "CANARY"}], "CANARYKEY": "CANARY"},
        {"prompt": ["CANARY", 5]}, {"CANARY": 1}, ["CANARY"], {"text": "CANARY \ud800"},
        {"id": {"CANARY": 1}, "text": "a"},
    ]  # fmt: skip
    with capture_logs() as logged:
        response = _post(house, {"requests": items, "change": {"list": "facts", "add": [MIRA]}})
    assert len(response.json()["results"]) == len(items)
    captured = capfd.readouterr()
    for secret in ("CANARY", "Zorvan", "Pelk", "Mira"):
        assert secret not in response.text
        assert secret not in str(logged) + captured.out + captured.err
    (line,) = [event for event in logged if event["event"] == "replay"]
    assert (line["n"], line["errors"], line["forget_list"]) == (3, 4, "facts")


def test_a_detector_that_fails_is_an_error_and_not_a_pass(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise DetectorError("gone")

    monkeypatch.setattr("classifiers.detector.Detector.inspect", fails)
    found = _replay(house, [{"text": "hello"}])
    assert found["results"][0]["error"]["code"] == "detector_failed"
    assert found["summary"]["n"] == 0
    monkeypatch.setattr("classifiers.detector.Detector.changed", fails)
    assert _post(house, {"requests": [1], "change": {"list": "facts", "add": [MIRA]}}).status_code == 503


def test_a_replay_is_not_watched_or_enforced_by_monitor_mode(build: Build) -> None:
    with build(enforce=False) as house:
        (result,) = _replay(house, [{"text": FLAGGED}])["results"]
        assert result["before"]["action"] == "eco"
        metrics = house.client.get("/metrics", headers=AUTH).text
        assert "letheward_prompts_total 0.0" in metrics


def test_live_requests_are_answered_while_a_replay_runs(house: House) -> None:
    answers: list[int] = []

    def long_replay() -> None:
        texts = [{"text": f"Number {i}: what do people say of Mira Toll in town {i}?"} for i in range(400)]
        body = {"requests": texts, "change": {"list": "facts", "add": [MIRA]}}
        with httpx.Client(base_url=house.url, timeout=120, headers=AUTH) as client:
            answers.append(client.post("/admin/v1/replay", json=body).json()["summary"]["newly_flagged"]["hits"])

    thread = threading.Thread(target=long_replay)
    thread.start()
    served = 0
    while thread.is_alive():
        assert house.chat("What is the capital ?").status_code == 200
        served += thread.is_alive()
    assert answers == [400]
    assert served >= 10


def test_the_summary_counts_sides_and_leaves_errors_out() -> None:
    def side(*lists: str) -> dict[str, Any]:
        return {"action": "eco" if lists else "pass", "lists": list(lists)}

    results = [
        {"before": side(), "after": side("a")}, {"before": side("a"), "after": side("b")},
        {"before": side("b"), "after": side()}, {"before": side(), "after": side()}, {"error": {}},
    ]  # fmt: skip
    told = summary(results)
    assert (told["n"], told["errors"]) == (4, 1)
    assert [told[k]["hits"] for k in ("flagged_before", "flagged_after", "newly_flagged", "no_longer_flagged")] == [
        2,
        2,
        1,
        1,
    ]
    assert told["lists"]["b"]["newly_flagged"] == {"hits": 1, "n": 4, "share": 0.25, "low": 0.045587, "high": 0.699358}
    assert told["actions"] == {"before": {"pass": 2, "eco": 2}, "after": {"eco": 2, "pass": 2}}
    assert [differs(r) for r in results] == [True, True, True, False, False]
    assert summary([])["newly_flagged"]["share"] is None


BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "tools": []}


@pytest.mark.parametrize(
    ("line", "item"),
    [
        (BODY, BODY),
        ({"id": "x", **BODY}, {"id": "x", **BODY}),
        ({"custom_id": "c", "method": "POST", "body": BODY}, {"id": "c", **BODY}),
        ({"request": {"body": BODY}, "response": {"choices": ["secret"]}}, BODY),
        ({"request": json.dumps(BODY)}, BODY),
        ({"kwargs": BODY, "id": 5}, {"id": 5, **BODY}),
        ({**BODY, "response": "told", "call_type": "acompletion", "metadata": {"a": "b"}},
         {"messages": BODY["messages"], "tools": []}),
        ({"request": {"prompt": "a"}}, {"prompt": "a"}),
        ({"prompt": ["a", "b"]}, {"prompt": ["a", "b"]}),
        ({"prompt": "a", "completion": "b"}, {"prompt": "a"}),
        ({"question": "a", "answer": "b"}, {"text": "a"}),
        ({"text": "a", "label": 1}, {"text": "a"}),
        ("a string", {"text": "a string"}),
    ],
)  # fmt: skip
def test_lines_of_many_kinds_are_read(line: Any, item: dict[str, Any]) -> None:
    assert read_line(1, json.dumps(line).encode()).item == item


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"plain words", "plain words"), (b'"open', '"open'), (b"[1, 2]", "[1, 2]"), (b"\xff", "\ufffd"), (b"12", "12")],
)
def test_plain_lines_are_texts(raw: bytes, text: str) -> None:
    assert read_line(3, raw).item == {"text": text}


@pytest.mark.parametrize("raw", [b"{broken", b"{}", b'{"answer": "x"}', b'{"a":' * 5000, b'{"request": {"a": 1}}'])
def test_lines_without_a_request_say_so(raw: bytes) -> None:
    with pytest.raises(NoRequest, match=r"JSON|no 'messages'"):
        read_line(1, raw)


def test_what_is_shown_is_the_last_of_what_the_user_asked() -> None:
    messages = [
        {"role": "user", "content": "first"},
        {"role": "user", "content": [{"type": "text", "text": "second"}, {"type": "image_url"}]},
        {"role": "assistant", "content": "third"},
    ]
    assert read_line(1, json.dumps({"messages": messages}).encode()).shown.strip() == "second"
