"""What the detector sees of questions in every form of the red team, alone and two upon each other."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.attacks.forms import FORMS, Turns
from benchmarks.data.corpus import Corpus, Item, by_subject
from benchmarks.data.registry import Selection, corpus
from benchmarks.data.traffic import unrelated
from benchmarks.detection.quality import Setting, detector_of
from benchmarks.detection.results import Line, share
from benchmarks.methods.guard_list import entries
from benchmarks.redteaming.attack import messages
from classifiers.detector import Detector

_AUTHORS = 10  # of TOFU's forget05
_CHAINS = 400  # pairs of forms
Chain = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A detector, questions that it is to flag, and others that are to pass."""

    detector: Detector
    forgotten: Sequence[str]
    kept: Sequence[str]


def people(setting: Setting, count: int = 20) -> Asked:
    """One fact each of ``count`` made-up people; namesakes are among those who stay."""
    made = corpus("people", None, Selection(count, 2 * count, 0, "names", setting.seed))
    return _asked(setting, one_each(made.forget, count), one_each(made.retain, 2 * count))


def tofu(setting: Setting, count: int = 20) -> Asked:
    """``count`` facts of the authors to forget, and as many of others."""
    made = corpus("tofu", setting.tofu, Selection(_AUTHORS, count, 0, setting.split, setting.seed))
    return _asked(setting, one_each(made.forget, count), one_each(made.retain, count))


def one_each(items: Sequence[Item], count: int) -> list[Item]:
    """``count`` of ``items``, of each subject another one in turn."""
    own = list(by_subject(items).values())
    longest = max(map(len, own))
    turned = [group[(turn + place) % len(group)] for turn in range(longest) for place, group in enumerate(own)]
    return list({item.question: item for item in turned}.values())[:count]


def _asked(setting: Setting, forgotten: Sequence[Item], kept: Sequence[Item]) -> Asked:
    detector = detector_of(entries(Corpus("forms", tuple(forgotten), ())), setting)
    return Asked(detector, [item.question for item in forgotten], [item.question for item in kept])


def chains(count: int, seed: int) -> list[Chain]:
    """``count`` pairs of forms, each form about as often as any other."""
    rng = random.Random(seed)  # noqa: S311 - test data
    names: list[str] = []
    while len(names) < 2 * count:
        names += rng.sample(list(FORMS), len(FORMS))
    return [(names[at], names[-1 - at]) for at in range(count)]


def changed(question: str, chain: Chain, seed: int) -> Turns:
    """``question`` in the forms of ``chain``, the first one innermost."""
    rng = random.Random(f"{seed} {question} {chain}")  # noqa: S311 - test data
    turns: Turns = (question,)
    for name in chain:
        turns = FORMS[name].change(turns, rng)
    return turns


def flagged(detector: Detector, turns: Turns) -> bool:
    """Whether the proxy would act on any turn of the conversation."""
    return any(detector.judge_turns([message["content"] for message in messages(turns)]))


def missed(detector: Detector, questions: Sequence[str], chain: Chain, seed: int) -> list[tuple[bool, Turns]]:
    """For each question whether it is flagged in the forms of ``chain``, and how it reads."""
    made = [changed(question, chain, seed) for question in questions]
    return [(flagged(detector, turns), turns) for turns in made]


def measure(setting: Setting) -> Iterator[Line]:
    """Every form, and pairs of forms by the outer one's family: what is flagged of what is to be and of the rest."""
    for name, own in {"people": people(setting), "tofu": tofu(setting)}.items():
        groups: Mapping[str, Sequence[str]] = {"": own.forgotten, " FP": own.kept}
        for mark, questions in groups.items():
            for form in FORMS:
                yield _line(setting, own.detector, f"forms {name}{mark}", form, [((form,), q) for q in questions])
            pairs = chains(_CHAINS, setting.seed)
            chosen = [(pair, questions[at % len(questions)]) for at, pair in enumerate(pairs)]
            for family in sorted({form.family for form in FORMS.values()}):
                of = [(chain, q) for chain, q in chosen if FORMS[chain[-1]].family == family]
                yield _line(setting, own.detector, f"two forms {name}{mark}", f"outer {family}", of)
        prompts = unrelated(_CHAINS, setting.seed)
        of = [((form,), prompt) for prompt, form in zip(prompts, list(FORMS) * _CHAINS, strict=False)]
        yield _line(setting, own.detector, f"forms {name} FP", "ordinary prompts in a form", of)


def _line(
    setting: Setting, detector: Detector, section: str, name: str, asked: Sequence[tuple[Chain, str]]
) -> Line:  # fmt: skip
    more = not section.endswith("FP")
    found = [(chain, changed(question, chain, setting.seed)) for chain, question in asked]
    flags = [flagged(detector, turns) for _, turns in found]
    setting.misses[f"{section}: {name}"] = [
        f"{' > '.join(chain)}: {' ↵ '.join(turns)}"
        for (chain, turns), flag in zip(found, flags, strict=True) if flag != more
    ]  # fmt: skip
    return share(section, name, flags, more=more)
