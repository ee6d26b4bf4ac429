"""Stages, specs and costs of a comparison."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cli import changed
from benchmarks.comparison.costs import Spending
from benchmarks.comparison.rows import limited, parts
from benchmarks.comparison.spec import PROFILES, Data, RunSpec, profile
from benchmarks.comparison.stages import Stages
from benchmarks.data.corpus import Corpus, Item

NOTHING: dict[str, Any] = dict.fromkeys(
    ("methods", "data", "part", "model", "target", "retained", "forget", "retain", "attacks", "probes", "requests",
     "sweep", "lora", "items", "seed", "precision")
) | {"options": ()}  # fmt: skip


class Killed(BaseException):
    """Stands for the end of the process."""


def _made(out: Path) -> Mapping[str, Any]:
    (out / "weights").write_text("w")
    return {"loss": 0.5}


def _broken(out: Path) -> Mapping[str, Any]:
    (out / "weights").write_text("half")
    raise Killed


def test_a_stage_is_made_once_for_what_it_depends_on(tmp_path: Path) -> None:
    stages = Stages(tmp_path)
    stage = stages.stage("target", {"lr": 1})
    assert stages.once(stage, _made) == {"loss": 0.5}
    assert stages.once(stage, _broken) == {"loss": 0.5}
    assert stages.stage("target", {"lr": 1}).done
    assert not stages.stage("target", {"lr": 2}).done
    assert stages.stage_in(stage.folder).told() == {"loss": 0.5}


def test_a_stage_that_was_broken_off_is_not_taken_for_done_and_keeps_what_was_under_way(tmp_path: Path) -> None:
    stages = Stages(tmp_path)
    stage = stages.stage("target", {"lr": 1})

    def begun(out: Path) -> Mapping[str, Any]:
        (stage.scratch / "epoch").write_text("3")
        return _broken(out)

    with pytest.raises(Killed):
        stages.once(stage, begun)
    assert not stage.done
    assert (stage.scratch / "epoch").read_text() == "3"
    assert stages.once(stage, _made) == {"loss": 0.5}
    assert sorted(file.name for file in stage.folder.iterdir()) == ["done.json", "weights"]
    assert (stage.folder / "weights").read_text() == "w"


@pytest.mark.parametrize("name", list(PROFILES))
def test_a_spec_comes_back_from_json_as_it_was(name: str) -> None:
    spec = profile(name)
    again = RunSpec.of(json.loads(json.dumps(spec.plain())))
    assert again.digest == spec.digest
    assert again.methods == spec.methods
    assert again.teach == spec.teach


def test_the_command_of_a_run_gives_the_same_spec(tmp_path: Path) -> None:
    spec = changed(
        profile("tiny"), **NOTHING | {"methods": "npo,ga", "forget": 3, "seed": 7, "options": ["npo.beta=0.5"]}
    )
    words = spec.command().split()
    given = dict(zip(words[3::2], words[4::2], strict=True))
    assert given["--methods"] == "npo,ga"
    options = [value for key, value in zip(words[3::2], words[4::2], strict=True) if key == "--set"]
    again = changed(
        profile(given["--profile"]),
        **NOTHING | {"methods": given["--methods"], "forget": int(given["--forget"]), "seed": int(given["--seed"]),
                     "options": options},
    )  # fmt: skip
    assert again.digest == spec.digest


def test_what_the_command_line_cannot_mean_is_refused() -> None:
    for wrong in ({"options": ["npo"]}, {"options": ["nothing.lr=1"]}, {"precision": "int3"}):
        with pytest.raises(ValueError, match=r"--set|no method|--precision"):
            changed(profile("tiny"), **NOTHING | wrong)


def test_an_unknown_profile_is_told_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="tiny"):
        profile("huge")


def test_what_was_spent_before_a_run_was_killed_counts(tmp_path: Path) -> None:
    file = tmp_path / "spent.json"
    before = Spending("", False, file=file)
    before.seconds = 100.0
    before.note()
    after = Spending("", False, file=file).cost()
    assert after.seconds >= 100
    assert after.device_seconds is not None
    assert after.device_seconds > 0
    assert after.peak_bytes
    assert after.peak_bytes > 1 << 20


def _corpus(*subjects: str, each: int = 3) -> Corpus:
    return Corpus("some", tuple(Item(f"{s} {n}?", f"{n}", s) for s in subjects for n in range(each)), ())


def test_requests_part_the_forget_set_by_subject() -> None:
    corpus = _corpus("a", "b", "c", "d", "e")
    found = parts(corpus, 2)
    assert [sorted({i.subject for i in p.forget}) for p in found] == [["a", "c", "e"], ["b", "d"]]
    assert sum(len(p.forget) for p in found) == len(corpus.forget)
    with pytest.raises(ValueError, match="5 subjects"):
        parts(corpus, 6)


def test_a_limited_set_has_every_subject_before_it_has_one_twice() -> None:
    corpus = _corpus("a", "b", "c")
    assert [i.question for i in limited(corpus.sets, 4)["forget"]] == ["a 0?", "b 0?", "c 0?", "a 1?"]
    assert limited(corpus.sets, None)["forget"] != ()


def test_where_answers_alone_count_nothing_else_is_read() -> None:
    item = Item("q?", "a", "s", "p?", "again", ("wrong",), ("a", "b"))
    found = limited(Corpus("some", (item,), (), (item,), {"world_facts": (item,), "aliases": (item,)}).sets, None)
    assert found["forget"] == found["world_facts"] == (item,)
    assert found["held"] == found["aliases"] == (Item("q?", "a", "s"),)


def test_a_change_of_data_changes_the_digest() -> None:
    spec = profile("tiny")
    assert replace(spec, data=Data(forget=3)).digest != spec.digest
    assert _corpus("a").digest != _corpus("b").digest


def test_memory_that_an_earlier_stage_freed_is_not_counted() -> None:
    def peak() -> int:
        return Spending("", False).cost().peak_bytes or 0

    before = peak()
    held = [bytearray(64 << 10) for _ in range(6000)]  # too small to go back to the system by themselves
    last = held[-1]  # and this one keeps those below it there
    del held
    assert peak() < before + (200 << 20)
    assert len(last) == 64 << 10
