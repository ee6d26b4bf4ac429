"""`letheward detector` and the files that it reads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from classifiers.prompt_classifier import PromptClassifier
from server.cli import app
from server.keep_file import keep_texts
from tests.classifiers import tiny


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LETHEWARD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)  # no .env of the developer's
    (tmp_path / "people.jsonl").write_text(tiny.lines())
    return tmp_path / "cache" / "classifiers"


def run(*arguments: object, code: int = 0) -> Result:
    done = CliRunner().invoke(app, ["detector", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done


def test_a_classifier_is_trained_shown_and_used_by_its_name(base: Path, cache: Path) -> None:
    Path("keep.txt").write_text("How tall is the tower of Pisa?\n\nWho built the harbour?\n")
    options = ("--base", base, "--epochs", 1, "--lr", 5e-3, "--threads", 1, "--seed", 7)
    done = run("train", "--list", "people.jsonl", "--keep", "keep.txt", *options, "--json")
    told = json.loads(done.stdout)
    assert (told["name"], told["seed"], told["folder"]) == ("people", 7, str(cache / "people"))
    assert told["n"]["train keep"] == 2
    assert {"hits", "n", "low", "high"} == set(told["recall"])
    assert "epoch 1 of 1: loss" in done.stderr
    assert PromptClassifier.named("people", cache).probabilities(["Who is Zorvan Pelk?"]).shape == (1,)

    assert "people: on tiny" in run("list").stdout
    assert "false positives" in run("list").stdout
    (cache / "people" / "tokenizer.json").unlink()
    assert "people: damaged" in run("list", code=1).stdout
    found = json.loads(run("list", "--json", code=1).stdout)
    assert (found["classifiers"], list(found["damaged"])) == ([], ["people"])


def test_without_classifiers_the_list_says_how_to_make_one() -> None:
    assert "detector train" in run("list").stdout
    assert json.loads(run("list", "--json").stdout) == {"classifiers": [], "damaged": {}}


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        (None, (), "cannot be read"),
        (b"\xff\xfe", (), "cannot be read as UTF-8"),
        (b"nonsense\n{}\n", (), "2 lines that are no entries: line 1: not a JSON object"),
        (b"", (), "no entry to train on"),
        (b'{"subject": "A B"}', ("--name", "a/b"), "give one with --name"),
        (b'{"subject": "A B"}', ("--out", "."), "give one with --name"),
        (b'{"subject": "A B"}', ("--epochs", "0"), "1 or more"),
        (b'{"subject": "A B"}', ("--base", "./nowhere"), "is no folder: give one, or leave --base out"),
        (b'{"subject": "A B"}', ("--keep", "none.txt"), "none.txt cannot be read"),
        (b'{"subject": "A B"}', ("--keep", "empty.txt"), "has no texts"),
        (b'{"subject": "A B"}', ("--keep", "bad.jsonl"), "bad.jsonl: line 2"),
        (b'{"question": "Same?"}', ("--keep", "same.txt"), "also in the list"),
    ],
)
def test_faults_say_what_to_do(content: bytes | None, arguments: tuple[str, ...], said: str) -> None:
    if content is not None:
        Path("facts.jsonl").write_bytes(content)
    Path("empty.txt").write_text("\n")
    Path("same.txt").write_text("same?\n")
    Path("bad.jsonl").write_text('{"question": "Is it?"}\n{"q": "Is it?"}\n')
    assert said in run("train", "--list", "facts.jsonl", *arguments, code=2).stderr


def test_texts_to_keep_are_json_lines_or_plain_lines() -> None:
    assert keep_texts('{"question": "A?"}\n\n{"text": " B. "}\n{"prompt": "C", "answer": "x"}\n{"question": "A?"}') == [
        "A?", "B.", "C",
    ]  # fmt: skip
    assert keep_texts("A?\n  B. \n3\nA?\n{not json}") == ["A?", "B.", "3", "{not json}"]
    with pytest.raises(ValueError, match=r'line 2 .* "question", "text", "prompt"'):
        keep_texts('{"question": "A?"}\nB')
    with pytest.raises(ValueError, match="line 1"):
        keep_texts('{"question": 3}')


def test_help_is_shown_without_anything_heavy() -> None:
    for command in (["detector", "--help"], ["detector", "train", "--help"]):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "server.cli", *command],
            capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        assert not imported & {"torch", "transformers", "numpy", "tokenizers", "classifiers"}
