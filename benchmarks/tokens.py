"""Which words a trained token classifier chooses, against TOFU's names, dates, places and works.

Usage: python -m benchmarks.tokens --tofu FOLDER --json OUT [--split forget05]

The classifier is trained on the split's questions and answers as a list, as `letheward eco train-tokens` does. It is
then asked about the benchmark's paraphrases of them, and about authors of the retain split, of whom it saw nothing; and
about both in small letters. Beside it stands the rule of capitals, quotes and dates that needs no training.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.data.gold_details import KINDS, Kind, gold
from benchmarks.data.tofu import Question, load
from benchmarks.detection.quality import imported
from benchmarks.estimate import machine
from classifiers.token_classifier import TokenClassifier
from classifiers.token_data import MADE_UP, details, token_examples
from classifiers.token_manifest import Scores
from classifiers.token_states import shared
from classifiers.token_training import TokenRecipe, train_tokens
from classifiers.types import Span
from guard.in_force import target

Marks = dict[Kind, tuple[Span, ...]]
Choose = Callable[[str], Sequence[Span]]
_MOST = 400  # retain questions


@dataclass(frozen=True, slots=True)
class Report:
    """Words of one set of questions.

    Attributes:
        scores: over all four kinds; a word that is chosen and of none of them counts against the precision, also where
            it is a detail of another kind, such as a genre or a prize.
        kinds: recall of each kind.
        plain: words without a capital, a digit or a mark in the gold; how many there are and how many were chosen.
    """

    scores: Scores
    kinds: dict[Kind, Scores]
    plain: Scores

    def told(self) -> str:
        """For people."""
        s, per_kind = self.scores, ", ".join(f"{k} {v.recall:.1%} of {v.wanted}" for k, v in self.kinds.items())
        return (
            f"precision {s.precision:.1%}  recall {s.recall:.1%}  F1 {s.f1:.1%}  ({per_kind}); "
            f"plain words chosen {self.plain.recall:.2%} of {self.plain.wanted}"
        )

    def json(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "scores": self.scores.plain(),
            "recall": {kind: v.plain() for kind, v in self.kinds.items()},
            "plain_words_chosen": self.plain.plain(),
        }


def main(
    tofu: Annotated[str, typer.Option(help="TOFU's folder or hub name.")],
    split: Annotated[str, typer.Option(help="The list: forget01, forget05 or forget10.")] = "forget05",
    seed: Annotated[int, typer.Option(help="Of the training and of the sample.")] = 0,
    epochs: Annotated[int, typer.Option(help="Of the training.")] = TokenRecipe().epochs,
    made_up: Annotated[int, typer.Option(help="Made-up sentences to train on.")] = MADE_UP,
    sample: Annotated[int, typer.Option(help="Questions about other authors.")] = _MOST,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Train on a split and measure on questions that were held out."""
    if not split.startswith("forget") or not split[6:].isdigit():
        raise typer.BadParameter("must be forget01, forget05 or forget10", param_hint="--split")
    try:
        listed, asked, others = _questions(tofu, split, sample, seed)
    except FileNotFoundError as error:
        raise typer.BadParameter(str(error), param_hint="--tofu") from error
    recipe = TokenRecipe(epochs=epochs, seed=seed)
    with tempfile.TemporaryDirectory() as scratch:
        began, began_cpu = time.perf_counter(), time.process_time()
        examples = token_examples([target(e) for e in imported(listed)], seed, made_up=made_up)
        with typer.progressbar(length=0, label="training", file=sys.stderr) as bar:

            def progress(done: int, steps: int) -> None:
                bar.length = steps
                bar.update(done - bar.pos)

            manifest = train_tokens(examples, Path(scratch) / "tofu", recipe, progress=progress)
        seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
        classifier = TokenClassifier.load(Path(scratch) / "tofu")
    found: dict[str, dict[str, Any]] = {}
    for name, chooser in (("token classifier", classifier.spans), ("rule of capitals", details)):
        for label, report in _reports(chooser, asked, others):
            typer.echo(f"{name:<17} {label:<34} {report.told()}")
            found.setdefault(name, {})[label] = report.json()
    milliseconds = _milliseconds(classifier, [q for q, _ in others][:200])
    typer.echo(
        f"training {seconds:.0f} s ({cpu:.0f} s of CPU); a question {milliseconds['p50']:.1f} ms at p50 "
        f"({milliseconds['cpu_p50']:.1f} of CPU), {milliseconds['p95']:.1f} at p95; "
        f"seed {seed}; {machine()}"
    )
    if json_file:
        spec = {"split": split, "seed": seed, "recipe": dict(manifest.recipe), "n": dict(manifest.n),
                "threshold": manifest.threshold, "machine": machine()}  # fmt: skip
        held = {kind: scores.plain() for kind, scores in manifest.held.items()}
        body = {"spec": spec, "held_out_in_training": held, "tofu": found, "training_s": seconds,
                "training_cpu_s": cpu, "ms": milliseconds}  # fmt: skip
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


