"""What can still be read off the hidden states: whom a question is about, and the forgotten words themselves.

Kim et al., 2025 (arXiv 2503.06991) freeze the unlearnt model and let a k-nearest-neighbour classifier name the class
from its features; classes that lie near what is kept are the hard case. A language model has no classes, so there are
two readings here, both of the frozen states of each of the decoder's layers:

    subject: h (dim,) where the answer is about to begin -> whom the question is about
    fact:    h (dim,) where the answer's own word is about to come -> that word's embedding e (dim,)

Subject: logistic regression or neighbours, cross-validated over questions. Most questions name the subject, which a
model that never learnt it reads too: the figure means something beside the retained model's.
Fact: a ridge regression h -> e, learnt from every place of answers that stay, and tried on the forget set, of which it
has seen nothing: is e nearer (by cosine) to the true word than to those of the other items? The own word is the first
of the answer that neither the question nor an answer about another has. e is the target's output embedding.

The figure is the mean over items of the share of layers that are right, chance is in the note. "near": the same over
the retained subjects whose texts are nearest to the forget set's by TF-IDF, which must stay readable.

Logistic regression with C = 1, 3 neighbours by cosine, 5 folds, ridge with alpha = 10, states standardised, 8 subjects
with 8 items each: all ours, for the paper's networks and data are others. Read from the corpus and not from what is
asked of a row, which is too little. A guard's row: the target's states over what the guard lets it read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Corpus, Item
from benchmarks.methods.batches import encoded
from benchmarks.metrics.coverage import keys
from benchmarks.metrics.metric import Measured, Undefined, mean
from benchmarks.models.packing import Chat
from benchmarks.probes.probe import Probe
from benchmarks.probes.states import states
from guard.text_metrics import words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.floating[Any]]

By = Literal["linear", "neighbours"]
_FOLDS = 5
_SUBJECTS = _EACH = 8
_NEIGHBOURS = 3


def subjects(victim: Victim, near: bool, by: By) -> Measured | Undefined:
    """How often whom a question is about is told; a value for each item."""
    items = chosen(victim.corpus, near)
    labels = [item.subject for item in items]
    if len(set(labels)) < 2:
        return Undefined("fewer than two subjects have two questions each")
    given = [victim.chat(item) for item in items]
    if None in given:
        return Undefined("the guard answers some of the questions by itself")
    places = states(victim, victim.load(), [chat for chat in given if chat is not None])
    right = _told([[layer[0] for layer in one] for one in places], labels, by, victim.seed)
    chance = max(map(labels.count, labels)) / len(labels)
    return mean(right, f"{len(set(labels))} subjects, chance {chance:.3f}; the share of layers that name the subject")


def facts(victim: Victim, near: bool, alpha: float = 10.0) -> Measured | Undefined:
    """How often a probe that learnt from what stays finds the answer's own word; a value for each item."""
    import numpy as np

    asked, known = chosen(victim.corpus, near), chosen(victim.corpus, near=True)
    learnt = _rest(victim.corpus.retain, asked, len(known)) if near else known
    if len(asked) < 2 or len(learnt) < 2:
        return Undefined("there are too few items to ask for, or to learn from")
    given, known_chats = [victim.chat(item) for item in asked], [encoded(victim.tokenizer, item) for item in learnt]
    reached = [chat for chat in given if chat is not None]
    if len(reached) < len(given):
        return Undefined("the guard answers some of the questions by itself")
    model, e = victim.load(), _embeddings(victim)
    places = [_own_place(victim.tokenizer, item, asked, chat) for item, chat in zip(asked, reached, strict=True)]
    wanted = [chat.answer[place] for chat, place in zip(reached, places, strict=True)]
    seen, taught = states(victim, model, reached), states(victim, model, known_chats)
    answers = e([token for chat in known_chats for token in chat.answer])
    words_ = list(dict.fromkeys(wanted))
    right = []
    for number in range(len(seen[0])):
        learn = np.concatenate([one[number].numpy() for one in taught])  # (places, dim)
        test = np.stack([one[number][place].numpy() for one, place in zip(seen, places, strict=True)])
        found = ridge(learn, answers, test, alpha) @ e(words_).T  # (items, words)
        right.append([words_[best] == token for best, token in zip(found.argmax(1), wanted, strict=True)])
    note = f"{len(words_)} words to choose from, chance {1 / len(words_):.3f}; the share of layers that find it"
    return mean(np.mean(right, axis=0).tolist(), note)


