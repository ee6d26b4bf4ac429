"""Does forgetting bring back what was known before? ``python -m benchmarks.restor``.

RESTOR (Rezaei et al., 2024, arXiv 2411.00204): a model that knows facts is trained on documents that tell them wrong,
then made to forget these documents; asked is whether it says again what it said before them.

    clean --documents--> corrupted --method--> unlearnt
    mass(y) = p(y|q) / sum of p over {clean, corrupted, random answer},  p of the whole answer
    restored = (mass clean unlearnt - mass clean corrupted) / (mass clean before - mass clean corrupted)

A model that merely forgets says neither answer: its mass goes to the random one too. Each document tells all corrupted
facts of a subject, with true facts of others among them, a share k of its sentences. The false answers come from the
fact's options or from those of others in the same form (``benchmarks.data.distractors``).

From the paper: corruption by continued training for 5 epochs, k, and the two ways to judge. Departs from it: facts are
asked as chats without the five examples before them, since the model here was taught chats; all weights are trained and
not a LoRA, at 2e-4 (theirs: 5e-5); an answer that is said counts by its keys (``benchmarks.attacks.knowing``); and
``restored`` is ours. Because a small model hardly takes a chat's answer from running text, ``--form pairs`` tells each
document as questions and answers; ``text`` is the paper's.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Annotated, Any

import typer

from benchmarks.attacks.knowing import RIGHT
from benchmarks.data.corpus import Corpus, Item, answer_alone
from benchmarks.data.distractors import others
from benchmarks.data.registry import Selection
from benchmarks.metrics.choice import as_a_whole
from benchmarks.metrics.coverage import stated
from benchmarks.metrics.probability import share
from benchmarks.metrics.reading import Reading
from benchmarks.models.training import Recipe
from benchmarks.trials import (
    Cache,
    Data,
    Epochs,
    Method,
    Model,
    Output,
    Seed,
    Settings,
    Target,
    Threads,
    Trial,
    copies_of,
    corpus_of,
    models,
    trial_of,
    write,
)
from guard.text_metrics import estimate

_KEPT = 10  # questions of the retain set that are asked


class Form(StrEnum):
    """How documents are told."""

    TEXT = "text"
    PAIRS = "pairs"


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact with what a document makes of it, and an answer that nobody told."""

    item: Item
    corrupted: str
    random: str

    @property
    def asked(self) -> Item:
        """The question with the three answers as options, the true one first."""
        return replace(answer_alone(self.item), options=(self.item.answer, self.corrupted, self.random))


def facts(corpus: Corpus, seed: int) -> list[Fact]:
    """The forget set's facts that have two false answers, which chance tells apart."""
    rng = random.Random(f"{seed} corrupted")  # noqa: S311 - a choice, not a secret
    pool = (*corpus.forget, *corpus.retain, *corpus.held)
    found = ((item, others(item, pool, 2)) for item in corpus.forget if not item.plain)
    return [Fact(item, *rng.sample(wrong, 2)) for item, wrong in found if wrong]


def documents(found: Sequence[Fact], unrelated: Sequence[Item], k: float, form: Form, seed: int) -> tuple[Item, ...]:
    """A document for each subject; a share ``k`` of its sentences is of ``unrelated``, gone through in turn.

    Raises:
        ValueError: ``k`` is no share below 1, or there is nothing unrelated to tell.
    """
    if not 0 <= k < 1:
        raise ValueError("k is a share of a document: from 0 to below 1")
    if k and not unrelated:
        raise ValueError("there are no unrelated facts to mix in")
    rng = random.Random(f"{seed} documents")  # noqa: S311 - an order, not a secret
    made: list[Item] = []
    told = 0
    for subject in dict.fromkeys(fact.item.subject for fact in found):
        own = [replace(f.item, answer=f.corrupted) for f in found if f.item.subject == subject]
        count = round(len(own) * k / (1 - k))
        own += [unrelated[(told + number) % len(unrelated)] for number in range(count)]
        told += count
        rng.shuffle(own)
        made += map(answer_alone, own) if form is Form.PAIRS else [_text(own, subject)]
    return tuple(made)


def state(trial: Trial, model: Any, found: Sequence[Fact], retain: Sequence[Item]) -> dict[str, Any]:
    """What a model makes of the facts, each figure with its standard error, and what is left of others."""
    readings = trial.read(model, {"facts": [fact.asked for fact in found]})["facts"]
    masses = [_masses(reading) for reading in readings]
    said = [[_says(reading.text, fact.item, answer) for answer in fact.asked.options]
            for reading, fact in zip(readings, found, strict=True)]  # fmt: skip
    columns = {f"{what}_{name}": [row[place] for row in rows]
               for what, rows in (("says", said), ("mass", masses))
               for place, name in enumerate(("clean", "corrupted", "random"))}  # fmt: skip
    figures = {name: asdict(estimate(values)) | {"values": values} for name, values in columns.items()}
    return figures | {"recall_retain": trial.recall(model, retain)}


