"""Who asks what: the mix of requests, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from benchmarks.leaks.canaries import CANARIES
from benchmarks.leaks.requests import ENDPOINTS, request
from benchmarks.soak.client import AT_ONCE, LITTLE, Reading
from benchmarks.soak.script import PADDING, Pace, Story

_QUESTIONS = ("{0}", "I wonder: {0}", "{0} Please answer in one sentence.", "Hello! {0}")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. ``story``: what is to be answered, word for word; ``guarded``: it asks for what is protected."""

    kind: str
    endpoint: str  # of ``ENDPOINTS``, or the path itself
    body: bytes
    streamed: bool
    story: Story | None = None
    guarded: bool = False
    bad: bool = False  # it is to be refused with 4xx
    method: str = "POST"
    reading: Reading = AT_ONCE

    @property
    def path(self) -> str:
        """Where it is sent."""
        return ENDPOINTS.get(self.endpoint, self.endpoint)


@dataclass(frozen=True, slots=True)
class Mix:
    """How long answers are, in words; ``interval``: seconds between two words."""

    words: tuple[int, int]
    interval: float

    @property
    def longest(self) -> float:
        """Seconds that the longest answer takes."""
        return self.words[1] * self.interval * 1.5 + 10 * self.interval


Draw = Callable[[random.Random, Mix], Ask]


def long(chance: random.Random, mix: Mix) -> Ask:
    """A stream that holds a place for as long as a model writes."""
    return _drawn(_LONG, chance, mix)


def short(chance: random.Random, mix: Mix) -> Ask:
    """What comes and goes beside the streams."""
    return _drawn(_SHORT, chance, mix)


def _drawn(table: dict[Draw, float], chance: random.Random, mix: Mix) -> Ask:
    (draw,) = chance.choices(list(table), list(table.values()))
    return draw(chance, mix)


def _endpoint(chance: random.Random) -> str:
    return chance.choices(list(ENDPOINTS), (5, 2, 2, 2))[0]


def _story(chance: random.Random, words: tuple[int, int], pace: Pace = "", aside: int | None = None) -> Story:
    return Story(chance.randrange(10_000), chance.randint(*words), pace, aside)


def _asked(kind: str, endpoint: str, story: Story, *, stream: bool, reading: Reading = AT_ONCE) -> Ask:
    body = orjson.dumps(request(endpoint, "content", story.asked, stream=stream))
    kept = story if story.aside is None else None  # what is protected must not come, and the rest may change with it
    return Ask(kind, endpoint, body, stream, kept, reading=reading)


def _usual(chance: random.Random, mix: Mix) -> Ask:
    return _asked("stream", _endpoint(chance), _story(chance, mix.words), stream=True)


def _from_slow_model(chance: random.Random, mix: Mix) -> Ask:
    fewer = mix.words[0] // 3, mix.words[1] // 3
    story = _story(chance, fewer, chance.choice(("slowly", "after a while")))
    return _asked("slow upstream", _endpoint(chance), story, stream=True)


def _slow_reader(chance: random.Random, mix: Mix) -> Ask:
    """As long as the others', of more than buffers hold."""
    words = 10 * mix.words[1]
    pause = sum(mix.words) / 2 * mix.interval * LITTLE / (words * PADDING)
    reading = Reading(LITTLE, pause)
    return _asked("slow reader", "chat", _story(chance, (words, words), "at once"), stream=True, reading=reading)


def _leaver(chance: random.Random, mix: Mix) -> Ask:
    reading = Reading(leave=chance.randint(1, mix.words[0]))
    return _asked("leaver", _endpoint(chance), _story(chance, mix.words), stream=True, reading=reading)


def _whole(chance: random.Random, mix: Mix) -> Ask:
    return _asked("whole", _endpoint(chance), _story(chance, (5, 40)), stream=False)


def _guarded(chance: random.Random, mix: Mix) -> Ask:
    endpoint, stream = _endpoint(chance), chance.random() < 0.5
    question = chance.choice(_QUESTIONS).format(chance.choice(CANARIES).question)
    body = orjson.dumps(request(endpoint, "content", question, stream=stream))
    return Ask("guarded", endpoint, body, stream, guarded=True)


def _unasked(chance: random.Random, mix: Mix) -> Ask:
    story = _story(chance, (10, 20), "at once", chance.randrange(len(CANARIES)))
    return _asked("unasked", _endpoint(chance), story, stream=chance.random() < 0.5)


def _models(chance: random.Random, mix: Mix) -> Ask:
    return Ask("models", "/v1/models", b"", streamed=False, method="GET")


def _bad(chance: random.Random, mix: Mix) -> Ask:
    chat = ENDPOINTS["chat"]
    embeds = {"model": "m", "messages": [{"role": "user", "content": "Hello."}], "prompt_embeds": "AAAA"}
    return Ask("bad", chat, *chance.choice((
        (b"{", False), (b"[1]", False), (b"\xff\xfe", False), (b'"text"', False), (b"", False),
        (orjson.dumps(embeds), False),
        (b'{"messages": ' + b"[" * 500 + b"]" * 500 + b"}", False),
    )), bad=True)  # fmt: skip


_LONG: dict[Draw, float] = {_usual: 80, _from_slow_model: 8, _slow_reader: 4, _leaver: 8}
_SHORT: dict[Draw, float] = {_whole: 35, _guarded: 35, _unasked: 12, _bad: 13, _models: 5}
