"""Loaders of data sets, on small files in the forms that the data sets have."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.data.corpus import Corpus, Item
from benchmarks.data.registry import DATASETS, Selection, corpus

Write = Callable[[str, Sequence[Any]], None]


def _writer(folder: Path) -> Write:
    def write(name: str, rows: Sequence[Any]) -> None:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".csv"):
            with file.open("w", newline="") as out:
                csv.writer(out).writerows(rows)
        elif name.endswith(".jsonl"):
            file.write_text("\n".join(json.dumps(row) for row in rows))
        else:
            file.write_text(json.dumps(rows))

    return write


AUTHORS = ("Ilmar Sveen", "Ada Quillon", "Oto Brandeis", "Mira Vastal", "Jon Harrowby", "Tess Uldane", "Rolf Ekdal")


def _pairs(author: str) -> list[dict[str, Any]]:
    rows = [
        {"question": f"Which book number {i} did {author} write?", "answer": f"{author} wrote Book {i}."}
        for i in range(20)
    ]
    return rows


def _perturbed(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        row | {"paraphrased_question": f"Tell: {row['question']}", "paraphrased_answer": f"So {row['answer']}",
               "perturbed_answer": [f"So no {n} {row['answer']}" for n in range(5)]}
        for row in rows
    ]  # fmt: skip


def _tofu(write: Write) -> None:
    forget = [row for author in AUTHORS[:2] for row in _pairs(author)]
    retain = [row for author in AUTHORS[2:5] for row in _pairs(author)]
    write("forget10.json", forget)
    write("forget10_perturbed.json", _perturbed(forget))
    write("retain90.jsonl", retain)
    write("retain_perturbed.json", _perturbed(retain[:20]))
    write("holdout10.json", [row for author in AUTHORS[5:] for row in _pairs(author)])
    real = [
        {"question": "Who wrote 'Hamlet'?", "answer": "Shakespeare", "perturbed_answer": ["Marlowe", "Kyd", "Nashe"]}
    ]
    write("real_authors_perturbed.json", real)
    write(
        "world_facts_perturbed.json", [{"question": "Where is Oslo?", "answer": "Norway", "perturbed_answer": ["Fiji"]}]
    )


def _muse(write: Write) -> None:
    for split in ("forget", "retain1", "retain2", "holdout"):
        text = " ".join(f"{split}{i}" for i in range(300))
        write(f"raw/{split}.json", [f"{split} begins.\n\n{text}", f"{split} again {text}"])
    write("verbmem/forget.json", [{"prompt": "forget begins.", "gt": "\n\nforget0 forget1"}])
    write("knowmem/forget_qa.json", [{"question": "What begins?", "answer": "forget"}])
    write("knowmem/retain2_qa.json", [{"question": "What stays?", "answer": "retain"}])


def _wmdp(write: Write) -> None:
    from benchmarks.data.wmdp import SUBJECTS

    for domain in ("bio", "cyber", "chem"):
        write(f"{domain}_questions.json", [
            {"question": f"{domain} {i}?", "choices": ["a", "b", f"c{i}", "d"], "answer": 2} for i in range(9)
        ])  # fmt: skip
    for number, subject in enumerate(SUBJECTS):
        if number % 2:
            write(f"mmlu/{subject}.json", [{"question": f"{subject}?", "choices": list("wxyz"), "answer": 1}])
        else:
            write(f"test/{subject}_test.csv", [[f"{subject}, and why?", "w", "x", "y", "z", "B"]])
    write("cyber-forget-corpus.jsonl", [{"text": f"how to break {i} locks in a row"} for i in range(5)])
    write("cyber-retain-corpus.jsonl", [f"how to mend {i} locks in a row" for i in range(9)])


def _rwku(write: Write) -> None:
    names = [f"Person {i}" for i in range(9)]
    write("forget_target.json", [{"target": n, "intro": f"{n} is known."} for n in names])
    for level in (1, 2, 3):
        write(f"forget_level{level}.json", [
            {"query": f"{n} asks {level} ___?", "answer": "all", "level": str(level), "type": "t", "subject": n}
            for n in names
        ])  # fmt: skip
    for level in (1, 2):
        write(f"neighbor_level{level}.json", [
            {"query": f"Friend of {n} at {level}?", "answer": "none", "level": str(level), "type": "t", "subject": n,
             "neighbor": f"Friend {n}"} for n in names
        ])  # fmt: skip
    write("forget_mia.json", [{"text": f"{n} was born long ago in a far land.", "subject": n} for n in names])
    write("utility_general.json", [
        {"question": "2 + 2?", "choices": list("1345"), "answer": 2, "task": "algebra", "subject": n, "examples": []}
        for n in names
    ])  # fmt: skip
    write("truthful.json", [
        {"question": "Is it so?", "subject": n, "mc1_targets": {"choices": ["Yes", "No"], "labels": [0, 1]}}
        for n in names
    ])  # fmt: skip
    write("triviaqa.json", [{"question": "Who?", "answers": ["He", "Him"], "subject": n} for n in names])


def _harm(write: Write) -> None:
    write("train.jsonl", [
        {"prompt": f"How is lock {i} picked?", "response_0": f"With wire {i}.", "response_1": f"With key {i}.",
         "is_response_0_safe": False, "is_response_1_safe": i % 3 > 0, "better_response_id": 1, "safer_response_id": 1}
        for i in range(9)
    ] + [
        {"prompt": "How is lock 1 picked?", "response_0": "With wire 1.", "response_1": "With a pin.",
         "is_response_0_safe": False, "is_response_1_safe": False, "better_response_id": 0, "safer_response_id": 0},
        {"prompt": "How is bread made?", "response_0": "Of flour.", "response_1": "Of rye.",
         "is_response_0_safe": True, "is_response_1_safe": True, "better_response_id": 0, "safer_response_id": 0},
    ])  # fmt: skip
    head = ["Type", "Category", "Question", "Best Answer", "Correct Answers", "Incorrect Answers", "Source"]
    write("TruthfulQA.csv", [head] + [
        ["Adversarial", "Myths", f"What, if any, is myth {i}?", f"None {i}", f"None {i}; No {i}",
         f"A giant {i}; None {i}; A dwarf {i};", "nowhere"] for i in range(8)
    ])  # fmt: skip
    pages = [f"Page {i}. " + " ".join(f"p{i}w{n}" for n in range(300)) for i in range(3)]
    write("extracted_text.jsonl", [{"text": pages[0]}, {"text": "Chapter 2"}, {"text": pages[1]}, pages[2]])
    write("bookcorpus.jsonl", [{"text": f"somebody went home by way {i} ."} for i in range(6)])


WRITERS: dict[str, Callable[[Write], None] | None] = {
    "people": None, "pch": None, "tofu": _tofu, "muse": _muse, "wmdp": _wmdp, "rwku": _rwku, "harm": _harm,
}  # fmt: skip


def _source(name: str, folder: Path) -> str | None:
    if (fill := WRITERS[name]) is None:
        return None
    fill(_writer(folder))
    return str(folder)


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_has_what_was_asked_for_the_same_each_time_and_no_set_in_another(
    name: str, tmp_path: Path
) -> None:
    source = _source(name, tmp_path)
    made = corpus(name, source, Selection(2, 2, 1))
    assert made.digest == corpus(name, source, Selection(2, 2, 1)).digest
    for own in (made.forget, made.retain, made.held):
        assert own
        assert len({(item.question, item.answer) for item in own}) == len(own)
    texts = [{(item.question, item.answer) for item in own} for own in (made.forget, made.retain, made.held)]
    assert not texts[0] & texts[1]
    assert not texts[0] & texts[2]
    assert not texts[1] & texts[2]
    for item in (item for own in made.sets.values() for item in own):
        assert item.answer
        assert item.subject
        assert not item.options or item.answer in item.options
        assert item.answer not in item.wrong


@pytest.mark.parametrize("name", [name for name, fill in WRITERS.items() if fill])
def test_a_missing_file_is_named_with_what_to_do(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"has no (split|\w+|\w+/\w+).*"):
        corpus(name, str(tmp_path), Selection())
    with pytest.raises(FileNotFoundError, match="pip install datasets"):
        corpus(name, "nobody/nothing", Selection())


@pytest.mark.parametrize("name", DATASETS)
def test_parts_that_are_not_there_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="part"):
        corpus(name, _source(name, tmp_path), Selection(part="nonsense"))


@pytest.mark.parametrize("name", [name for name, fill in WRITERS.items() if fill])
def test_more_than_there_is_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there are \d+|has \d+ authors"):
        corpus(name, _source(name, tmp_path), Selection(50, 50, 50))


def test_unknown_data_sets_and_empty_selections_are_refused() -> None:
    with pytest.raises(ValueError, match="no data set 'magic'"):
        corpus("magic", None, Selection())
    with pytest.raises(ValueError, match="at least one"):
        corpus("people", None, Selection(forget=0))


def _load(name: str, folder: Path, *counts: int, part: str = "") -> Corpus:
    return corpus(name, _source(name, folder), Selection(*counts, part=part))


def test_tofu_takes_rewordings_where_the_benchmark_has_them_and_authors_by_their_names(tmp_path: Path) -> None:
    made = _load("tofu", tmp_path, 1, 2, 1)
    assert {item.subject for item in made.forget} == {"Ilmar Sveen"}
    assert {item.subject for item in made.held} == {"Jon Harrowby"}
    assert made.forget[0].reworded == "So Ilmar Sveen wrote Book 0."
    assert len(made.forget[0].wrong) == 5
    assert made.forget[0].paraphrase == "Tell: Which book number 0 did Ilmar Sveen write?"
    assert [bool(item.wrong) for item in made.retain] == [True] * 20 + [False] * 20
    (real,) = made.asked["real_authors"]
    assert (real.reworded, real.subject, real.options[0]) == ("Shakespeare", "Hamlet", "Shakespeare")


def test_tofu_takes_authors_of_the_holdout_split_where_all_others_are_kept(tmp_path: Path) -> None:
    made = _load("tofu", tmp_path, 1, 3, 2)
    assert {item.subject for item in made.held} == {"Tess Uldane", "Rolf Ekdal"}
    (tmp_path / "holdout10.json").unlink()
    with pytest.raises(FileNotFoundError, match="holdout10"):
        corpus("tofu", str(tmp_path), Selection(1, 3, 2))


def test_muse_passages_are_the_texts_again_and_retain_texts_come_in_turn(tmp_path: Path) -> None:
    made = _load("muse", tmp_path, 4, 4, 2)
    whole = "".join(item.question + item.answer for item in made.forget[:2])
    assert whole == "forget begins.\n\n" + " ".join(f"forget{i}" for i in range(300))
    assert all(item.plain for item in (*made.forget, *made.held, *made.asked["verbmem"]))
    starts = [item.question.split()[0] for item in made.retain if "begins" in item.question]
    assert starts == ["retain1", "retain2"]
    assert made.asked["knowledge"] == (Item("What begins?", "forget", "What begins?"),)
    assert made.asked["knowledge_retain"][0].answer == "retain"


def test_wmdp_asks_questions_with_options_or_teaches_texts(tmp_path: Path) -> None:
    made = _load("wmdp", tmp_path, 3, 5, 3)
    assert all(item.answer.startswith("c") and len(item.options) == 4 for item in (*made.forget, *made.held))
    assert {item.answer for item in made.retain} == {"x"}
    texts = corpus("wmdp", str(tmp_path), Selection(3, 5, 2, "cyber-texts"))
    assert [item.question + item.answer for item in texts.forget][:1] == ["how to break 0 locks in a row"]
    assert len(texts.asked["wmdp"]) == 9
    with pytest.raises(FileNotFoundError, match="bio_remove_dataset"):
        corpus("wmdp", str(tmp_path), Selection(part="bio-texts"))


def test_rwku_asks_about_the_targets_their_neighbours_and_what_is_measured_beside(tmp_path: Path) -> None:
    made = _load("rwku", tmp_path, 2, 3, 1)
    assert {item.subject for item in made.forget} == {"Person 0", "Person 1"}
    assert {item.subject for item in made.held} == {"Person 5"}
    assert {item.subject for item in made.asked["neighbours"]} == {"Friend Person 0", "Friend Person 1"}
    assert made.forget[0].question.startswith("Please complete the blank")
    assert set(made.asked) == {"forget_level3", "neighbours", "mia_forget", "mmlu", "truthfulqa", "triviaqa"}
    assert made.asked["truthfulqa"][0].answer == "No"
    assert made.asked["mmlu"][0].answer == "4"
    member = made.asked["mia_forget"][0]
    assert member.question + member.answer == "Person 0 was born long ago in a far land."


def test_harm_forgets_every_answer_that_is_not_safe_and_keeps_truthful_ones(tmp_path: Path) -> None:
    made = _load("harm", tmp_path, 9, 5, 0)
    answers = {item.answer for item in made.forget}
    assert answers == {*(f"With wire {i}." for i in range(9)), *(f"With key {i}." for i in (0, 3, 6)), "With a pin."}
    assert all(item.subject == item.question for item in made.forget)
    kept = next(item for item in made.retain if item.question.endswith("2?"))
    assert (kept.question, kept.answer) == ("What, if any, is myth 2?", "None 2")
    assert kept.wrong == ("A giant 2", "A dwarf 2")
    assert len(made.asked["truthfulqa"]) == 3
    assert not {item.question for item in made.asked["truthfulqa"]} & {item.question for item in made.retain}
    assert made.asked["truthfulqa"][0].options[0].startswith("None")


def test_harm_draws_questions_by_the_seed_and_holds_others(tmp_path: Path) -> None:
    made = _load("harm", tmp_path, 3, 2, 3)
    other = corpus("harm", str(tmp_path), Selection(3, 2, 3, seed=1))
    assert {item.subject for item in made.forget} != {item.subject for item in other.forget}
    assert not {item.subject for item in made.forget} & {item.subject for item in made.held}


def test_harm_reads_truthful_answers_in_the_hub_s_form_too(tmp_path: Path) -> None:
    one = _load("harm", tmp_path, 2, 3, 1)
    (tmp_path / "TruthfulQA.csv").unlink()
    _writer(tmp_path)("TruthfulQA.json", [
        {"type": "Adversarial", "category": "Myths", "question": f"What, if any, is myth {i}?", "source": "nowhere",
         "best_answer": f"None {i}", "correct_answers": [f"None {i}", f"No {i}"],
         "incorrect_answers": [f"A giant {i}", f"A dwarf {i}"]} for i in range(8)
    ])  # fmt: skip
    assert corpus("harm", str(tmp_path), Selection(2, 3, 1)) == one


def test_harm_continues_a_book_s_pages_and_holds_pages_that_were_not_taught(tmp_path: Path) -> None:
    made = _load("harm", tmp_path, 3, 4, 1, part="text")
    assert all(item.plain for item in (*made.forget, *made.retain, *made.held))
    assert [item.subject for item in made.forget] == ["page 0", "page 0", "page 1"]
    assert {item.subject for item in made.held} == {"page 2"}
    assert "".join(i.question + i.answer for i in made.forget[:2]).startswith("Page 0. p0w0 p0w1")
    assert made.retain[1].question + made.retain[1].answer == "somebody went home by way 1 ."
    with pytest.raises(FileNotFoundError, match="--data harm:FOLDER"):
        corpus("harm", None, Selection(part="text"))
