"""How well each way of guarding does: what is still told of the forget set, and what stays of the rest."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.data.tofu import Question
from benchmarks.estimate import Proportion
from benchmarks.guarded.answers import Reply
from benchmarks.guarded.refusals import is_refusal
from guard.text_metrics import Estimate, estimate, rouge_l

NEAR = 0.05  # how far from the retained model the recall may be


@dataclass(frozen=True, slots=True)
class Told:
    """A condition's replies to the forget questions, to their paraphrases, and to the questions that are to stay."""

    name: str
    forget: Sequence[Reply]
    paraphrased: Sequence[Reply]
    keep: Sequence[Reply]
    fit: Mapping[str, Any] | None = None  # how the strength was found


@dataclass(frozen=True, slots=True)
class Row:
    """A condition's figures. The gaps are paired differences from the retained model, question by question."""

    name: str
    forget: Estimate  # ROUGE-L recall of the answers that are to be forgotten
    paraphrased: Estimate
    gap: Estimate
    gap_paraphrased: Estimate
    keep: Estimate
    unchanged: Proportion  # answers that are to stay, byte for byte those of the bare full model
    refusals: Proportion  # of the forget questions' answers
    flagged: Proportion  # of forget questions and paraphrases
    flagged_keep: Proportion
    actions: Mapping[str, int]  # what was done, over forget questions and paraphrases
    recalls: tuple[float, ...]  # of each forget question
    fit: Mapping[str, Any] | None = None

    @property
    def deviation(self) -> Estimate:
        """DRAGON's deviation score (arXiv 2511.05784), 100 sqrt(f² + (1 - r)²); its error from those of f and r."""
        f, lost = self.forget.mean, 1 - self.keep.mean
        score = math.hypot(f, lost)
        error = math.hypot(f * self.forget.stderr, lost * self.keep.stderr) / score if score else 0.0
        return Estimate(100 * score, 100 * error, self.forget.n)

    @property
    def near(self) -> bool:
        """Whether the forget answers' recall is that of the retained model, within ``NEAR``."""
        return abs(self.gap.mean) <= NEAR

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        means = {k: _plain(getattr(self, k)) for k in ("forget", "paraphrased", "gap", "gap_paraphrased", "keep")}
        shares = {k: getattr(self, k).plain() for k in ("unchanged", "refusals", "flagged", "flagged_keep")}
        rest = {"near": self.near, "actions": dict(self.actions), "fit": self.fit}
        recalls = [round(r, 4) for r in self.recalls]
        return {"name": self.name, **means, "deviation": _plain(self.deviation), **shares, **rest, "recalls": recalls}


def row(told: Told, bare: Told, retained: Told, forget: Sequence[Question], keep: Sequence[Question]) -> Row:
    """The figures of ``told``, beside the bare full and the bare retained model."""
    own, theirs = _recalls(told.forget, forget), _recalls(retained.forget, forget)
    para, their_para = _recalls(told.paraphrased, forget), _recalls(retained.paraphrased, forget)
    same = [a.text == b.text for a, b in zip(told.keep, bare.keep, strict=True)]
    return Row(
        told.name, estimate(own), estimate(para), _gap(own, theirs), _gap(para, their_para),
        estimate(_recalls(told.keep, keep)), Proportion.of(same),
        Proportion.of([is_refusal(r.text) for r in told.forget]),
        Proportion.of([_flagged(r) for r in (*told.forget, *told.paraphrased)]),
        Proportion.of([_flagged(r) for r in told.keep]),
        Counter(r.action or "none" for r in (*told.forget, *told.paraphrased)), tuple(own), told.fit,
    )  # fmt: skip


def gap(own: Told, other: Told, forget: Sequence[Question]) -> Estimate:
    """The paired difference of two conditions' recall of the forget answers."""
    return _gap(_recalls(own.forget, forget), _recalls(other.forget, forget))


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The rows' JSON as a table for a README."""
    head = ("", "forget ROUGE-L", "over retained", "paraphrased", "over retained", "retain ROUGE-L", "unchanged",
            "DS ↓", "refusals", "flagged")  # fmt: skip
    lines = [head, ("---",) * len(head)]
    for r in rows:
        means = [_shown(r[k]) for k in ("forget", "gap", "paraphrased", "gap_paraphrased", "keep")]
        unchanged, flagged = r["unchanged"], r["flagged"]
        lines.append((
            r["name"], *means, f"{unchanged['hits']}/{unchanged['n']}", _shown(r["deviation"], 1),
            f"{r['refusals']['value']:.0%}", f"{flagged['hits']}/{flagged['n']}",
        ))  # fmt: skip
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _flagged(reply: Reply) -> bool:
    return reply.action not in ("", "pass")


def _recalls(replies: Sequence[Reply], questions: Sequence[Question]) -> list[float]:
    return [rouge_l(r.text, q.answer).recall for r, q in zip(replies, questions, strict=True)]


def _gap(own: Sequence[float], theirs: Sequence[float]) -> Estimate:
    return estimate([a - b for a, b in zip(own, theirs, strict=True)])


def _plain(value: Estimate) -> dict[str, float | int]:
    return {"mean": round(value.mean, 5), "stderr": round(value.stderr, 5), "n": value.n}


def _shown(value: dict[str, Any], digits: int = 3) -> str:
    return f"{value['mean']:.{digits}f} ± {value['stderr']:.{digits}f}"