def ridge(learn: Array, targets: Array, test: Array, alpha: float) -> Array:
    """What a ridge regression from ``learn`` (n, dim) to ``targets`` (n, dim') says of ``test`` (m, dim): (m, dim')."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    found: Array = make_pipeline(StandardScaler(), Ridge(alpha)).fit(learn, targets).predict(test)
    return found


def chosen(corpus: Corpus, near: bool) -> list[Item]:
    """Items of the forget set, or of the half of the retained subjects nearest to it, each subject's together."""
    own: dict[str, list[Item]] = {}
    for item in corpus.retain if near else corpus.forget:
        own.setdefault(item.subject, []).append(item)
    several = {subject: items[:_EACH] for subject, items in own.items() if subject and len(items) > 1}
    order = _nearest(several, corpus.forget)[: max(2, len(several) // 2)] if near else list(several)
    return [item for subject in order[:_SUBJECTS] for item in several[subject]]


def _told(places: Sequence[Sequence[Any]], labels: Sequence[str], by: By, seed: int) -> list[float]:
    """Of each item, the share of layers in which its subject is named."""
    import numpy as np
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    truth = np.asarray(labels)
    folds = min(_FOLDS, *(labels.count(label) for label in set(labels)))
    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    model = _model(by, len(labels) - -(-len(labels) // folds))
    right = [
        cross_val_predict(model, np.stack([one[number].numpy() for one in places]), truth, cv=split) == truth
        for number in range(len(places[0]))
    ]
    found: list[float] = np.mean(right, axis=0).tolist()
    return found


def _model(by: By, learnt: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if by == "linear":
        return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000))
    return KNeighborsClassifier(min(_NEIGHBOURS, learnt), metric="cosine")


def _nearest(several: dict[str, list[Item]], forget: Sequence[Item]) -> list[str]:
    """The subjects, those whose texts are likest to the forget set's first; names are not looked at."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not several or not forget:
        return list(several)
    texts = {subject: " ".join(map(_text, items)) for subject, items in several.items()}
    vectors = TfidfVectorizer(sublinear_tf=True).fit_transform([*texts.values(), " ".join(map(_text, forget))])
    near = (vectors[:-1] @ vectors[-1].T).toarray()[:, 0].tolist()
    return [subject for subject, _ in sorted(zip(texts, near, strict=True), key=lambda found: -found[1])]


def _text(item: Item) -> str:
    return _without(f"{item.question} {item.answer}", item.subject)


def _without(text: str, subject: str) -> str:
    return text.replace(subject, "") if subject else text


def _rest(retain: Sequence[Item], asked: Sequence[Item], most: int) -> list[Item]:
    """Retained items of other subjects than those that are asked for."""
    about = {item.subject for item in asked}
    return [item for item in retain if item.subject not in about][: max(most, 2)]


def _own_place(tokenizer: Any, item: Item, others: Sequence[Item], chat: Chat) -> int:
    """Which token of the answer begins its own word."""
    elsewhere = {word for other in others if other.subject != item.subject for word in words(other.answer)}
    wanted = keys(item.question, item.answer)
    own = (wanted - elsewhere) or wanted
    starts = (found.start() for found in re.finditer(r"\w+", item.answer) if own & set(words(found.group())))
    before = item.answer[: next(starts, 0)].rstrip()
    return min(len(tokenizer(before, add_special_tokens=False).input_ids), len(chat.answer) - 1)


def _embeddings(victim: Victim) -> Callable[[Sequence[int]], Array]:
    """Token ids -> the target's output embeddings of length 1, (tokens, dim)."""
    import torch

    matrix = victim.target().get_output_embeddings().weight.detach().float().cpu()
    return lambda tokens: torch.nn.functional.normalize(matrix[list(tokens)], dim=-1).numpy()


_PAPER = "Kim et al., 2025, arXiv 2503.06991"
LINEAR = Probe("subject read off by a linear probe", _PAPER, "retained", "representation",
               partial(subjects, near=False, by="linear"))  # fmt: skip
KNN = Probe("subject read off by neighbours", _PAPER, "retained", "representation",
            partial(subjects, near=False, by="neighbours"))  # fmt: skip
FACTS = Probe("facts read off by a linear probe", _PAPER, "retained", "representation",
              partial(facts, near=False))  # fmt: skip
NEAR = Probe("subject read off by a linear probe, near retained ones", _PAPER, "high", "representation",
             partial(subjects, near=True, by="linear"))  # fmt: skip
KNN_NEAR = Probe("subject read off by neighbours, near retained ones", _PAPER, "high", "representation",
                 partial(subjects, near=True, by="neighbours"))  # fmt: skip
FACTS_NEAR = Probe("facts read off by a linear probe, near retained ones", _PAPER, "high", "representation",
                   partial(facts, near=True))  # fmt: skip
