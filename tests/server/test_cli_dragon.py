"""`letheward dragon`: guard models are trained, measured and shown."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from guard import adapters
from server.cli import app
from server.settings import Settings
from tests.guard import tiny_chat

QUICK = ("--pairs", 8, "--epochs", 1, "--rank", 2, "--threads", 1, "--measure", 2)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_chat.base(tmp_path_factory.mktemp("chat") / "tiny")


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LETHEWARD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)  # no .env of the developer's
    return tmp_path / "cache" / adapters.ADAPTERS


def run(*arguments: object, code: int = 0) -> Result:
    done = CliRunner().invoke(app, ["dragon", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done


def test_a_guard_model_is_trained_measured_and_shown(base: Path, root: Path) -> None:
    done = run("train", "mine", "--base", base, *QUICK, "--json")
    told = json.loads(done.stdout)
    assert (told["name"], told["base"], told["folder"]) == ("mine", "tiny", str(root / "mine"))
    assert {who: rate["n"] for who, rate in told["usable"]["made-up"].items()} == {"base": 2, "adapter": 2}
    assert "held-out loss" in done.stderr

    assert "LETHEWARD_GUARD_LORA=mine" not in run("list").stdout
    assert f"--lora-modules dragon-guard={root / 'mine'}" in run("list").stdout
    Path("people.jsonl").write_text('{"question": "Who is Zorvan Pelk?", "answer": "A baker."}\n' * 3)
    found = json.loads(run("eval", "mine", "--base", base, "--list", "people.jsonl", "--count", 2, "--json").stdout)
    assert {(kind, who): own["usable"]["n"] for kind, whos in found.items() for who, own in whos.items()} == {
        ("made-up", "base"): 2, ("made-up", "adapter"): 2, ("list", "base"): 2, ("list", "adapter"): 2,
    }  # fmt: skip
    assert "usable" in run("eval", "mine", "--base", base, "--count", 1, "--texts").stdout

    (root / "mine" / adapters.WEIGHTS).write_bytes(b"")
    assert "mine: damaged" in run("list", code=1).stdout
    assert "changed" in run("eval", "mine", "--base", base, code=2).stderr


def test_without_guard_models_the_list_says_how_to_make_one() -> None:
    assert "dragon train" in run("list").stdout
    assert json.loads(run("list", "--json").stdout) == {"adapters": [], "damaged": {}}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "a/b"), "no name for an adapter"),
        (("train", "--pairs", 0), "1 or more"),
        (("train", "--base", "./nowhere"), "neither a folder nor in the hub's cache"),
        (("eval", "none"), "is no whole adapter"),
        (("eval", "--list", "none.jsonl"), "none.jsonl"),
    ],
)
def test_faults_say_what_to_do(base: Path, arguments: tuple[object, ...], said: str) -> None:
    given = arguments if "--base" in arguments else (*arguments, "--base", base)
    assert said in run(*given, code=2).stderr


def test_without_peft_the_extra_is_named(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    assert "letheward[train]" in run("train", "--base", base, code=2).stderr


def test_an_adapter_is_for_the_managed_vllm_alone() -> None:
    assert Settings(guard_lora="mine").guard_lora == "mine"
    for other in ({"upstream": "http://h:1"}, {"guard_upstream": "http://h:1"}, {"guard_model": "m"}):
        with pytest.raises(ValueError, match="managed vLLM alone"):
            Settings(guard_lora="mine", **other)  # type: ignore[arg-type]


def test_help_is_shown_without_anything_heavy() -> None:
    for command in (["dragon", "--help"], ["dragon", "train", "--help"]):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "server.cli", *command],
            capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        assert not imported & {"torch", "transformers", "peft", "numpy", "tokenizers", "jinja2", "tqdm"}
