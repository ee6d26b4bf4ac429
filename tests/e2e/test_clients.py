"""The clients of OpenAI and Anthropic on every endpoint: calls, streams, tools, structured output, guarded and not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pydantic
import pytest

from tests.e2e.conftest import Served

pytestmark = pytest.mark.e2e

MODEL = "smollm2"
FORGOTTEN, KEPT = "What is the capital of France?", "What is the capital of Italy?"
POLICIES = ("eco", "dragon", "icul", "template", "refuse")
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
FUNCTION = {"name": "get_weather", "description": "The weather in a city", "parameters": SCHEMA, "strict": True}


class City(pydantic.BaseModel):
    """A structured answer."""

    city: str


@pytest.fixture(autouse=True)
def _sample_list_as_it_was(served: Served) -> Iterator[None]:
    yield
    served.admin("PATCH", "/lists/sample", json={"enabled": True, "policy": "eco"}).raise_for_status()


@pytest.fixture
def claude(served: Served) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=served.url, api_key="any", max_retries=0)


def _policy(served: Served, policy: str) -> None:
    served.admin("PATCH", "/lists/sample", json={"policy": policy}).raise_for_status()


def _user(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize("policy", POLICIES)
def test_every_way_to_ask_forgets(served: Served, claude: anthropic.Anthropic, policy: str) -> None:
    _policy(served, policy)
    client = served.client
    options: dict[str, Any] = {"model": MODEL, "temperature": 0}
    anthropics: dict[str, Any] = {"model": MODEL, "extra_body": {"temperature": 0}}
    chat = client.chat.completions.create(messages=_user(FORGOTTEN), max_tokens=24, **options)
    with client.chat.completions.stream(messages=_user(FORGOTTEN), max_tokens=24, **options) as stream:
        streamed = stream.get_final_completion()
    completion = client.completions.create(prompt="The capital of France is", max_tokens=12, **options)
    response = client.responses.create(input=FORGOTTEN, max_output_tokens=24, **options)
    with client.responses.stream(input=FORGOTTEN, max_output_tokens=24, **options) as events:
        responded = events.get_final_response()
    message = claude.messages.create(messages=_user(FORGOTTEN), max_tokens=24, **anthropics)
    with claude.messages.stream(messages=_user(FORGOTTEN), max_tokens=24, **anthropics) as parts:
        told = parts.get_final_message()
    texts = [
        chat.choices[0].message.content, streamed.choices[0].message.content, completion.choices[0].text,
        response.output_text, responded.output_text, message.content[0].text, told.content[0].text,
    ]  # fmt: skip
    assert not [t for t in texts if not t or "Paris" in t], texts
    assert texts[0] == texts[1] == texts[3] == texts[4] == texts[5] == texts[6]
    assert chat.usage.completion_tokens == response.usage.output_tokens == message.usage.output_tokens


def test_what_is_kept_is_told_on_every_endpoint(served: Served, claude: anthropic.Anthropic) -> None:
    client = served.client
    options: dict[str, Any] = {"model": MODEL, "temperature": 0}
    anthropics: dict[str, Any] = {"model": MODEL, "extra_body": {"temperature": 0}}
    response = client.responses.create(input=KEPT, max_output_tokens=24, **options)
    then = client.responses.create(
        input="Say that again.", previous_response_id=response.id, max_output_tokens=24, **options
    )
    message = claude.messages.create(messages=_user(KEPT), max_tokens=24, **anthropics)
    assert "Rome" in response.output_text
    assert then.previous_response_id == response.id
    assert client.responses.retrieve(response.id).output_text == response.output_text
    assert "Rome" in message.content[0].text
    assert claude.messages.count_tokens(messages=_user(KEPT), model=MODEL).input_tokens > 5


def test_a_forgotten_question_that_goes_on_stays_forgotten(served: Served) -> None:
    client = served.client
    first = client.responses.create(model=MODEL, input="Let us talk about France.", max_output_tokens=8, temperature=0)
    then = client.responses.create(
        model=MODEL, input="What is its capital?", previous_response_id=first.id, max_output_tokens=24, temperature=0
    )
    assert "Paris" not in then.output_text


def test_structured_output_and_tools(served: Served, claude: anthropic.Anthropic) -> None:
    client = served.client
    parsed = client.chat.completions.parse(
        model=MODEL, messages=_user("Name an Italian city."), response_format=City, temperature=0, max_tokens=40
    )
    assert parsed.choices[0].message.parsed is not None
    forced: Any = {"type": "function", "function": {"name": "get_weather"}}
    called = client.chat.completions.create(
        model=MODEL, messages=_user("Weather in Oslo?"), tools=[{"type": "function", "function": FUNCTION}],
        tool_choice=forced, temperature=0, max_tokens=60,
    )  # fmt: skip
    assert "city" in json.loads(called.choices[0].message.tool_calls[0].function.arguments)
    answered = client.responses.parse(
        model=MODEL, input="Name an Italian city.", text_format=City, temperature=0, max_output_tokens=40
    )
    assert isinstance(answered.output_parsed, City)
    used = claude.messages.create(
        model=MODEL, max_tokens=64, messages=_user("Weather in Oslo?"), extra_body={"temperature": 0},
        tools=[{"name": "get_weather", "description": "The weather", "input_schema": SCHEMA, "strict": True}],
        tool_choice={"type": "tool", "name": "get_weather"},
    )  # fmt: skip
    assert "city" in next(b for b in used.content if b.type == "tool_use").input


@pytest.mark.parametrize("policy", ["refuse", "template"])
def test_a_refused_structured_answer_is_a_refusal_to_its_client(served: Served, policy: str) -> None:
    _policy(served, policy)
    parsed = served.client.chat.completions.parse(
        model=MODEL, messages=_user(FORGOTTEN), response_format=City, temperature=0, max_tokens=40
    )
    message = parsed.choices[0].message
    assert message.parsed is None
    assert message.refusal


def test_guarded_structured_output_is_structured_and_forgets(served: Served) -> None:
    parsed = served.client.chat.completions.parse(
        model=MODEL, messages=_user(FORGOTTEN), response_format=City, temperature=0, max_tokens=60
    )
    content = parsed.choices[0].message.content or ""
    assert "Paris" not in content
    assert parsed.choices[0].message.refusal or json.loads(content)


def test_logprobs_of_a_guarded_answer_name_no_forgotten_value(served: Served) -> None:
    _policy(served, "dragon")
    answer = served.client.chat.completions.create(
        model=MODEL, messages=_user(FORGOTTEN), logprobs=True, top_logprobs=20, temperature=0, max_tokens=24
    )
    tops = [
        t.token
        for p in (answer.choices[0].logprobs.content if answer.choices[0].logprobs else ())
        for t in p.top_logprobs
    ]
    assert "Paris" not in "|".join(tops)
    completion = served.client.completions.create(
        model=MODEL, prompt="My favourite city is", logprobs=20, temperature=0, max_tokens=8
    )
    assert completion.choices[0].logprobs.tokens


def test_n_answers_all_forget(served: Served) -> None:
    answer = served.client.chat.completions.create(
        model=MODEL, messages=_user(FORGOTTEN), n=3, temperature=1, seed=1, max_tokens=24
    )
    assert len(answer.choices) == 3
    assert not any("Paris" in (c.message.content or "") for c in answer.choices)


def test_errors_reach_each_client_as_its_own(served: Served, claude: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError):
        claude.messages.create(model="nope", messages=_user("hi"), max_tokens=5)
    with pytest.raises(anthropic.BadRequestError):
        claude.messages.create(model=MODEL, messages=_user("hi"), max_tokens=-1)
    with pytest.raises(openai.NotFoundError):
        served.client.responses.create(model=MODEL, input="hi", previous_response_id="resp_unknown")
    with pytest.raises(openai.APIStatusError):  # the embedded model makes no embeddings, which vLLM says
        served.client.embeddings.create(model=MODEL, input="hi")
    with pytest.raises(openai.NotFoundError, match="Unknown path"):
        served.client.images.generate(prompt="hi")
