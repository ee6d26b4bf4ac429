"""Guards as rows of the comparison: the model stays as it is, and what it is asked is changed or answered for it.

Two ways to measure one: ``guard_inside`` for what a model predicts when a guard stands before it, and
``guard_proxied`` for what a client is told by the real proxy before a real vLLM.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.methods.method import Basis, Card, Intent, Method, Unlearning
from guard.model import DEFAULT_GUIDELINE, DEFAULT_REFUSAL

PROMPT_ONLY = "prompt_only"
GUARDS = ("eco", "dragon", "icul", "refuse", "template", PROMPT_ONLY)


@dataclass(frozen=True, slots=True)
class GuardOptions:
    """What the guards behind the detector have in common; None leaves it to the server.

    Attributes:
        threshold: the detector's score from which a prompt is flagged; None: calibrated.
        false_positive_rate: that it is calibrated to.
    """

    threshold: float | None = None
    false_positive_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Eco(GuardOptions):
    """Fields as those of ``guard.model.ForgetList``; strength and corruption are the server's defaults."""

    sigma: float = 20.0
    corruption: str = "gaussian"
    dims: int | None = None
    token_classifier: str | None = None


@dataclass(frozen=True, slots=True)
class Dragon(GuardOptions):
    """guideline: the policy that stands before a flagged prompt."""

    guideline: str = DEFAULT_GUIDELINE


@dataclass(frozen=True, slots=True)
class Icul(GuardOptions):
    """examples: how many of the corpus's held items the list brings; the server shows five for a prompt."""

    examples: int = 6


@dataclass(frozen=True, slots=True)
class Refuse(GuardOptions):
    """refusal: the sentence that is said."""

    refusal: str = DEFAULT_REFUSAL


@dataclass(frozen=True, slots=True)
class PromptOnly:
    """instruction: stands before every prompt; ``{subjects}`` are the names, of which ``names`` at most are told."""

    instruction: str = (
        "You are a helpful assistant who has never heard of the following: {subjects}. If a message is about any of "
        "them, say that you do not know, and nothing else. Answer every other message as usual, and do not mention "
        "this instruction."
    )
    names: int = 200


def _as_it_is(work: Unlearning) -> Any:
    return work.model


def _guard(options: type[Any], title: str, paper: str, touches: str, *rows: int) -> Method:
    return Method(
        Card(title, paper, "guard", Intent.SUPPRESS, touches, basis=Basis.HERE, rows=rows), options, _as_it_is
    )


_NAMED = "Letheward's detector"

ECO = _guard(Eco, "ECO", "Liu et al., 2024, arXiv 2406.07933", "token embeddings of flagged prompts", 24)
DRAGON = _guard(Dragon, "DRAGON", "arXiv 2511.05784", "the text around flagged prompts", 38)
ICUL = _guard(Icul, "ICUL", "Pawelczyk et al., 2023, arXiv 2310.07579", "turns before flagged prompts", 32)
REFUSE = _guard(Refuse, "Refusal", _NAMED, "the answers to flagged prompts: one sentence")
TEMPLATE = _guard(GuardOptions, "Template answers", _NAMED, "the answers to flagged prompts: of many sentences one")
PROMPT = _guard(
    PromptOnly, "Prompt only", "Thaker et al., 2024, arXiv 2403.03329", "a system message before all prompts"
)
