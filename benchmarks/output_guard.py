"""What the guard of answers catches, what it lets pass, and what it costs.

Usage: python -m benchmarks.output_guard --tofu FOLDER [--split forget05] [--entries 10000] [--json FILE]

TOFU's answers are streamed in pieces of four characters, their questions being the conversation, through a guard that
holds the split; no request counts as flagged. Wrong answers in the words of right ones are those of its perturbed set.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.data.tofu import load, load_rows
from benchmarks.detection.results import Line, share
from benchmarks.estimate import machine
from classifiers.detector import Detector
from classifiers.ordinary import person, prose
from classifiers.registry import ENCODERS, create_encoder
from classifiers.types import Encoder
from guard.importer import read_entries
from guard.in_force import Snapshot, target
from guard.model import Entry, ForgetList
from guard.output import AnswerGuard, Asked, Watch

LIST = "forget"
_SIZE = 4  # characters of a piece
_PASS = ("real_authors_perturbed", "world_facts_perturbed")
_MOST_HITS, _FEWEST_CAUGHT = 0.001, 0.99
_P50_MS, _CHANGE_MS = 0.05, 20.0
_CHANGES = 20


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question, and an answer to it."""

    question: str
    answer: str


def guard_for(entries: Sequence[Entry], encoder: Encoder | None) -> AnswerGuard:
    """A guard of ``entries``; without an encoder one for what needs none."""
    return AnswerGuard.build(_snapshot(entries, encoder))


def _snapshot(entries: Sequence[Entry], encoder: Encoder | None) -> Snapshot:
    detector = Detector.build(map(target, entries) if encoder else (), {}, encoder or create_encoder("minilm-int8"))
    return Snapshot(1, {LIST: ForgetList(LIST)}, {(LIST, e.entry_id): e for e in entries}, detector)


def streamed(guard: AnswerGuard, exchange: Exchange) -> Watch:
    """The answer, watched to its end or to the first hit.

    Raises:
        RuntimeError: an answer without a hit was not released whole.
    """
    watch = guard.watch(Asked(frozenset({LIST}), (exchange.question,)))
    for at in range(0, len(exchange.answer), _SIZE):
        watch.add("content", exchange.answer[at : at + _SIZE])
        _judged(watch)
        if watch.hit is not None:
            return watch
    watch.finish()
    _judged(watch)
    if watch.hit is None and watch.cleared("content") != len(exchange.answer):
        raise RuntimeError("an answer without a hit was held back")
    return watch


def _judged(watch: Watch) -> None:
    while watch.needs_judging():
        watch.judge()


def quality(source: str, split: str, encoder: Encoder) -> Iterator[tuple[Line, list[str]]]:
    """Shares of answers with a hit, each with the answers that were judged wrongly."""
    pairs = load(source, split)
    rows = [json.dumps({"question": q.question, "answer": q.answer}) for q in pairs]
    guard = guard_for(read_entries(rows, LIST)[0], encoder)
    perturbed = load_rows(source, f"{split}_perturbed")
    sets = {
        "forget answers": [Exchange(q.question, q.answer) for q in pairs],
        "paraphrased answers": [Exchange(r["question"], r["paraphrased_answer"]) for r in perturbed],
        "wrong answers": [Exchange(r["question"], a) for r in perturbed for a in r["perturbed_answer"]],
        "retain answers": _exchanges(source, f"retain{100 - int(split[6:]):02}"),
        **{name.removesuffix("_perturbed"): _exchanges(source, name) for name in _PASS},
    }
    for name, exchanges in sets.items():
        more = name in ("forget answers", "paraphrased answers")
        goal = _FEWEST_CAUGHT if name == "forget answers" else None if more or name == "wrong answers" else _MOST_HITS
        found = [streamed(guard, e).hit for e in exchanges]
        hits = [hit is not None for hit in found]
        wrong = [f"{e.question} {e.answer}" for e, hit in zip(exchanges, hits, strict=True) if hit is not more]
        given = sum(hit is not None and hit.given for hit in found)
        line = share("output guard", name, hits, more=more, target=goal)
        yield replace(line, note=f"{given} repeat a value of the question" if given else ""), wrong


def _exchanges(source: str, split: str) -> list[Exchange]:
    return [Exchange(q.question, q.answer) for q in load(source, split)]


