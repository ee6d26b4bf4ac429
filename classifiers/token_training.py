"""Training of a token classifier's head, and its figures on held-out sentences.

The encoder stays as it is, so its states are made once; the head over them is a matter of seconds. Cross-entropy,
AdamW, a cosine down to 0. The threshold is the one with the best F2 on the held-out sentences: a word that is missed
may give the fact away, while one too many costs nearly nothing, as the prompt is to be spoilt anyway.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifiers.prompt_manifest import check_name, sha256
from classifiers.token_classifier import Head, to_bytes
from classifiers.token_data import TokenExamples
from classifiers.token_manifest import HEAD, Scores, TokenManifest, write
from classifiers.token_sentences import Marked
from classifiers.token_states import FEATURES, NAME, Floats, TokenStates, Words, weights_sha256

Labels = npt.NDArray[np.bool_]
_CHUNK = 128  # sentences between two steps of the bar
_DECAY, _DROPOUT = 0.01, 0.2
_RECALL_WEIGHS = 2.0  # beta of the F measure that the threshold is chosen by


@dataclass(frozen=True, slots=True)
class TokenRecipe:
    """Options of a run.

    Attributes:
        hidden: width of the head.
        epochs: how often the words are gone through.
        lr: highest learning rate.
        batch: words of one step.
        seed: of the sentences, the head and the order.
        threads: of the encoder.
    """

    hidden: int = 96
    epochs: int = 12
    lr: float = 2e-3
    batch: int = 512
    seed: int = 0
    threads: int = 2


def train_tokens(
    examples: TokenExamples,
    out: Path,
    recipe: TokenRecipe | None = None,
    *,
    name: str | None = None,
    progress: Callable[[int, int], None] = lambda done, steps: None,
) -> TokenManifest:
    """Train on ``examples`` and save into ``out``; a classifier that is there is replaced when all is done.

    Args:
        examples: from ``token_data.token_examples``.
        out: the classifier's folder.
        recipe: None for the usual one.
        name: what it is called; None for the folder's name.
        progress: is told how many steps are done, and of how many.

    Raises:
        ValueError: the name cannot be used.
        RuntimeError: torch or the encoder is not installed.
    """
    recipe = recipe or TokenRecipe()
    name = check_name(name or out.name)
    states = TokenStates(threads=recipe.threads)
    chunks = math.ceil(len(examples.train) / _CHUNK) + math.ceil(len(examples.held) / _CHUNK)
    steps = chunks + recipe.epochs
    read = _Reader(states, lambda done: progress(done, steps))
    train, held = read.all(examples.train), read.all(examples.held)
    head = _fit(train, examples.train, recipe, lambda epoch: progress(chunks + epoch, steps))
    threshold, scores = _held_out(head, held, examples.held)
    content = to_bytes(head)
    manifest = TokenManifest(
        name, (NAME, weights_sha256()), FEATURES, threshold, scores, _counts(examples), _digest(examples),
        recipe.seed, asdict(recipe), {HEAD: sha256(content)},
    )  # fmt: skip
    write(out, manifest, content)
    return manifest


def labels(words: Words, marked: Marked) -> Labels:
    """``(words,)``: which of them stand in a marked span."""
    inside = [any(a < s.end and s.start < b for s in marked.spans) for a, b in words.places]
    return np.asarray(inside, np.bool_)


def counted(words: Words, marked: Marked, chosen: Labels) -> Scores:
    """How the chosen words compare with the marked ones; marks such as quotes and full stops do not count."""
    telling = np.asarray([any(c.isalnum() for c in marked.text[a:b]) for a, b in words.places], np.bool_)
    wanted = labels(words, marked) & telling
    chosen = chosen & telling
    return Scores(int((wanted & chosen).sum()), int(chosen.sum()), int(wanted.sum()))


class _Reader:
    def __init__(self, states: TokenStates, progress: Callable[[int], None]) -> None:
        self._states, self._progress, self._done = states, progress, 0

    def all(self, sentences: Sequence[Marked]) -> list[Words]:
        found: list[Words] = []
        for at in range(0, len(sentences), _CHUNK):
            found += self._states.read([m.text for m in sentences[at : at + _CHUNK]])
            self._done += 1
            self._progress(self._done)
        return found


def _fit(words: Sequence[Words], marked: Sequence[Marked], recipe: TokenRecipe, told: Callable[[int], None]) -> Head:
    try:
        import torch
    except ImportError as error:
        raise RuntimeError(f"training needs torch ({error}): install letheward[torch]") from error
    x = torch.from_numpy(np.concatenate([w.features for w in words]))  # (words, FEATURES)
    y = torch.from_numpy(np.concatenate([labels(w, m) for w, m in zip(words, marked, strict=True)])).float()
    mean, scale = x.mean(0), x.std(0).clamp_min(1e-3)
    x = (x - mean) / scale
    chance = torch.Generator().manual_seed(recipe.seed)
    with torch.random.fork_rng(devices=[]), _one_thread(torch):
        torch.manual_seed(recipe.seed)
        hidden, last = torch.nn.Linear(x.shape[1], recipe.hidden), torch.nn.Linear(recipe.hidden, 1)
        model = torch.nn.Sequential(hidden, torch.nn.ReLU(), torch.nn.Dropout(_DROPOUT), last)
        optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.lr, weight_decay=_DECAY)
        starts = range(0, len(x), recipe.batch)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs * len(starts))
        for epoch in range(recipe.epochs):
            order = torch.randperm(len(x), generator=chance)
            for at in starts:
                chosen = order[at : at + recipe.batch]
                loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x[chosen])[:, 0], y[chosen])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                falling.step()
            told(epoch + 1)
    layers = {"hidden": hidden, "out": last}
    arrays = {f"{n}.{k}": v.detach().numpy() for n, layer in layers.items() for k, v in layer.state_dict().items()}
    return Head(arrays | {"mean": mean.numpy(), "scale": scale.numpy()})


@contextmanager
def _one_thread(torch: Any) -> Iterator[None]:
    """So small a network is slower on two threads than on one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _held_out(head: Head, words: Sequence[Words], marked: Sequence[Marked]) -> tuple[float, dict[str, Scores]]:
    """The threshold, and the figures at it for each kind of sentence."""
    found: list[Floats] = [head.probabilities(w.features) for w in words]

    def at(threshold: float) -> dict[str, Scores]:
        scores: dict[str, Scores] = {}
        for w, m, p in zip(words, marked, found, strict=True):
            scores[m.kind] = scores.get(m.kind, Scores()) + counted(w, m, p >= threshold)
        return scores

    tried = {t: at(t) for t in (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)}
    best = max(tried, key=lambda t: (_f(sum(tried[t].values(), Scores())), t))
    return best, tried[best]


def _f(scores: Scores) -> float:
    square = _RECALL_WEIGHS**2
    whole = square * scores.wanted + scores.chosen
    return (1 + square) * scores.hits / whole if whole else 0.0


def _counts(examples: TokenExamples) -> dict[str, int]:
    found: dict[str, int] = {}
    for part, sentences in (("train", examples.train), ("held", examples.held)):
        for marked in sentences:
            found[f"{part} {marked.kind}"] = found.get(f"{part} {marked.kind}", 0) + 1
    return found


def _digest(examples: TokenExamples) -> str:
    own = sorted({m.text for m in (*examples.train, *examples.held) if m.kind == "list"})
    return sha256(json.dumps(own, ensure_ascii=False).encode())
