"""How a request is judged: the one way that the proxy and a replay of past traffic share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from classifiers.detector import Detector
from classifiers.types import Verdict
from guard.in_force import Snapshot
from guard.router import Plan, plan
from guard.scope import Asker
from server.dialects.base import Dialect
from server.errors import ApiError
from server.judged_before import Found, JudgedBefore
from server.surfaces import Body, Decode, Limits, Surface, check_shape

# With these the answer would repeat the rewritten prompt.
_ECHOING = ("echo", "prompt_logprobs", "return_token_ids", "return_tokens_as_token_ids")
# With these vLLM refuses embeddings.
_TEXT_ONLY = ("suffix", "use_beam_search")


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

    def when_tidying(self, also: Callable[[Snapshot], object]) -> None:
        """Have ``also`` called with the lists in force some time after changes; not on the event loop."""
        ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request, and every text of it.

    ``body``: with text in place of token ids. ``messages``: its conversation, in the form of chat completions.
    """

    body: Body
    surfaces: list[Surface]
    messages: Sequence[Mapping[str, object]] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """Its texts, each once."""
        return tuple(dict.fromkeys(s.text for s in self.surfaces))


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
    media: bool = True  # whether parts that are no text pass
    before: JudgedBefore = field(default_factory=JudgedBefore)

    def read(self, body: Body, dialect: Dialect) -> Prompt:
        """The texts of a request. ``body`` stays as it is: what nothing flags goes on as it came.

        Raises:
            ApiError: 400 where it cannot be read, or is not to be sent on.
        """
        check_shape(body, self.limits)
        body = dict(body)
        surfaces = dialect.surfaces(body, self.decode)
        if not self.media and (found := dialect.media(body)):
            raise ApiError(
                400, f"Images, audio, video and files are not accepted here ({found[0]}): only text can be judged.",
                param=found[0], code="unsupported_media",
            )  # fmt: skip
        return Prompt(body, surfaces, dialect.conversation(body))

    def judge(self, snapshot: Snapshot, prompt: Prompt, client: str | None = None) -> Judgement:
        """Judge equal texts once, and messages also as turns of one conversation. Blocking.

        ``client``: what he sent before is not judged again by the same lists; None: all is judged.

        Raises:
            TextTooLong: there is more text than the detector reads.
            DetectorError: the detector failed.
        """
        surfaces = prompt.surfaces
        unique = list(dict.fromkeys(s.text for s in surfaces))
        found, ms = self._found(snapshot.detector, unique, client)
        verdicts = [found[s.text].verdicts for s in surfaces]
        began = time.perf_counter()
        turns = {s.message: i for i, s in reversed(list(enumerate(surfaces))) if s.message is not None}
        order = [turns[message] for message in sorted(turns)]
        texts = [surfaces[i].text for i in order]
        told = snapshot.detector.follow_ups(texts, [verdicts[i] for i in order], [found[t].mentioned for t in texts])
        for i, own in zip(order, told, strict=True):
            verdicts[i] = own
        ms = ms | {"turns": (time.perf_counter() - began) * 1000}
        every = found.values()
        return Judgement(verdicts, _highest([f.scores for f in every], verdicts), all(f.early for f in every), ms)

    def _found(
        self, detector: Detector, texts: Sequence[str], client: str | None
    ) -> tuple[dict[str, Found], dict[str, float]]:
        """What ``detector`` finds in each of ``texts``, and the milliseconds that it took by stage."""
        known = {} if client is None else self.before.known(detector, client, texts)
        judged = detector.inspect([text for text in texts if text not in known])
        each = zip(judged.verdicts, judged.scores, judged.early, judged.mentioned, strict=True)
        fresh = dict(zip((t for t in texts if t not in known), (Found(*own) for own in each), strict=True))
        if client is not None:
            self.before.remember(detector, client, fresh)
        return known | fresh, dict(judged.ms)

    def decide(
        self,
        snapshot: Snapshot,
        prompt: Prompt,
        verdicts: Sequence[Sequence[Verdict]],
        asker: Asker | None = None,
    ) -> Plan:
        """What the lists that are for ``asker`` want done with the request."""
        asker = asker or Asker(str(prompt.body.get("model") or ""))
        found = plan(
            verdicts,
            snapshot.lists,
            snapshot.entries,
            rewritable=[s.rewritable for s in prompt.surfaces],
            eco_available=self.eco_available,
            past=_past(prompt),
            fits=snapshot.fits,
            model=asker.model,
            applies=asker.applies,
        )
        unfit = _ECHOING + (_TEXT_ONLY if found.eco else ())
        if found.action in ("eco", "dragon", "icul") and any(_asked(prompt.body.get(key)) for key in unfit):
            return Plan("refuse", found.decisive, found.findings, ())
        return found


def _asked(value: object) -> bool:
    """Whether an option is on; of ``prompt_logprobs`` 0 asks for the tokens of the prompt, and "" is a suffix."""
    return value is not None and value is not False


def _highest(scores: Sequence[Mapping[str, float]], verdicts: Sequence[Sequence[Verdict]]) -> dict[str, float]:
    best: dict[str, float] = {}
    seen = [item for own in scores for item in own.items()]
    seen += [(v.list_name, v.score) for own in verdicts for v in own]  # a follow-up's is only here
    for name, score in seen:
        best[name] = max(best.get(name, 0.0), score)
    return best


def _past(prompt: Prompt) -> list[bool]:
    """For each surface whether it stands before the user's last message."""
    last = max((i for i, m in enumerate(prompt.messages) if m.get("role") == "user"), default=-1)
    return [s.message is not None and s.message < last for s in prompt.surfaces]
