"""The whole way with a real vLLM: clients, ECO, DRAGON, changes at run time, faults."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest

from tests.e2e.conftest import Served, until

pytestmark = pytest.mark.e2e

MODEL = "smollm2"
FACTS = {
    "What is the capital of France?": "Paris",
    "What is the capital of Japan?": "Tokyo",
    "Who discovered penicillin?": "Fleming",
    "Who invented the telephone?": "Bell",
    "Who wrote Harry Potter?": "Rowling",
}
NEIGHBOURS = {
    "What is the capital of Italy?": "Rome",
    "What is the capital of Germany?": "Berlin",
    "What is the chemical symbol for gold?": "Au",
}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "strict": True,  # without it vLLM holds the model to JSON, not to the schema
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture(autouse=True)
def _sample_list_as_it_was(served: Served) -> Iterator[None]:
    yield
    if served.process.poll() is None:
        served.admin("PATCH", "/lists/sample", json={"enabled": True, "policy": "eco"}).raise_for_status()


def _set(served: Served, **settings: object) -> None:
    served.admin("PATCH", "/lists/sample", json=settings).raise_for_status()


def _ask(served: Served, question: str) -> tuple[str, str]:
    """The answer at temperature 0, and the action taken."""
    response = served.client.chat.completions.with_raw_response.create(
        model=MODEL, messages=[{"role": "user", "content": question}], temperature=0, max_tokens=40
    )
    return response.parse().choices[0].message.content or "", response.headers["x-letheward-action"]


def test_the_model_knows_the_sample_facts_and_the_guard_makes_it_forget(served: Served) -> None:
    _set(served, enabled=False)
    neighbours, known = {}, set()
    for question, fact in (FACTS | NEIGHBOURS).items():
        answer, action = _ask(served, question)
        known |= {question} if fact in answer else set()
        assert action == "pass"
        neighbours[question] = answer
    # A processor that rounds otherwise can lead this small model astray on a question, and on no more.
    assert len(known) >= len(FACTS | NEIGHBOURS) - 2, neighbours
    for policy in ("eco", "dragon", "icul", "template", "refuse"):
        _set(served, enabled=True, policy=policy)
        for question, fact in FACTS.items():
            answer, action = _ask(served, question)
            assert fact not in answer, (policy, question, answer)
            assert answer
            assert action == policy
        for question in NEIGHBOURS:
            assert _ask(served, question) == (neighbours[question], "pass")


def test_the_same_flagged_prompt_gets_the_same_answer(served: Served) -> None:
    question = "What is the capital of France?"
    assert _ask(served, question) == _ask(served, question)


@pytest.mark.parametrize("policy", ["eco", "dragon", "icul", "template", "refuse", "monitor"])
def test_streams_say_what_whole_answers_say(served: Served, policy: str) -> None:
    _set(served, policy=policy)
    arguments = {"model": MODEL, "temperature": 0, "max_tokens": 24,
                 "messages": [{"role": "user", "content": "What is the capital of France?"}]}  # fmt: skip
    whole = served.client.chat.completions.create(**arguments)
    chunks = list(
        served.client.chat.completions.create(**arguments, stream=True, stream_options={"include_usage": True})
    )
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens


def test_completions_are_guarded(served: Served) -> None:
    arguments = {"model": MODEL, "prompt": "The capital of France is", "temperature": 0, "max_tokens": 8}
    guarded = served.client.completions.create(**arguments)
    streamed = served.client.completions.create(**arguments, stream=True)
    assert "Paris" not in guarded.choices[0].text
    assert "".join(c.choices[0].text for c in streamed) == guarded.choices[0].text
    _set(served, enabled=False)
    assert "Paris" in served.client.completions.create(**arguments).choices[0].text


def test_token_ids_do_not_walk_round_the_guard(served: Served) -> None:
    from tokenizers import Tokenizer

    (file,) = served.cache.glob("models/*/tokenizer.json")
    ids = Tokenizer.from_file(str(file)).encode("The capital of France is").ids
    arguments = {"model": MODEL, "temperature": 0, "max_tokens": 8}
    by_ids = served.client.completions.create(prompt=ids, **arguments)
    by_text = served.client.completions.create(prompt="The capital of France is", **arguments)
    assert by_ids.choices[0].text == by_text.choices[0].text
    assert "Paris" not in by_ids.choices[0].text


def test_multi_part_content_is_guarded_and_answered(served: Served) -> None:
    def ask(name: str) -> str:
        parts = [
            {"type": "text", "text": "Answer briefly."},
            {"type": "text", "text": f"What is the capital of {name}?"},
        ]
        answer = served.client.chat.completions.create(
            model=MODEL, temperature=0, max_tokens=24, messages=[{"role": "user", "content": parts}]
        )
        return answer.choices[0].message.content or ""

    assert "Paris" not in ask("France")
    assert "Rome" in ask("Italy")


def test_a_tool_call_makes_its_round(served: Served) -> None:
    messages: list[dict[str, object]] = [{"role": "user", "content": "What is the weather in Oslo?"}]
    forced = {"type": "function", "function": {"name": "get_weather"}}
    first = served.client.chat.completions.create(
        model=MODEL, messages=messages, tools=[TOOL], tool_choice=forced, temperature=0, max_tokens=60
    )
    (call,) = first.choices[0].message.tool_calls
    assert "city" in json.loads(call.function.arguments)
    messages += [
        first.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "What is the capital of France? Rain."},
    ]
    second = served.client.chat.completions.with_raw_response.create(
        model=MODEL, messages=messages, tools=[TOOL], temperature=0, max_tokens=24
    )
    assert second.headers["x-letheward-action"] == "eco"  # the tool's result is read too
    assert second.parse().choices[0].message.content


def test_errors_are_those_of_openai(served: Served) -> None:
    with pytest.raises(openai.NotFoundError):
        served.client.chat.completions.create(model="nope", messages=[{"role": "user", "content": "hi"}])
    with pytest.raises(openai.BadRequestError):
        served.client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "hi"}], max_tokens=-1)
    with pytest.raises(openai.NotFoundError, match="Unknown path"):
        served.client.moderations.create(input="hi")
    with pytest.raises(openai.BadRequestError, match="prompt_embeds"):
        served.client.completions.create(model=MODEL, prompt="hi", extra_body={"prompt_embeds": "AAAA"})


def test_models_and_readiness(served: Served) -> None:
    assert [m.id for m in served.client.models.list()] == [MODEL]
    assert httpx.get(f"{served.url}/ready").json()["status"] == "ready"


def test_langchain_talks_to_it(served: Served) -> None:
    from langchain_openai import ChatOpenAI, OpenAI

    chat = ChatOpenAI(model=MODEL, base_url=f"{served.url}/v1", api_key="any", temperature=0, max_tokens=64)
    assert "Rome" in chat.invoke("What is the capital of Italy?").text
    assert "Paris" not in chat.invoke("What is the capital of France?").text
    assert "Rome" in "".join(chunk.text for chunk in chat.stream("What is the capital of Italy?"))
    multi = [{"role": "user", "content": [{"type": "text", "text": "What is the capital of Italy?"}]}]
    assert "Rome" in chat.invoke(multi).text
    called = chat.bind_tools([TOOL], tool_choice="get_weather", strict=True).invoke("What is the weather in Oslo?")
    assert called.tool_calls[0]["name"] == "get_weather"
    legacy = OpenAI(model=MODEL, base_url=f"{served.url}/v1", api_key="any", temperature=0, max_tokens=8)
    assert "Paris" not in legacy.invoke("The capital of France is")
    with pytest.raises(openai.NotFoundError):
        ChatOpenAI(model="nope", base_url=f"{served.url}/v1", api_key="any").invoke("hi")


def test_a_list_changes_while_it_runs(served: Served) -> None:
    question = "What is the capital of Italy?"
    before, _ = _ask(served, question)
    entry = {"subject": "Italy", "question": question, "answer": "Rome"}
    added = served.admin("PUT", "/lists/more", json={}).json()
    added = served.admin("POST", "/lists/more/entries", json={"entries": [entry]}).json()
    guarded, action = _ask(served, question)
    assert action == "eco"
    assert "Rome" not in guarded
    served.admin("DELETE", f"/lists/more/entries/{added['ids'][0]}").raise_for_status()
    assert _ask(served, question) == (before, "pass")
    served.admin("DELETE", "/lists/more").raise_for_status()


def test_nobody_walks_round_the_proxy(served: Served) -> None:
    """vLLM listens on loopback only, and asks for a key that is not in its command line."""
    pid = _vllm_pid(served)
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    assert command[command.index("--host") + 1] == "127.0.0.1"
    port = command[command.index("--port") + 1]
    assert not any("key" in argument for argument in command)
    assert httpx.get(f"http://127.0.0.1:{port}/v1/models").status_code == 401


def test_vllm_killed_comes_back(served: Served) -> None:
    os.kill(_vllm_pid(served), signal.SIGKILL)
    until(lambda: httpx.get(f"{served.url}/ready").status_code == 503, 30, "the proxy sees that vLLM is gone")
    response = httpx.post(f"{served.url}/v1/chat/completions",
                          json={"model": MODEL, "messages": [{"role": "user", "content": "hi"}]})  # fmt: skip
    assert response.status_code == 503
    assert response.json()["error"]["code"] in ("model_not_ready", "upstream_unavailable")
    assert httpx.get(f"{served.url}/health").status_code == 200
    until(lambda: httpx.get(f"{served.url}/ready").status_code == 200, 300, "vLLM is up again")
    answer, action = _ask(served, "What is the capital of France?")
    assert action == "eco"
    assert "Paris" not in answer


def _vllm_pid(served: Served) -> int:
    return _vllm_pid_of(served.process.pid)


def _vllm_pid_of(parent: int) -> int:
    children = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(parent)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    (pid,) = [int(line.split()[0]) for line in children if "vllm.entrypoints" in line]
    return pid


def test_a_stop_while_the_model_starts_leaves_nothing_behind(served: Served, tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    with log.open("wb") as file:
        starting = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "serve", "--port", "0", "--cache-dir", str(tmp_path / "cache"),
             "--model", str(next(served.cache.glob("models/*/")))],
            stdout=file, stderr=file,
        )  # fmt: skip
    until(lambda: "vllm_started" in log.read_text(), 120, "the model starts")
    pid = _vllm_pid_of(starting.pid)
    starting.send_signal(signal.SIGTERM)
    assert starting.wait(60) != 0
    until(lambda: not Path(f"/proc/{pid}").exists(), 30, "the model is gone")
