"""Running tests in a scratch folder in which vLLM's ``tests.utils`` is the stand-in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.compatible.asked import Asked
from benchmarks.compatible.plugin import Plan
from benchmarks.compatible.stand_in import ASKS

_UTILS = "from benchmarks.compatible.stand_in import *\n"
_INI = """[pytest]
addopts = -q -p no:cacheprovider -p pytest_asyncio.plugin -p pytest_timeout --timeout 150
asyncio_default_fixture_loop_scope = function
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a test: passed, failed, skipped or unreadable, and the first line of why."""

    outcome: str
    error: str = ""

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        return self.outcome == "passed"


@dataclass(frozen=True, slots=True)
class Scratch:
    """A copy of the tests, to run them in. ``model``: the folder of the served model's weights."""

    root: Path
    model: Path

    @classmethod
    def make(cls, source: Path, root: Path, model: Path) -> Scratch:
        """Copy ``source``/tests without its own ``utils.py`` and ``conftest.py``, which start servers and need GPUs."""
        shutil.copytree(source / "tests", root / "tests", ignore=_unneeded(source / "tests"))
        if (source / "examples").is_dir():
            (root / "examples").symlink_to(source.absolute() / "examples")
        (root / "tests" / "__init__.py").touch()
        (root / "tests" / "utils.py").write_text(_UTILS, encoding="utf-8")
        (root / "gpt_oss").mkdir()  # which tests only look for
        (root / "gpt_oss" / "__init__.py").touch()
        (root / "pytest.ini").write_text(_INI, encoding="utf-8")
        return cls(root, model)

    def call(self, names: Iterable[str]) -> None:
        """Make the model's folder be there under ``names``, for tests that read a tokenizer or a configuration."""
        for name in names:
            link = self.root / name
            if not link.exists() and not Path(name).is_absolute():
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(self.model.absolute())

    def asked(self, files: Sequence[str]) -> tuple[dict[str, Asked], dict[str, str]]:
        """Which server each test asks for; and files in which nothing asks for one, with the reason.

        A fixture that reads the model before it asks for the server does so only once the model is there: files
        with errors are tried again.
        """
        found: dict[str, Outcome] = {}
        called: set[str] = set()
        again = list(files)
        while again:
            found |= self._run(again, Plan("", str(self.model)))
            asked = {k: Asked.heard(_reason(v)) for k, v in found.items() if _reason(v)}
            new = {name for one in asked.values() for name in one.names} - called
            self.call(new)
            called |= new
            again = sorted({_file(k) for k, v in found.items() if v.outcome in ("failed", "unreadable")} if new else ())
        silent = set(files) - {_file(test) for test in asked}
        return asked, {file: _why(file, found) for file in sorted(silent)}

    def run(self, tests: Sequence[str], url: str, server: Asked) -> dict[str, Outcome]:
        """Run ``tests`` against the server at ``url``; one that says nothing, because pytest died, has failed."""
        files = list(dict.fromkeys(map(_file, tests)))
        plan = Plan("", str(self.model), url, server.told(), tuple(tests))
        found = self._run(files, plan)
        return {test: found.get(test, Outcome("failed", "no outcome")) for test in tests}

    def _run(self, files: Sequence[str], plan: Plan) -> dict[str, Outcome]:
        own = Path(tempfile.mkdtemp(dir=self.root, prefix=".run-"))
        plan_file, output = own / "plan.json", own / "outcomes.jsonl"
        replace(plan, output=str(output)).save(plan_file)
        command = [sys.executable, "-m", "pytest", "-p", "benchmarks.compatible.plugin",
                   "--compat-plan", str(plan_file), "--continue-on-collection-errors", *files]  # fmt: skip
        with (own / "pytest.log").open("wb") as log:
            subprocess.run(command, cwd=self.root, env=_environment(self.root), stdout=log, stderr=log, check=False)  # noqa: S603 - pytest
        lines = output.read_text(encoding="utf-8").splitlines() if output.exists() else []
        return _merged(map(json.loads, lines))


def _unneeded(top: Path) -> Callable[[str, list[str]], set[str]]:
    def ignored(folder: str, names: list[str]) -> set[str]:
        left = {n for n in names if n == "__pycache__" or (Path(n).suffix not in ("", ".py", ".json", ".jinja"))}
        return left | ({"utils.py", "conftest.py"} & set(names) if Path(folder) == top else set())

    return ignored


def _environment(root: Path) -> dict[str, str]:
    home = Path(__file__).parents[2]
    return os.environ | {
        "PYTHONPATH": f"{root}{os.pathsep}{home}",
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # what happens to be installed takes seconds to load
    }


def _merged(lines: Iterable[Mapping[str, str]]) -> dict[str, Outcome]:
    """A test whose end fails has failed."""
    found: dict[str, Outcome] = {}
    for line in lines:
        new = Outcome(line["outcome"], line["error"])
        if line["test"] not in found or not new.passed:
            found[line["test"]] = new
    return found


def _reason(outcome: Outcome) -> str:
    """What server a skipped test asks for, if that is why."""
    _, found, rest = outcome.error.partition(ASKS)
    return rest if found and outcome.outcome == "skipped" else ""


def _file(test: str) -> str:
    return test.partition("::")[0]


def _why(file: str, found: Mapping[str, Outcome]) -> str:
    """Why no test of a file asked for a server."""
    errors = [v.error for k, v in found.items() if _file(k) == file and v.error]
    return errors[0] if errors else "asks for no server"
