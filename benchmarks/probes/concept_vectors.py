"""ConceptVectors: do the vectors that hold a concept still hold it (Hong et al., 2024, arXiv 2406.11614)?

A value vector is a column of a layer's ``down_proj``; its projection on the vocabulary spells what it writes. On the
target model those are found whose likeliest ``top`` tokens hold most of the forget answers' tokens that the retain
set's do not have. Of each: how many of its likeliest tokens are the same in the row (Jaccard), its cosine to the
target's, and its distance (L2). 1, 1 and 0: parametric knowledge was left where it is, whatever the model says. The
authors find concepts by a large model over Wikipedia; here the forget set says what the concept is. ``needle`` is their
control: noise of 0.1 on these vectors of the target, and what is said then; the note has what is said with the noise on
as many other vectors of the same layers, without which it means nothing. A guard's row has the target's weights.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.attacks.leaking import leak_of
from benchmarks.attacks.victim import Victim
from benchmarks.metrics.metric import Measured, Undefined, mean
from benchmarks.models.hooks import layers
from benchmarks.probes.probe import Probe

if TYPE_CHECKING:
    import torch

_TOP, _VECTORS, _NOISE = 200, 20, 0.1
_PART = 512  # vectors projected together

Place = tuple[int, int]  # layer, column
By = Literal["jaccard", "cosine", "distance"]


def held(victim: Victim, by: By = "jaccard") -> Measured | Undefined:
    """The mean over the concept's vectors; the retained model's is what another training leaves alike."""
    import torch

    own, target = victim.load(), victim.target()
    places = concept(victim, target)
    if not places:
        return Undefined("no vector of the target spells the forget answers")
    if by == "jaccard":
        pairs = [(spelt(own, place), spelt(target, place)) for place in places]
        return mean([len(a & b) / len(a | b) for a, b in pairs], f"{len(places)} vectors, {_TOP} tokens")
    after, before = (torch.stack([_vector(model, place).float() for place in places]) for model in (own, target))
    if by == "cosine":
        return mean(torch.nn.functional.cosine_similarity(after, before, dim=1).tolist(), f"{len(places)} vectors")
    return mean((after - before).norm(dim=1).tolist(), f"{len(places)} vectors")


def needle(victim: Victim) -> Measured | Undefined:
    """What the target still says of the forget set when its concept's vectors are noise; the same for every row."""
    bare = replace(victim, guard=None)
    target = victim.target()
    places = concept(victim, target)
    if not places:
        return Undefined("no vector of the target spells the forget answers")
    said = leak_of(bare, noised(target, places, victim.seed))
    target = victim.target()
    control = leak_of(bare, noised(target, _others(target, places, victim.seed), victim.seed))
    if isinstance(said, Undefined) or isinstance(control, Undefined):
        return said
    return replace(said, note=f"{said.note}; {control.value:.3f} with noise on {len(places)} other vectors")


def noised(model: Any, places: Sequence[Place], seed: int) -> Any:
    """``model`` with noise on the vectors at ``places``; changed where it stands."""
    import torch

    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer, column in places:
            weight = layers(model)[layer].mlp.down_proj.weight
            noise = _NOISE * torch.randn(weight.shape[0], generator=chance)
            weight[:, column] += noise.to(weight)
    return model


def _others(model: Any, places: Sequence[Place], seed: int) -> list[Place]:
    """For each place another of its layer that is none of them."""
    chance, taken = random.Random(seed), set(places)  # noqa: S311 - not for secrets
    found: list[Place] = []
    for layer, _ in places:
        columns = range(layers(model)[layer].mlp.down_proj.weight.shape[1])
        free = [(layer, column) for column in columns if (layer, column) not in taken]
        found.append(chance.choice(free))
        taken.add(found[-1])
    return found


def spelt(model: Any, place: Place) -> set[int]:
    """The likeliest tokens of a vector."""
    scores = model.get_output_embeddings().weight.detach() @ _vector(model, place)  # (vocabulary,)
    return set(scores.topk(min(_TOP, len(scores) // 4)).indices.tolist())


def _vector(model: Any, place: Place) -> torch.Tensor:
    """The value vector itself, (dim,)."""
    found: torch.Tensor = layers(model)[place[0]].mlp.down_proj.weight.detach()[:, place[1]]
    return found


def concept(victim: Victim, target: Any) -> list[Place]:
    """The vectors that spell the forget answers best, the best first."""
    import torch

    words = _own_tokens(victim)
    if not words:
        return []
    head = target.get_output_embeddings().weight.detach()  # (vocabulary, dim)
    marked = torch.zeros(len(head), device=head.device)
    marked[sorted(words)] = 1
    count = min(_TOP, len(head) // 4)
    found: list[tuple[float, Place]] = []
    for number, layer in enumerate(layers(target)):
        columns = layer.mlp.down_proj.weight.detach()  # (dim, columns)
        for at in range(0, columns.shape[1], _PART):
            top = (head @ columns[:, at : at + _PART]).topk(count, dim=0).indices  # (count, part)
            hits = marked[top].sum(0)
            best = hits.topk(min(_VECTORS, len(hits)))
            found += [(float(h), (number, at + int(c))) for h, c in zip(best.values, best.indices, strict=True) if h]
    return [place for _, place in sorted(found, key=lambda each: (-each[0], each[1]))[:_VECTORS]]


def _own_tokens(victim: Victim) -> set[int]:
    """Tokens of the forget answers that no retain answer has."""

    def tokens(of: str) -> set[int]:
        texts = (item.answer for item in victim.sets.get(of, ()))
        return {token for text in texts for token in victim.tokenizer(text, add_special_tokens=False).input_ids}

    return tokens("forget") - tokens("retain")


_PAPER = "Hong et al., 2024, arXiv 2406.11614"
HELD = Probe("concept vectors that spell the same", _PAPER, "retained", "representation", held)
COSINE = Probe("concept vectors: cosine to the target's", _PAPER, "retained", "representation",
               partial(held, by="cosine"))  # fmt: skip
DISTANCE = Probe("concept vectors: distance from the target's", _PAPER, "retained", "representation",
                 partial(held, by="distance"))  # fmt: skip
NEEDLE = Probe("ROUGE-L forget of the target, its concept vectors made noise", _PAPER, "retained", "representation",
               needle)  # fmt: skip
