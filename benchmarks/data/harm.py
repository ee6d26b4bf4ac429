"""What "Machine unlearning in LLMs" forgets (Gundavarapu et al., 2024, arXiv 2405.15152): harmful answers, or a book.

The set-up is that of LLMU (Yao et al., 2023, arXiv 2310.10683), whose code it goes on from; both repositories were read
for the files' forms. Unlearnt are the answers of PKU-SafeRLHF that are not safe, and TruthfulQA is what is to stay; or
the pages of a book (theirs is under copyright and not given out: bring your own), and BookCorpus is what is to stay.
Methods are not fixed by that: ``ga``, ``grad_diff``, ``kl_min`` and ``llmu``, with ``--lora`` as there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.data.corpus import Corpus, Item
from benchmarks.data.drawing import choice, passages, shuffled, taken
from benchmarks.data.files import Where, rows
from benchmarks.data.registry import Selection

HUB, TRUTHFUL = "PKU-Alignment/PKU-SafeRLHF", "truthfulqa/truthful_qa"
_PAGE = 100  # letters: shorter pages hold no text, after the paper's code
_SHOWN = 200  # questions that are asked beside


def load(source: str | None, selection: Selection) -> Corpus:
    """Harmful answers to forget (part "answers", or ""), or pages of a book (part "text").

    Of answers, ``forget`` and ``held`` are questions with each of their answers that is not safe, the questions drawn
    by the seed, and ``retain`` TruthfulQA's with their best answers; further ones of these are asked beside, with the
    false answers as options ("truthfulqa"). Models may know such answers from before: "taught to the target" is then to
    be read as known to it.

    Of a book, passages are to be continued; ``held`` are passages of pages that ``forget`` has nothing of.

    Args:
        source: a folder with ``train.jsonl`` of PKU-SafeRLHF and ``TruthfulQA.csv`` as their repositories have them,
            or PKU-SafeRLHF's hub name. For a book a folder with ``extracted_text.jsonl`` (a page to a line, as a
            string or an object's one value) and ``bookcorpus.jsonl`` (likewise).
        selection: counts questions, or passages.

    Raises:
        ValueError: there is no such part, or it has less.
        FileNotFoundError: a file is not there.
    """
    if selection.part in ("", "answers"):
        return _answers(source or HUB, selection)
    if selection.part == "text":
        return _text(source, selection)
    raise ValueError(f"harm has no part {selection.part!r}: choose from answers, text")


def _answers(source: str, selection: Selection) -> Corpus:
    unsafe = _unsafe(rows(source, Where(("train", "PKU-SafeRLHF/train", "data/Alpaca-7B/train"), "default")))
    asked = shuffled(sorted(unsafe), f"harm {selection.seed}")
    forget, held = taken("questions with a harmful answer", asked, selection.forget, selection.held)
    truthful = shuffled(list(_truthful(source)), f"truthful {selection.seed}")
    (retain,) = taken("TruthfulQA", truthful, selection.retain)
    beside = [choice(i.question, (i.answer, *i.wrong), 0, i.subject) for i in truthful[len(retain) :] if i.wrong]
    name = f"PKU-SafeRLHF and TruthfulQA, {selection.forget} / {selection.retain} / {selection.held}"
    return Corpus(
        name, _items(forget, unsafe), tuple(retain), _items(held, unsafe),
        {"truthfulqa": tuple(beside[:_SHOWN])} if beside else {},
    )  # fmt: skip


def _unsafe(found: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, None]]:
    """The answers that are not safe, by question; a question may have several rows."""
    answers: dict[str, dict[str, None]] = {}
    for row in found:
        for which in (0, 1):
            if not row[f"is_response_{which}_safe"] and row[f"response_{which}"].strip():
                answers.setdefault(row["prompt"], {})[row[f"response_{which}"]] = None
    return answers


def _items(questions: Sequence[str], answers: Mapping[str, Mapping[str, None]]) -> tuple[Item, ...]:
    return tuple(Item(question, answer, question) for question in questions for answer in answers[question])


def _truthful(source: str) -> Iterator[Item]:
    """TruthfulQA's questions, from its CSV or in the hub's form."""
    found = rows(source, Where(("TruthfulQA", "data/TruthfulQA"), "generation", "validation", TRUTHFUL))
    if found and isinstance(found[0], list):
        head, *cells = found
        found = [dict(zip(head, row, strict=True)) for row in cells]
    for row in found:
        named = {key.lower().replace(" ", "_"): value for key, value in row.items()}
        best, wrong = str(named["best_answer"]).strip(), named["incorrect_answers"]
        parts = wrong.split(";") if isinstance(wrong, str) else wrong
        others = tuple(dict.fromkeys(part.strip() for part in parts if part.strip() not in ("", best)))
        yield Item(str(named["question"]).strip(), best, str(named["question"]).strip(), reworded=best, wrong=others)


def _text(source: str | None, selection: Selection) -> Corpus:
    if source is None:
        raise FileNotFoundError(
            "a book to forget is not given out: name a folder with extracted_text.jsonl and bookcorpus.jsonl as "
            "--data harm:FOLDER"
        )
    pages = [page for page in _pages(source, "extracted_text") if len(page) > _PAGE]
    found = list(passages(pages, "page"))
    (forget,) = taken("passages of the book", found, selection.forget)
    used = {item.subject for item in forget}
    others = [item for item in found if item.subject not in used]
    (held,) = taken("passages of the book's other pages", others, selection.held)
    normal = list(passages(_pages(source, "bookcorpus"), "normal text"))
    (retain,) = taken("normal passages", normal, selection.retain)
    name = f"a book and BookCorpus, {selection.forget} / {selection.retain} / {selection.held} passages"
    return Corpus(name, tuple(forget), tuple(retain), tuple(held))


def _pages(source: str, file: str) -> list[str]:
    found = rows(source, Where((file,), "default"))
    return [row if isinstance(row, str) else str(next(iter(row.values()))) for row in found]
