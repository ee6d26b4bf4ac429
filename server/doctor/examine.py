"""All checks in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from guard.store import StoreError
from server.config import BadConfig, Loaded, load_settings
from server.config_show import without_secrets
from server.doctor import installed, listed, machine, models, stored
from server.doctor.case import Case
from server.doctor.finding import Finding, fail, ok, one_line, warn

CHECKS: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    installed.for_settings, installed.model, installed.encoder,
    stored.store, stored.permissions, stored.admin, stored.clients,
    models.upstream, models.guard_model, models.embeddings, models.patterns,
    machine.cache, machine.port, machine.clock,
    listed.lists,
)  # fmt: skip


def examine(given: Mapping[str, Any]) -> Iterator[Finding]:
    """What every check finds, as it is found, without secrets. ``given``: options of `letheward serve`."""
    for found in _examined(given):
        yield replace(found, told=without_secrets(found.told), todo=without_secrets(found.todo))


def _examined(given: Mapping[str, Any]) -> Iterator[Finding]:
    yield from installed.python()
    yield from machine.open_files()
    try:
        loaded = load_settings(given)
    except BadConfig as error:
        for problem in error.problems:
            yield fail("settings", str(problem), "mend it; `letheward config schema` says what there is")
        yield from installed.packages()
        return
    yield from _settings(loaded)
    case = Case(loaded)
    for check in CHECKS:
        try:
            yield from check(case)
        except (StoreError, ValueError) as error:
            # What several checks need, the one that is about it tells as its own.
            name = check.__name__.replace("_", " ")
            yield warn(name, f"not looked at: {one_line(error)}", "mend what is told above first")


def _settings(loaded: Loaded) -> Iterator[Finding]:
    for problem in loaded.warnings:
        yield warn("settings", str(problem), "mend the name, or remove the variable")
    if not loaded.warnings:
        count = sum(source != "default" for name, source in loaded.sources.items() if name != "config")
        yield ok("settings", f"{loaded.file.path if loaded.file else 'environment'}: {count} are set")
