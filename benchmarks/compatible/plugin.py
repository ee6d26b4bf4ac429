"""A pytest plugin that runs chosen tests against a server that is there, and writes down what came of each.

Given with ``-p benchmarks.compatible.plugin --compat-plan FILE`` by :mod:`benchmarks.compatible.runs`.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

_MAKERS = frozenset({"RemoteOpenAIServer", "RemoteLaunchRenderServer", "RemoteOpenAIServerCustom"})


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. ``url`` None: nothing is run, only what server each test asks for is written down."""

    output: str  # JSON lines, one a test
    folder: str  # of the model's weights
    url: str | None = None
    server: str = ""  # what the server at ``url`` is, as Asked.told says it
    tests: tuple[str, ...] | None = None  # None: all

    def save(self, file: Path) -> None:
        """Write it down for :meth:`load`."""
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> Plan:
        """What :meth:`save` wrote."""
        plain = json.loads(file.read_text(encoding="utf-8"))
        return cls(**plain | {"tests": None if plain["tests"] is None else tuple(plain["tests"])})


plan: Plan | None = None  # pytest knows its plugins as modules


def pytest_addoption(parser: pytest.Parser) -> None:
    """The one option."""
    parser.addoption("--compat-plan", type=Path, required=True)


def pytest_configure(config: pytest.Config) -> None:
    """Read the plan. Weights and adapters that tests download are the model's."""
    global plan
    plan = Plan.load(config.getoption("--compat-plan"))
    folder = plan.folder
    try:
        import huggingface_hub
    except ImportError:
        return
    huggingface_hub.snapshot_download = huggingface_hub.HfApi.snapshot_download = lambda *_, **__: folder  # type: ignore[assignment,method-assign]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the plan."""
    assert plan is not None  # noqa: S101 - pytest_configure comes first
    if plan.tests is not None:
        wanted = set(plan.tests)
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in wanted])
        items[:] = [item for item in items if item.nodeid in wanted]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Where nothing is to be run, only tests that themselves ask for a server begin."""
    assert plan is not None  # noqa: S101
    makes = _MAKERS & set(inspect.unwrap(pyfuncitem.function).__code__.co_names)
    return True if plan.url is None and not makes else None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """One line for each test, and one more where its end fails."""
    if report.when == "call" or not report.passed:
        _write(report.nodeid, "passed" if report.passed else report.outcome, _first_line(report.longrepr))


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Files that cannot be read are told too."""
    if report.failed:
        _write(report.nodeid, "unreadable", str(report.longrepr).strip().splitlines()[-1])


def _first_line(found: Any) -> str:
    if found is None:
        return ""
    if isinstance(found, tuple):  # of a skipped test: file, line, reason
        return str(found[2])
    crash = getattr(found, "reprcrash", None)
    return (str(crash.message if crash else found).strip().splitlines() or [""])[0]


def _write(test: str, outcome: str, error: str) -> None:
    assert plan is not None  # noqa: S101
    with Path(plan.output).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"test": test, "outcome": outcome, "error": error}) + "\n")