Asked = list[tuple[str, Marks]]


def _questions(tofu: str, split: str, sample: int, seed: int) -> tuple[list[Question], Asked, Asked]:
    """The list's questions; their paraphrases; questions about others. The last two with their gold."""
    listed = load(tofu, split)
    perturbed = load(tofu, f"{split}_perturbed")
    paraphrased = [replace(q, question=q.paraphrase) for q in perturbed if q.paraphrase]
    retained = load(tofu, f"retain{100 - int(split[6:]):02}")
    asked = [(q.question, marks) for q, marks in zip(paraphrased, gold(paraphrased), strict=True)]
    others = [(q.question, marks) for q, marks in zip(retained, gold(retained), strict=True)]
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    return listed, asked, rng.sample(others, min(sample, len(others)))


def _reports(choose: Choose, asked: Asked, others: Asked) -> Iterator[tuple[str, Report]]:
    for label, questions in (("paraphrases of the list", asked), ("questions about other authors", others)):
        yield label, _report(choose, questions)
        yield f"{label}, small letters", _report(lambda text: choose(text.lower()), questions)


def _report(choose: Choose, questions: Asked) -> Report:
    scores, plain = Scores(), Scores()
    kinds = dict.fromkeys(KINDS, Scores())
    splitter = shared()
    for (text, marks), words in zip(questions, splitter.read([q for q, _ in questions]), strict=True):
        places = [(a, b) for a, b in words.places if any(c.isalnum() for c in text[a:b])]
        chosen = _touched(places, choose(text))
        of_kind = {kind: _touched(places, spans) for kind, spans in marks.items()}
        wanted = [any(own) for own in zip(*of_kind.values(), strict=True)]
        scores += _score(wanted, chosen)
        for kind, own in of_kind.items():
            kinds[kind] += _score(own, chosen)
        low = [not w and text[a:b].islower() for w, (a, b) in zip(wanted, places, strict=True)]
        plain += _score(low, chosen)
    return Report(scores, kinds, plain)


def _touched(places: Sequence[tuple[int, int]], spans: Sequence[Span]) -> list[bool]:
    return [any(a < s.end and s.start < b for s in spans) for a, b in places]


def _score(wanted: Sequence[bool], chosen: Sequence[bool]) -> Scores:
    return Scores(sum(w and c for w, c in zip(wanted, chosen, strict=True)), sum(chosen), sum(wanted))


def _milliseconds(classifier: TokenClassifier, texts: Sequence[str]) -> dict[str, float]:
    """Of the clock, and of the one thread that the encoder has: on a busy machine the second tells more."""
    classifier.spans("warm up")
    clock: list[float] = []
    cpu: list[float] = []
    for text in texts:
        began, began_cpu = time.perf_counter(), time.process_time()
        classifier.spans(text)
        clock.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - began_cpu) * 1000)
    return {"p50": statistics.median(clock), "p95": statistics.quantiles(clock, n=20)[-1],
            "cpu_p50": statistics.median(cpu), "n": len(texts)}  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
