"""WMDP (Li et al., 2024, arXiv 2403.03218): hazardous knowledge to forget, with MMLU as what is to stay."""

from __future__ import annotations

from typing import Any

from benchmarks.data.corpus import Corpus, Item
from benchmarks.data.drawing import choice, passages, shuffled, taken
from benchmarks.data.files import Where, rows, text_of
from benchmarks.data.registry import Selection

HUB, MMLU = "cais/wmdp", "cais/mmlu"
_DOMAINS = ("bio", "chem", "cyber")
# Subjects that papers watch beside the hazardous ones, for what lies near them.
SUBJECTS = ("college_biology", "virology", "college_computer_science", "computer_security", "high_school_us_history",
            "high_school_geography", "human_aging", "econometrics", "jurisprudence")  # fmt: skip
_CORPORA = {
    "bio": ("bio_remove_dataset", "bio-forget-corpus", "bio_forget_corpus"),
    "cyber": ("cyber-forget-corpus", "cyber_forget_corpus"),
}
_SHOWN = 200  # questions of each kind that a corpus of passages is asked


def load(source: str | None, selection: Selection) -> Corpus:
    """Multiple-choice questions of a domain, drawn by the seed; or, for a part "bio-texts", the corpora themselves.

    With questions: ``forget`` and ``held`` are WMDP's, ``retain`` MMLU's of ``SUBJECTS``. Models know the answers from
    before: "taught to the target" is then to be read as known to it. With texts: passages of the forget and the
    retain corpus, and the questions are asked beside ("wmdp", "mmlu").

    Args:
        source: a folder with ``bio_questions.json`` ..., for MMLU ``mmlu/<subject>.json`` or
            ``test/<subject>_test.csv``, and for texts ``cyber-forget-corpus.jsonl``, ``cyber-retain-corpus.jsonl`` ...;
            or WMDP's hub name.
        selection: ``part`` is "bio" (or ""), "chem", "cyber", "bio-texts" or "cyber-texts".

    Raises:
        ValueError: there is no such part, or it has less.
        FileNotFoundError: a file is not there; WMDP's forget corpus on biology has to be asked for at its authors'.
    """
    source, part = source or HUB, selection.part or "bio"
    domain, texts = part.removesuffix("-texts"), part.endswith("-texts")
    if domain not in (_CORPORA if texts else _DOMAINS):
        parts = (*_DOMAINS, *(f"{name}-texts" for name in _CORPORA))
        raise ValueError(f"WMDP has no part {part!r}: choose from {', '.join(parts)}")
    hazardous = shuffled(_questions(source, domain), f"wmdp {selection.seed}")
    general = shuffled([q for subject in SUBJECTS for q in _mmlu(source, subject)], f"mmlu {selection.seed}")
    asked: dict[str, tuple[Item, ...]] = {}
    if texts:
        asked = {"wmdp": tuple(hazardous[:_SHOWN]), "mmlu": tuple(general[:_SHOWN])}
        forget, held = taken("forget passages", _texts(source, domain, "forget"), selection.forget, selection.held)
        (retain,) = taken("retain passages", _texts(source, domain, "retain"), selection.retain)
    else:
        forget, held = taken(f"WMDP {domain}", hazardous, selection.forget, selection.held)
        (retain,) = taken("MMLU", general, selection.retain)
    name = f"WMDP {part}, {selection.forget} / {selection.retain} / {selection.held}"
    return Corpus(name, tuple(forget), tuple(retain), tuple(held), asked)


def _questions(source: str, domain: str) -> list[Item]:
    where = Where((f"{domain}_questions", f"wmdp-mcqs/{domain}_questions"), f"wmdp-{domain}", "test")
    found = rows(source, where)
    return [choice(r["question"], r["choices"], int(r["answer"]), f"{domain} {i}") for i, r in enumerate(found)]


def _mmlu(source: str, subject: str) -> list[Item]:
    where = Where((f"mmlu/{subject}", f"test/{subject}_test", f"mmlu/test/{subject}_test"), subject, "test", MMLU)
    return [_general(row, subject) for row in rows(source, where)]


def _general(row: Any, subject: str) -> Item:
    if isinstance(row, list):  # question, four options, the right one's letter
        return choice(row[0], row[1:5], "ABCD".index(row[5].strip()), subject)
    return choice(row["question"], row["choices"], int(row["answer"]), subject)


def _texts(source: str, domain: str, kind: str) -> list[Item]:
    files = _CORPORA[domain] if kind == "forget" else (f"{domain}-retain-corpus", f"{domain}_retain_corpus")
    gated = (domain, kind) == ("bio", "forget")  # not among the open corpora
    where = Where(
        files, "default" if gated else f"{domain}-{kind}-corpus",
        hub=f"cais/wmdp-{'bio-forget-corpus' if gated else 'corpora'}",
    )  # fmt: skip
    return list(passages([text_of(row) for row in rows(source, where)], f"{domain} {kind} text"))
