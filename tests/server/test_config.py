"""The configuration file: what it may hold, and that every mistake in it is told with its place."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from server.cli import app
from server.config import BadConfig, load_settings
from server.config_file import Position, Unreadable, read_config
from server.config_show import file_schema, masked, to_toml
from server.config_toml import locate

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)  # no .env of the checkout
    for name in [n for n in os.environ if n.startswith("LETHEWARD_")]:
        monkeypatch.delenv(name)

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def _problems(path: Path) -> list[str]:
    with pytest.raises(BadConfig) as caught:
        load_settings({"config": path})
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


TOML = """\
# A comment = [
port = 80800
enfroce = true
read_timeout = "soon"
client_keys = [
  "a # no comment",  # one
  3,
]
routes = ["/v1/rerank", "rerank"]

[[clients]]
key = '''k'''
name = "n"

[[clients]]
key = "k2"
nme = 1
"""

YAML = """\
# A comment: [
port: 80800
enfroce: true
read_timeout: soon
client_keys:
  - "a # no comment"
  - 3
routes: [/v1/rerank, rerank]
clients:
  - key: k
    name: n
  - key: k2
    nme: 1
"""


@pytest.mark.parametrize(
    ("name", "text", "places"),
    [("f.toml", TOML, ["2:1", "3:1", "4:1", "7:3", "9:1", "17:1"]),
     ("f.yaml", YAML, ["2:1", "3:1", "4:1", "7:5", "8:1", "13:5"])],
)  # fmt: skip
def test_every_mistake_is_told_at_once_with_its_line_and_column(
    write: Write, name: str, text: str, places: list[str]
) -> None:
    told = _problems(write(name, text))
    assert [line.split(": ")[0] for line in told] == places
    assert "did you mean 'enforce'" in told[1]
    assert "client_keys.1" in told[3]
    assert "did you mean 'name'" in told[5]


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("f.toml", "port = 1\nhost = \n", "2:8"),
        ("f.toml", "port = 1\nport = 2\n", "2:9"),
        ("f.toml", 'host = "a', "1:10"),
        ("f.yaml", "port: 1\nhost: [a\n", "3:1"),
        ("f.yaml", "port: 1\nport: 2\n", "2:1"),
        ("f.yaml", "clients:\n  - key: a\n    key: b\n", "3:5"),
        ("f.yaml", "- port\n", "1:1"),
        ("f.yaml", "1: 2\n", "1:1"),
        ("f.yaml", "host: !!python/object:os.system {}\n", "1:7"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_its_place(write: Write, name: str, text: str, place: str) -> None:
    (told,) = _problems(write(name, text))
    assert told.startswith(f"{place}: ")


def test_a_missing_file_and_one_of_another_kind_are_told(write: Write, tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="No such file"):
        load_settings({"config": tmp_path / "none.toml"})
    with pytest.raises(BadConfig, match=r"must end with one of \.toml"):
        load_settings({"config": write("f.ini", "")})


def test_an_empty_file_changes_nothing(write: Write) -> None:
    assert load_settings({"config": write("f.yaml", "# nothing\n")}).settings.port == 8080
    assert load_settings({"config": write("f.toml", "")}).settings.port == 8080


def test_an_option_goes_before_the_environment_and_that_before_the_file(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("f.toml", 'port = 1\nhost = "a"\nmodel = "m"\n')
    monkeypatch.setenv("LETHEWARD_CONFIG", str(path))
    monkeypatch.setenv("LETHEWARD_HOST", "b")
    monkeypatch.setenv("LETHEWARD_PORT", "2")
    loaded = load_settings({"port": 3})
    assert (loaded.settings.port, loaded.settings.host, loaded.settings.model) == (3, "b", "m")
    told = {name: loaded.sources[name] for name in ("port", "host", "model", "media")}
    assert told == {"port": "option", "host": "environment", "model": "file", "media": "default"}


def test_a_wrong_variable_is_told_by_its_name_and_an_unknown_one_is_warned_of(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LETHEWARD_ENFROCE", "false")
    (warning,) = load_settings().warnings
    assert "LETHEWARD_ENFORCE" in warning.message
    monkeypatch.setenv("LETHEWARD_PORT", "secret-99999")
    with pytest.raises(BadConfig, match=r"^LETHEWARD_PORT: ") as caught:
        load_settings()
    assert "secret-99999" not in str(caught.value)
    monkeypatch.setenv("LETHEWARD_PORT", "1")
    monkeypatch.setenv("LETHEWARD_CLIENTS", "no JSON")
    with pytest.raises(BadConfig, match="clients"):
        load_settings()


def test_what_is_wrong_of_several_together_is_told(write: Write) -> None:
    (told,) = _problems(write("f.toml", 'guard_lora = "g"\nupstream = "http://h"\n'))
    assert "guard_lora is for the managed vLLM alone" in told


def test_secrets_are_masked_and_the_rest_can_be_read_back(write: Write) -> None:
    path = write(
        "f.toml",
        'client_keys = ["s3cret"]\nadmin_key = "s3cret"\ndatabase_url = "postgresql://u:s3cret@h/d"\n'
        'vllm_args = "--api-key s3cret --x"\n[[clients]]\nkey = "s3cret"\nname = "n"\n',
    )
    shown = masked(load_settings({"config": path}).settings)
    assert "s3cret" not in json.dumps(shown)
    again = "".join(f"{k} = {to_toml(v)}\n" for k, v in shown.items() if v is not None and k != "config")
    read = read_config(write("again.toml", again))
    assert dict(read.values) == {
        k: v for k, v in shown.items() if v is not None and k not in ("config", "clients")
    } | {"clients": [{"key": "**********", "name": "n", "may_choose": []}]}  # fmt: skip


def test_the_schema_names_every_setting_and_no_other() -> None:
    schema = file_schema()
    assert schema["additionalProperties"] is False
    assert {"port", "clients", "log_level"} <= schema["properties"].keys()
    assert "config" not in schema["properties"]


def test_keys_are_found_in_whatever_form_toml_has_them() -> None:
    text = 'a.b = {c = [1, {d = "]"}], "e f" = 2}\n[t."u.v"]\n'
    text += 'w = """x\n[y]"""\nz = 1979-05-27T07:32:00Z\n[[q.r]]\n[[q.r]]\ns=1'
    found = {where: text[offset:][:3] for where, offset in locate(text).items()}
    assert found[("a", "b", "c")] == "c ="
    assert found[("a", "b", "c", 1, "d")] == "d ="
    assert found[("a", "b", "e f")] == '"e '
    assert found[("t", "u.v", "w")] == "w ="
    assert found[("t", "u.v", "z")] == "z ="
    assert found[("q", "r", 1, "s")] == "s=1"


_NAMES = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
_PLAIN = st.booleans() | st.integers(-9, 9) | st.text(max_size=6)
_VALUES = st.recursive(
    _PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(_NAMES, _VALUES, max_size=5))
@settings(max_examples=50, deadline=None)
def test_every_key_of_any_toml_has_a_place_that_shows_it(values: dict[str, object]) -> None:
    text = "".join(f"{key} = {to_toml(value).replace(chr(127), '')}\n" for key, value in values.items())
    found = locate(text)
    for i, key in enumerate(values):
        assert text.count("\n", 0, found[(key,)]) == i
        assert text[found[(key,)] :].startswith(f"{key} =")


def test_a_place_within_a_value_is_that_of_what_is_around_it(write: Write) -> None:
    file = read_config(write("f.yaml", "clients:\n  - {key: k}\n"))
    assert file.position(("clients", 0, "key", "x")) == Position(2, 6)
    assert file.position(("port",)) is None
    with pytest.raises(Unreadable):
        read_config(write("f.yaml", "\tx"))


def test_the_commands_check_show_and_describe(write: Write) -> None:
    def run(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["config", *arguments])
        assert done.exit_code == code, done.output
        return done.output

    good = write("good.toml", 'port = 1\nadmin_key = "s3cret"\n')
    assert "2 settings" in run("check", str(good))
    shown = run("show", str(good))
    assert "port = 1  # file, line 1" in shown
    assert "s3cret" not in shown
    assert json.loads(run("show", "--json", str(good)))["port"] == 1
    assert json.loads(run("schema"))["title"] == "Letheward"
    bad = write("bad.yaml", "prot: 1\n")
    assert f"{bad}:1:1: 'prot' is unknown; did you mean 'port'?" in run("check", str(bad), code=2)


def test_the_example_can_be_used(write: Write) -> None:
    example = Path(__file__).parents[2] / "deploy" / "letheward.toml"
    assert load_settings({"config": example}).settings.workers == 4