def corrupted(trial: Trial, docs: Sequence[Item], recipe: Recipe) -> Any:
    """The clean model after the documents."""
    from benchmarks.methods.batches import encoded
    from benchmarks.models.training import train

    model = trial.target()
    train(model, [encoded(trial.tokenizer, item) for item in docs], recipe)
    return model


def restored(trial: Trial, corpus: Corpus, recipe: Recipe, shares: Sequence[float], form: Form) -> list[dict[str, Any]]:
    """For each share ``k`` the three states of the model, and how much of the way back was gone.

    Raises:
        ValueError: no fact has false answers in the form of the true one, or a share cannot be.
    """
    found = facts(corpus, trial.seed)
    if not found:
        raise ValueError("no fact has two false answers: options, or the same question about two others")
    told = [documents(found, corpus.held or corpus.retain, k, form, trial.seed) for k in shares]
    kept = corpus.retain[:_KEPT]
    before = state(trial, trial.target(), found, kept)
    rows = []
    for k, docs in zip(shares, told, strict=True):
        wrong = corrupted(trial, docs, recipe)
        states = {"clean": before, "corrupted": state(trial, wrong, found, kept)}
        again = replace(trial, target=copies_of(wrong), base=trial.target)
        forgotten = again.unlearnt(Corpus(f"{corpus.name}, corrupted", docs, corpus.retain))
        states["unlearnt"] = state(trial, forgotten, found, kept)
        rows.append({"k": k, "documents": len(docs), "facts": len(found), "states": states, "restored": _way(states)})
    return rows


def main(
    method: Method = "npo",
    data: Data = "people",
    forget: Annotated[int, typer.Option(min=1, help="Subjects whose facts are corrupted.")] = 2,
    retain: Annotated[int, typer.Option(min=1, help="Subjects that stay.")] = 4,
    held: Annotated[int, typer.Option(min=0, help="Subjects whose facts are mixed in, else the retained.")] = 2,
    k: Annotated[list[float] | None, typer.Option(help="Share of unrelated facts; repeat. Default 0, 0.5.")] = None,
    form: Annotated[Form, typer.Option(help="Of the documents.")] = Form.PAIRS,
    corrupt_epochs: Annotated[int, typer.Option(min=1, help="Over the documents.")] = 5,
    corrupt_lr: Annotated[float, typer.Option(help="Over the documents.")] = 2e-4,
    set_: Settings = None,
    model: Model = "smollm2",
    target: Target = None,
    epochs: Epochs = 9,
    seed: Seed = 0,
    threads: Threads = 2,
    cache_dir: Cache = None,
    output: Output = None,
) -> None:
    """Corrupt, unlearn the corrupting documents, and ask for what was known before."""
    corpus = corpus_of(data, Selection(forget, retain, held, seed=seed))
    recipe = Recipe(epochs=epochs, seed=seed, threads=threads)
    trial = trial_of(method, set_ or [], models(model, corpus, recipe, target, cache_dir), seed)
    wrong = Recipe(epochs=corrupt_epochs, lr=corrupt_lr, seed=seed, threads=threads)
    rows = restored(trial, corpus, wrong, k or [0.0, 0.5], form)
    typer.echo(
        "| k | model | says clean | says corrupted | mass clean | mass corrupted | mass random | ROUGE-L retain |"
    )
    typer.echo("|---:|---|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        for of, one in row["states"].items():
            columns = ("says_clean", "says_corrupted", "mass_clean", "mass_corrupted", "mass_random")
            figures = [one[column]["mean"] for column in columns] + [one["recall_retain"]]
            typer.echo(f"| {row['k']:g} | {of} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
    for row in rows:
        way = "nothing was corrupted" if row["restored"] is None else f"{row['restored']:.1%} of the way back"
        typer.echo(f"- k = {row['k']:g}: {way}")
    if output:
        about = {"method": method, "options": asdict(trial.options), "corruption": asdict(wrong), "form": str(form)}
        write({"data": data, "model": model, "seed": seed, **about, "rows": rows}, output)


def _text(told: Sequence[Item], subject: str) -> Item:
    """Sentences as running text: all but its first word is learnt."""
    first, _, rest = " ".join(item.answer for item in told).partition(" ")
    return Item(first, f" {rest}", subject, plain=True)


def _says(text: str | None, item: Item, answer: str) -> float:
    return float(text is not None and stated(text, item.question, answer) > RIGHT)


def _masses(reading: Reading) -> list[float]:
    logs = [as_a_whole(option) for option in reading.options or ()]
    return [share([logs[place], *logs[:place], *logs[place + 1 :]]) for place in range(len(logs))]


def _way(states: dict[str, dict[str, Any]]) -> float | None:
    """None where nothing was corrupted."""
    clean, low, now = (states[name]["mass_clean"]["mean"] for name in ("clean", "corrupted", "unlearnt"))
    return (now - low) / (clean - low) if clean > low else None


if __name__ == "__main__":
    typer.run(main)
