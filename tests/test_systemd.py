"""deploy/systemd: the unit starts what there is, with no more rights than it needs."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import typer

from server.cli import app
from server.settings import Settings

UNIT = Path(__file__).parents[1] / "deploy" / "systemd" / "letheward.service"


@pytest.fixture(scope="module")
def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, value in re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE):
        found[name].append(value)
    return found


def test_it_has_no_more_rights_than_it_needs(unit: dict[str, list[str]]) -> None:
    wanted = {
        "DynamicUser": "yes", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes",
        "PrivateTmp": "yes", "CapabilityBoundingSet": "", "UMask": "0077", "StateDirectoryMode": "0700",
    }  # fmt: skip
    assert {name: unit[name][0] for name in wanted} == wanted


def test_its_commands_and_settings_are_there(unit: dict[str, list[str]]) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for line in (*unit["ExecStartPre"], *unit["ExecStart"]):
        program, command, *_ = line.split()
        assert (Path(program).name, command in commands) == ("letheward", True)
    for name in re.findall(r"LETHEWARD_(\w+)=", UNIT.read_text()):
        assert name.lower() in Settings.model_fields


def test_answers_have_time_to_end(unit: dict[str, list[str]]) -> None:
    assert int(unit["TimeoutStopSec"][0]) >= Settings.model_fields["shutdown_timeout"].default + 5
    assert unit["KillMode"] == ["mixed"], "workers are told by their parent, once running answers have ended"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_it(tmp_path: Path) -> None:
    stand_in = tmp_path / "letheward.service"
    stand_in.write_text(re.sub(r"/opt/letheward/bin/letheward", "/bin/true", UNIT.read_text()))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", stand_in], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    limit = ["--offline=true", "--threshold=20"]  # of 100, the least exposed being 0
    done = subprocess.run(["systemd-analyze", "security", *limit, stand_in], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
