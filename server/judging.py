"""How a request is judged: the one way that the proxy and a replay of past traffic share."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from classifiers.types import Verdict
from guard.router import Plan, plan
from guard.snapshot import Snapshot
from server.surfaces import Body, Decode, Limits, Surface, chat_surfaces, check_shape, completion_surfaces

# With these the answer would repeat the rewritten prompt.
_ECHOING = ("echo", "prompt_logprobs", "return_token_ids", "return_tokens_as_token_ids")


class Snapshots(Protocol):
    """Where the forget lists in force come from."""

    @property
    def current(self) -> Snapshot:
        """The lists as they are now."""
        ...

    @property
    def stale(self) -> bool:
        """True where a stored change could not be brought into force."""
        ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request, and every text of it."""

    body: Body
    surfaces: list[Surface]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the detector found in a request.

    ``scores``: the highest of every list that saw anything; a list that is not in it saw nothing.
    ``early``: whether no text of it needed the encoder. ``ms``: milliseconds by stage.
    """

    verdicts: list[tuple[Verdict, ...]]  # for each surface
    scores: Mapping[str, float]
    early: bool
    ms: Mapping[str, float]

    @property
    def flagged(self) -> frozenset[str]:
        """The lists that it is about."""
        return frozenset(v.list_name for own in self.verdicts for v in own)


@dataclass(frozen=True, slots=True)
class Judge:
    """Reads, judges and decides. ``decode`` is the served model's tokenizer, if it is at hand."""

    limits: Limits = field(default_factory=Limits)
    decode: Decode | None = None
    eco_available: bool = False

    def read(self, body: Body, *, chat: bool) -> Prompt:
        """The texts of a request; prompts of token ids are replaced by their text in ``body``.

        Raises:
            ApiError: 400 where it cannot be read, or is not to be sent on.
        """
        check_shape(body, self.limits)
        return Prompt(body, chat_surfaces(body) if chat else completion_surfaces(body, self.decode))

    def judge(self, snapshot: Snapshot, prompt: Prompt) -> Judgement:
        """Judge equal texts once, and messages also as turns of one conversation. Blocking.

        Raises:
            TextTooLong: there is more text than the detector reads.
            DetectorError: the detector failed.
        """
        surfaces = prompt.surfaces
        unique = list(dict.fromkeys(s.text for s in surfaces))
        judged = snapshot.detector.inspect(unique)
        found = dict(zip(unique, judged.verdicts, strict=True))
        verdicts = [found[s.text] for s in surfaces]
        began = time.perf_counter()
        turns = {s.message: i for i, s in reversed(list(enumerate(surfaces))) if s.message is not None}
        order = [turns[message] for message in sorted(turns)]
        told = snapshot.detector.follow_ups([surfaces[i].text for i in order], [verdicts[i] for i in order])
        for i, own in zip(order, told, strict=True):
            verdicts[i] = own
        ms = dict(judged.ms) | {"turns": (time.perf_counter() - began) * 1000}
        return Judgement(verdicts, _highest(judged.scores, verdicts), all(judged.early), ms)

    def decide(self, snapshot: Snapshot, prompt: Prompt, verdicts: Sequence[Sequence[Verdict]]) -> Plan:
        """What the lists want done with the request."""
        found = plan(
            verdicts,
            snapshot.lists,
            snapshot.entries,
            rewritable=[s.rewritable for s in prompt.surfaces],
            eco_available=self.eco_available,
            past=_past(prompt),
        )
        if found.action in ("eco", "dragon") and any(prompt.body.get(key) for key in _ECHOING):
            return Plan("refuse", found.decisive, found.findings, ())
        return found


def _highest(scores: Sequence[Mapping[str, float]], verdicts: Sequence[Sequence[Verdict]]) -> dict[str, float]:
    best: dict[str, float] = {}
    seen = [item for own in scores for item in own.items()]
    seen += [(v.list_name, v.score) for own in verdicts for v in own]  # a follow-up's is only here
    for name, score in seen:
        best[name] = max(best.get(name, 0.0), score)
    return best


def _past(prompt: Prompt) -> list[bool]:
    """For each surface whether it stands before the user's last message."""
    messages = prompt.body.get("messages")
    if not isinstance(messages, list):
        return [False] * len(prompt.surfaces)
    last = max((i for i, m in enumerate(messages) if isinstance(m, dict) and m.get("role") == "user"), default=-1)
    return [s.message is not None and s.message < last for s in prompt.surfaces]
