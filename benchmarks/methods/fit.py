"""FIT, unlearning by filtered requests, by importance and by layers (Xu et al., 2026, arXiv 2601.21682).

1. Filter: a pair is redundant if its vector's cosine to one that was kept exceeds ``alike`` and leaving it out changes
   the set's mean CE by ``change`` at most. It is not unlearnt: what it shares with others would fall once more.
2. Importance: ||d CE / d input embeddings|| of each pair; of the pairs in the order of it, those up to ``low`` are the
   lower tier, those from ``high`` on the upper.

    lower:   CE(random tokens)
    middle:  -(2 / beta) log sigmoid(-beta log(p(y) / p_0(y)))
    upper:   the same, and KL(p_0 || p) on the retain set
    L = gamma mean over the batch's pairs + alpha (the upper tier's share of the batch) KL

3. Layers: each is left out in turn (attention and MLP give 0); only attention and MLP of the ``layers`` that change CE
   on the forget set most are changed.

Built from summaries. Theirs embeds fixed-size chunks by SimCSE and compares with all requests before; here a chunk is a
pair, and the method sees the request at hand alone, so that it is compared with the pairs before it in that. Vectors
are means of the model's own input embeddings over a pair's tokens, less the mean of all pairs, without which all texts
are alike: no other model is needed. Layers: 8, theirs. Ours: alike 0.9, change 0.1, tiers of a third each, beta 0.1,
random tokens drawn anew at each step, and alpha 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmarks.data.corpus import Item
from benchmarks.methods.batches import Needs, alone, encoded
from benchmarks.methods.descent import descend
from benchmarks.methods.method import Basis, Card, Intent, Method, Options, Unlearning
from benchmarks.methods.step import Step
from benchmarks.methods.terms import answer_means, divergence, log_ratios
from benchmarks.models.hooks import layers, outputs_changed
from benchmarks.models.predicted import predict

if TYPE_CHECKING:
    import torch

LOWER, MIDDLE, UPPER = range(3)


@dataclass(frozen=True, slots=True)
class Fit(Options):
    """What is unlearnt, how and where.

    Attributes:
        alike: cosine from which on a pair may be redundant; over 1 keeps all.
        change: of the mean CE, up to which it is.
        low: share of the pairs in the lower tier.
        high: share below the upper tier.
        beta: of the preference loss.
        layers: how many change.
    """

    alike: float = 0.9
    change: float = 0.1
    low: float = 1 / 3
    high: float = 2 / 3
    beta: float = 0.1
    layers: int = 8


def loss(step: Step, options: Fit) -> torch.Tensor:
    """The loss of a step, a scalar."""
    import torch

    tier = step.kept[list(step.places)].to(step.forget.logits.device)  # (chats,)
    drawn = torch.randint(step.forget.logits.shape[-1], step.forget.packed.wanted.shape, generator=step.chance)
    logs = torch.log_softmax(step.forget.logits.float(), -1)  # (answer tokens, vocabulary)
    random = -answer_means(step.forget, logs.gather(1, drawn.to(logs.device)[:, None])[:, 0])  # (chats,)
    ratio = log_ratios(step.forget, step.frozen.forget)  # (chats,)
    preferred = -2 / options.beta * torch.nn.functional.logsigmoid(-options.beta * ratio)  # (chats,)
    found = options.forget_weight * torch.where(tier == LOWER, random, preferred).mean()
    upper = (tier == UPPER).float().mean().item()
    if upper and options.retain_weight:
        kept = divergence(step.frozen.retain.logits, step.retain.logits)
        found = found + options.retain_weight * upper * kept
    return found


def distinct(vectors: torch.Tensor, losses: torch.Tensor, options: Fit) -> list[int]:
    """Places of the pairs that are kept: their vectors (pairs, dim) and CE (pairs,) in the order that they came in."""
    import torch

    kept: list[int] = []
    scaled = torch.nn.functional.normalize(vectors, dim=-1)
    for place, own in enumerate(scaled):
        others = torch.cat([losses[:place], losses[place + 1 :]])
        changes = (losses.mean() - others.mean()).abs() if len(others) else torch.tensor(torch.inf)
        if not kept or (scaled[kept] @ own).max() <= options.alike or changes > options.change:
            kept.append(place)
    return kept


def tiers(importance: torch.Tensor, options: Fit) -> torch.Tensor:
    """The tier of each pair, (pairs,)."""
    import torch

    share = importance.argsort().argsort() / max(1, len(importance))  # of the pairs that matter less
    found: torch.Tensor = torch.bucketize(share, torch.tensor([options.low, options.high]), right=True)
    return found


def run(work: Unlearning) -> Any:
    """The model that has unlearnt.

    Raises:
        ValueError: the forget set is empty, no layer is to change, or the checkpoint is another run's.
    """
    options: Fit = work.options
    if not work.corpus.forget or options.layers < 1:
        raise ValueError("fit unlearns a forget set in some layers: it is empty, or layers is under 1")
    work.model.eval().requires_grad_(True)
    vectors, losses, importance = _seen(work, work.corpus.forget)
    kept = distinct(vectors, losses, options)
    own = replace(work, corpus=work.corpus.forgetting(tuple(work.corpus.forget[place] for place in kept)))
    chosen = targets(own)
    needs = Needs(retain=bool(options.retain_weight), reference=True)
    return descend(
        own, loss, needs, kept=tiers(importance[kept], options), trained=lambda model, _: _weights(model, chosen)
    )


def targets(work: Unlearning) -> list[int]:
    """The layers that matter to the forget set most, from the first to the last."""
    import torch

    own = layers(work.model)
    chats = [encoded(work.tokenizer, item) for item in work.corpus.forget]

    def loss_without(number: int | None) -> float:
        total = 0.0
        with torch.no_grad(), ExitStack() as silenced:
            for part in (own[number].self_attn, own[number].mlp) if number is not None else ():
                silenced.enter_context(outputs_changed(part, torch.zeros_like))
            for chat in chats:
                total += float(predict(work.model, alone(work, chat)).nll)
        return total / len(chats)

    whole = loss_without(None)
    scores = [abs(loss_without(number) - whole) for number in work.meter.over(range(len(own)), len(own))]
    return sorted(sorted(range(len(own)), key=scores.__getitem__, reverse=True)[: work.options.layers])


def _weights(model: Any, chosen: Sequence[int]) -> list[Any]:
    every = layers(model)
    parts = [part for number in chosen for part in (every[number].self_attn, every[number].mlp)]
    return [parameter for part in parts for parameter in part.parameters() if parameter.requires_grad]


def _seen(work: Unlearning, items: Sequence[Item]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of each pair: its vector (pairs, dim), CE and importance (pairs,), on the CPU in float32."""
    import torch

    embedding = work.model.get_input_embeddings()
    vectors, losses, importance = [], [], []
    for item in work.meter.over(items, len(items)):
        read: list[torch.Tensor] = []

        def keep(out: torch.Tensor, read: list[torch.Tensor] = read) -> torch.Tensor:
            read.append(out)
            return out

        packed = alone(work, encoded(work.tokenizer, item))
        with outputs_changed(embedding, keep):
            own = predict(work.model, packed).nll
        (gradient,) = torch.autograd.grad(own, read[:1])
        text = work.tokenizer(f"{item.question} {item.answer}", add_special_tokens=False).input_ids
        vectors.append(embedding.weight[text].detach().float().mean(0).cpu())
        losses.append(own.detach().float().cpu())
        importance.append(gradient.float().norm().cpu())
    found = torch.stack(vectors)
    return found - found.mean(0), torch.stack(losses), torch.stack(importance)


METHOD = Method(
    Card("FIT", "Xu et al., 2026, arXiv 2601.21682", "divergence", Intent.REMOVE, "the layers that matter most",
         Basis.SUMMARY, (20,)), Fit, run, copies=5,
)  # fmt: skip
