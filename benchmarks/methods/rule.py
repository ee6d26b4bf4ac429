"""RULE, reinforcement unlearning (arXiv 2506.07171).

    1. declining is taught on a small share of the forget set: CE(declining)
    2. GRPO on all forget questions and on boundary questions, G answers each, rewarded by rules:
       forget: 1[declines] - ROUGE-L recall of the true answer; boundary: ROUGE-L recall - 1[declines]
       A = (r - mean r) / (std r + e) within the G, L = -mean A mean_t log p_t + k KL(p_1 || p)

p_1 is the model after the first stage. A round is one step on fresh answers, so that GRPO's ratio is 1 and its clipping
says nothing. Boundary questions are those of the retain set, which have the same forms and are about others; answers
that a rule can check take the place of the paper's synthesised ones. From summaries: shares of 12 % and 8 %. The terms
of the reward, G 4, k 0.05, 24 tokens and 6 rounds are ours. trl's trainer is not used: it would be a large dependency
for these lines.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmarks.data.corpus import Item
from benchmarks.guarded.refusals import is_refusal
from benchmarks.methods.batches import Needs, encoded
from benchmarks.methods.descent import beside, descend
from benchmarks.methods.method import Basis, Card, Intent, Method, Options, Training, Unlearning
from benchmarks.methods.state import Precise, State
from benchmarks.methods.step import Step
from benchmarks.methods.terms import answer_means, divergence
from benchmarks.models.generating import Sampling, generated
from benchmarks.models.packing import Chat, pack
from benchmarks.models.predicted import predict
from guard.text_metrics import rouge_l

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Rule(Training):
    """Both stages; ``epochs`` and ``batch`` are the first one's.

    Attributes:
        taught: share of the forget set that is taught to be declined.
        boundary: boundary questions, a share of the forget set's number; four at least.
        rounds: steps of the second stage, each on all forget and boundary questions that ``asked`` allows.
        asked: questions of each kind in a round.
        group: G, answers to a question.
        tokens: of an answer at most.
        rl_rate: the second stage's rate, in those of the first.
        hold: k.
    """

    taught: float = 0.12
    boundary: float = 0.08
    rounds: int = 6
    asked: int = 4
    group: int = 4
    tokens: int = 24
    rl_rate: float = 0.2
    hold: float = 0.05


def reward(text: str, item: Item, forget: bool, refusals: Sequence[str]) -> float:
    """Of an answer, from -1 to 1. ``refusals``: sentences that decline, beside what is known to."""
    told, declined = rouge_l(text, item.answer).recall, float(text.strip() in refusals or is_refusal(text))
    return declined - told if forget else told - declined


def advantages(rewards: torch.Tensor) -> torch.Tensor:
    """Of rewards (questions, G), within each question; 0 where all answers earn the same."""
    return (rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True, correction=0) + 1e-4)


def declining(step: Step, options: Options) -> torch.Tensor:
    """The first stage's loss, a scalar."""
    return step.refused.nll


def run(work: Unlearning) -> Any:
    """The target model, in place.

    Raises:
        ValueError: the retain set, from which boundary questions come, is empty.
    """
    options: Rule = work.options
    if not work.corpus.retain:
        raise ValueError("rule asks boundary questions from the retain set, which is empty")
    rng = random.Random(work.seed)  # noqa: S311 - a choice, not a secret
    forget, retain = work.corpus.forget, work.corpus.retain
    known = rng.sample(forget, max(1, round(options.taught * len(forget))))
    boundary = rng.sample(retain, min(len(retain), max(4, round(options.boundary * len(forget)))))
    first = replace(work, corpus=work.corpus.forgetting(tuple(known)), checkpoint=beside(work.checkpoint, "declining"))
    model = descend(first, declining, Needs(retain=False, refused=True))
    return _reinforced(replace(work, model=model), list(forget), boundary)


def _reinforced(work: Unlearning, forget: Sequence[Item], boundary: Sequence[Item]) -> Any:
    """The second stage."""
    import copy

    import torch

    options, model = work.options, work.model.eval()
    before = copy.deepcopy(model).requires_grad_(False)
    precise = Precise(list(model.parameters()))
    optimiser = torch.optim.AdamW(precise.own, lr=options.lr * options.rl_rate, weight_decay=options.weight_decay)
    state = State(work, {"optimiser": optimiser}, precise.own)
    begun = state.resume()
    precise.give_back()
    for at in work.meter.over(range(begun, options.rounds), options.rounds, begun):
        rng = random.Random(work.seed * 1009 + at)  # noqa: S311 - an order, not a secret
        asked = [(item, True) for item in rng.sample(forget, min(options.asked, len(forget)))]
        asked += [(item, False) for item in rng.sample(boundary, min(options.asked, len(boundary)))]
        for place, (item, forgets) in enumerate(asked):
            torch.autograd.backward(_loss(work, before, item, forgets, at * 1009 + place) / len(asked))
        torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip)
        precise.take_gradients()
        optimiser.step()
        precise.give_back()
        model.zero_grad(set_to_none=True)
        state.keep(at + 1)
    return model


def _loss(work: Unlearning, before: Any, item: Item, forgets: bool, seed: int) -> torch.Tensor:
    """GRPO's for the answers to one question, a scalar."""
    import torch

    options, prompt = work.options, encoded(work.tokenizer, item)
    sampling = Sampling(count=options.group, seed=work.seed * 1_000_003 + seed)
    with torch.no_grad():
        rows = generated(work.model, work.tokenizer, [prompt], options.tokens, work.meter, sampling)
    answers = [_ended(row, work.tokenizer.eos_token_id) for row in rows]
    texts = [str(work.tokenizer.decode(row, skip_special_tokens=True)) for row in answers]
    rewards = torch.tensor([[reward(text, item, forgets, work.refusals) for text in texts]], device=work.model.device)
    packed = pack([Chat(prompt.prompt, answer) for answer in answers], work.model.dtype).to(work.model.device)
    work.meter.read(packed.ids.numel())
    own = predict(work.model, packed)
    with torch.no_grad():
        usual = predict(before, packed)
    likely = answer_means(own, own.log_probs)  # (G,)
    gained = (advantages(rewards)[0] * likely).mean()
    found: torch.Tensor = options.hold * divergence(usual.logits, own.logits) - gained
    return found


def _ended(row: Sequence[int], end: int) -> tuple[int, ...]:
    """The tokens up to the end token and with it."""
    return tuple(row[: row.index(end) + 1]) if end in row else tuple(row)


METHOD = Method(
    Card("RULE", "arXiv 2506.07171", "rejection", Intent.SUPPRESS, "all weights", Basis.SUMMARY, (31,)), Rule, run,
    copies=5,
)  # fmt: skip
