"""`letheward eco train-tokens` and `list-tokens`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from guard.selection import TokenSelectors
from server.cli import app


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LETHEWARD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)  # no .env of the developer's
    return tmp_path / "cache" / "token-classifiers"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """As few made-up sentences as a test needs."""
    from classifiers import token_data

    whole = token_data.token_examples
    monkeypatch.setattr(token_data, "token_examples", lambda targets, seed: whole(targets, seed, made_up=60))


def run(*arguments: object, code: int = 0) -> Result:
    done = CliRunner().invoke(app, ["eco", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done


@pytest.mark.usefixtures("small")
def test_a_classifier_is_trained_shown_and_used_by_its_name(cache: Path) -> None:
    Path("people.jsonl").write_text('{"subject": "Zorvan Pelk", "question": "Where was Zorvan Pelk born?"}\n')
    told = json.loads(run("train-tokens", "--list", "people.jsonl", "--threads", 1, "--seed", 7, "--json").stdout)
    assert (told["name"], told["seed"], told["folder"]) == ("people", 7, str(cache / "people"))
    assert 0 <= told["held"]["made up"]["f1"] <= 1
    assert TokenSelectors(cache).get("people").spans("") == ()

    assert "saved in" in run("train-tokens", "--list", "people.jsonl", "--name", "again", "--threads", 1).stdout
    assert "held out, made up: precision" in run("list-tokens").stdout
    (cache / "people" / "head.safetensors").unlink()
    assert "people: damaged" in run("list-tokens", code=1).stdout
    found = json.loads(run("list-tokens", "--json", code=1).stdout)
    assert [item["name"] for item in found["token_classifiers"]] == ["again"]
    assert list(found["damaged"]) == ["people"]


def test_without_classifiers_the_list_says_how_to_make_one(tmp_path: Path) -> None:
    assert "eco train-tokens" in run("list-tokens").stdout
    told = run("list-tokens", "--json", "--cache-dir", tmp_path / "elsewhere").stdout
    assert json.loads(told) == {"token_classifiers": [], "damaged": {}}


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        (None, ("--list", "facts.jsonl"), "facts.jsonl is no file"),
        (b"\xff\xfe", ("--list", "facts.jsonl"), "cannot be read as UTF-8"),
        (b"nonsense\n{}\n", ("--list", "facts.jsonl"), "2 lines that are no entries: line 1: not a JSON object"),
        (b"", ("--list", "facts.jsonl"), "no entry to train on"),
        (b'{"subject": "A B"}', ("--list", "facts.jsonl", "--name", "a/b"), "give one with --name"),
        (None, ("--list", "people", "--url", "http://127.0.0.1:9", "--key", "k"), "Is `letheward serve` running?"),
    ],
)
def test_faults_say_what_to_do(content: bytes | None, arguments: tuple[str, ...], said: str) -> None:
    if content is not None:
        Path("facts.jsonl").write_bytes(content)
    assert said in run("train-tokens", *arguments, code=2).stderr


def test_help_is_shown_without_anything_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "server.cli", "eco", "train-tokens", "--help"],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not imported & {"torch", "onnxruntime", "numpy", "tokenizers", "classifiers"}