def made_up(count: int, seed: int) -> list[Entry]:
    """Facts about people who do not exist, each about another."""
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    letters = "bdfgklmnprstvz"

    def word() -> str:
        return "".join(rng.choice(letters) + rng.choice("aeiou") for _ in range(rng.randint(2, 4))).capitalize()

    return [
        Entry(str(i), LIST, subject=f"{word()} {word()}", question="Where was this person born, and when?",
              answer=f"In {word()}, in {rng.randint(1850, 2010)}", scope="subject")
        for i in range(count)
    ]  # fmt: skip


def costs(count: int, seed: int, words: int = 4000) -> Iterator[Line]:
    """Time for ordinary text among ``count`` entries, and for a change of them."""
    entries = made_up(count, seed)
    began = time.perf_counter()
    guard = guard_for(entries, None)
    yield Line("output guard", f"build, {count} entries", time.perf_counter() - began, "s", False)
    rng = random.Random(seed + 1)  # noqa: S311
    text = prose(words, rng)
    took, held = _add_times(guard, text, person(rng))
    p50, p99 = (1000 * took[int(q * len(took))] for q in (0.5, 0.99))
    note = f"{p50:.1f} us; p99 {p99:.0f} us; {len(took)} pieces"
    yield Line("output guard", "add + cleared, p50", statistics.median(took), "ms", False, _P50_MS, note=note)
    yield Line("output guard", "pieces after which text is held", held / len(took), "share", False)
    yield Line("output guard", "one entry changed, median", statistics.median(_changes(guard, entries)), "ms", False,
               _CHANGE_MS)  # fmt: skip


def _add_times(guard: AnswerGuard, text: str, name: str) -> tuple[list[float], int]:
    """Milliseconds for each piece, sorted, and after how many of them text was held."""
    watch = guard.watch(Asked(frozenset({LIST}), (f"Tell me of {name}.",)))
    took = []
    for at in range(0, len(text), _SIZE):
        piece = text[at : at + _SIZE]
        began = time.perf_counter()
        watch.add("content", piece)
        watch.cleared("content")
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took), watch.held.times


def _changes(guard: AnswerGuard, entries: Sequence[Entry]) -> list[float]:
    """Milliseconds for one more entry, several times."""
    known = {(LIST, e.entry_id): e for e in entries}
    detector = Detector.build((), {}, create_encoder("minilm-int8"))
    took = []
    for entry in made_up(_CHANGES, len(entries)):
        known = {**known, (LIST, f"new {entry.subject}"): entry}
        snapshot = Snapshot(1, {LIST: ForgetList(LIST)}, known, detector)
        began = time.perf_counter()
        guard = guard.updated(snapshot)
        took.append((time.perf_counter() - began) * 1000)
    return took


def main(
    tofu: Annotated[str, typer.Option(help="TOFU's folder or hub name.")],
    split: Annotated[str, typer.Option(help="forget01, forget05 or forget10.")] = "forget05",
    entries: Annotated[int, typer.Option(min=0, help="Entries for the cost part; 0: none.")] = 10_000,
    encoder: Annotated[str, typer.Option(help=" or ".join(ENCODERS))] = "minilm-int8",
    seed: Annotated[int, typer.Option(help="For what is made up.")] = 0,
    misses: Annotated[bool, typer.Option("--misses", help="Print the answers that were judged wrongly.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Measure the guard of answers; a line with a target says whether it is met."""
    lines: list[Line] = []
    for line, wrong in _all(tofu, split, create_encoder(encoder), entries, seed):
        lines.append(line)
        typer.echo(line.told())
        typer.echo("".join(f"    {t[:300]!r}\n" for t in wrong) if misses else "", nl=False)
    goals = [line.met for line in lines if line.met is not None]
    typer.echo(f"{sum(goals)} of {len(goals)} targets met; seed {seed}; {machine()}")
    if json_file:
        spec = {"tofu_split": split, "encoder": encoder, "entries": entries, "seed": seed, "machine": machine()}
        json_file.parent.mkdir(parents=True, exist_ok=True)
        body = {"spec": spec, "lines": [line.plain() for line in lines]}
        json_file.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")


def _all(tofu: str, split: str, encoder: Encoder, entries: int, seed: int) -> Iterable[tuple[Line, list[str]]]:
    yield from quality(tofu, split, encoder)
    for line in costs(entries, seed) if entries else ():
        yield line, []


if __name__ == "__main__":
    typer.run(main)
