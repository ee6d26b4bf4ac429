"""What the criterion of deletion records takes for telling an entry: answers as they are, paraphrased, wrong, others...

Usage: python -m benchmarks.telling --tofu FOLDER --split forget05

The first two are to be seen. The third are TOFU's wrong answers in the words of the right ones, the hardest to tell
apart; the fourth are right answers to other questions, five for each, most of them about somebody else.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.data.tofu import Question, load_rows
from benchmarks.detection.quality import LIST, imported
from benchmarks.estimate import Proportion, machine
from classifiers.registry import create_encoder
from guard.model import Entry, ForgetList
from guard.output.meaning import Meaning
from guard.snapshot import SnapshotManager
from guard.store import Store
from guard.verification.telling import Telling

_OTHERS = 5
_KINDS = {
    "answers as they are": True,
    "paraphrased answers": True,
    "wrong answers in the same words": False,
    "answers to other questions": False,
}


def main(
    tofu: Annotated[str, typer.Option(help="TOFU's folder or hub name.")],
    split: Annotated[str, typer.Option(help="forget01, forget05 or forget10.")] = "forget05",
    seed: Annotated[int, typer.Option(help="Of the other questions.")] = 0,
) -> None:
    """Count what is taken for telling."""
    try:
        rows = load_rows(tofu, f"{split}_perturbed")
    except FileNotFoundError as error:
        raise typer.BadParameter(str(error), param_hint="--tofu") from error
    entries = imported([Question(row["question"], row["answer"]) for row in rows])
    told: dict[str, list[bool]] = {kind: [] for kind in _KINDS}
    with tempfile.TemporaryDirectory() as folder:
        manager = SnapshotManager(Store.open(f"sqlite:///{Path(folder)}/lists.db"), create_encoder("minilm-int8"))
        manager.change(lambda store: store.put_list(ForgetList(LIST)))
        manager.change(lambda store: store.add_entries(LIST, entries))
        meaning = Meaning(manager.current.detector, manager.current.entries)
        for kind, found in _judged(entries, rows, meaning, random.Random(seed)):  # noqa: S311 - a sample
            told[kind].append(found)
        manager.close()
    for kind, wanted in _KINDS.items():
        rate = Proportion.of(told[kind])
        typer.echo(f"{kind:<34}{'seen' if wanted else 'taken for telling':<20}{rate.told()}")
    typer.echo(f"{len(entries)} entries of {split}; seed {seed}; {machine()}")


def _judged(
    entries: list[Entry], rows: list[dict[str, Any]], meaning: Meaning, rng: random.Random
) -> Iterator[tuple[str, bool]]:
    for entry, row in zip(entries, rows, strict=True):
        telling = Telling(entry, meaning)
        given = telling.given([row["question"]])
        others = [r["answer"] for r in rng.sample(rows, _OTHERS) if r is not row]
        answers = ([row["answer"]], [row["paraphrased_answer"]], row["perturbed_answer"], others)
        for kind, texts in zip(_KINDS, answers, strict=True):
            yield from ((kind, telling.rule(text, given) is not None) for text in texts)


if __name__ == "__main__":
    typer.run(main)
