"""Settings from options, the environment and one file, in that order; and what is wrong with them, by place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError

from server.config_file import ConfigFile, Position, Unreadable, Where, read_config
from server.settings import Settings, Variables, variables

OPTION, ENVIRONMENT, FILE, DEFAULT = "option", "environment", "file", "default"
_FIELDS = {name for name in Settings.model_fields if name != "config"}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong, and where: "letheward.toml:3:1", "LETHEWARD_PORT" or "--port". Never with the value."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class BadConfig(Exception):
    """Settings that cannot be used; the message is one line for each problem."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where each comes from. ``warnings``: what is likely a mistake, and stops nothing."""

    settings: Settings
    file: ConfigFile | None
    sources: Mapping[str, str]  # "option", "environment", "file" or "default", by name
    warnings: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Reading:
    """What is known of the three sources while they are put together."""

    given: Mapping[str, Any]
    found: Variables
    file: ConfigFile | None = None
    problems: list[Problem] = field(default_factory=list)

    def source(self, name: str) -> str:
        if name in self.given:
            return OPTION
        if name in self.found.values:
            return ENVIRONMENT
        return FILE if self.file is not None and name in self.file.values else DEFAULT

    def place(self, where: Where) -> str:
        source = self.source(str(where[0])) if where else FILE
        if source == OPTION:
            return f"--{str(where[0]).replace('_', '-')}"
        if source == ENVIRONMENT:
            return _inner(f"LETHEWARD_{str(where[0]).upper()}", where)
        if self.file is None:
            return _inner("", where)
        return ": ".join(filter(None, (_at(self.file.path, self.file.position(where)), _inner("", where))))


def load_settings(given: Mapping[str, Any] | None = None) -> Loaded:
    """The settings of a server. ``given``: those of the command line; ``config`` among them names the file.

    Raises:
        BadConfig: something cannot be read, is unknown or has a wrong value; all that can be told at once.
    """
    given = {k: v for k, v in (given or {}).items() if v is not None}
    try:
        reading = _Reading(given, variables())
    except SettingsError as error:
        raise BadConfig([Problem("environment", f"{error}")]) from error
    path = given.get("config") or reading.found.values.get("config")
    if path:
        reading.file = _read(Path(path))
        _check_file(reading, reading.file)
    values = dict(reading.file.values) if reading.file else {}
    above = given.keys() | reading.found.values.keys()
    settings: Settings | None = None
    try:
        settings = Settings(**({k: v for k, v in values.items() if k in _FIELDS - above} | given))
    except ValidationError as error:
        told = [_problem(reading, e) for e in error.errors()]
        reading.problems += [problem for problem in told if problem not in reading.problems]
    if reading.problems or settings is None:
        raise BadConfig(sorted(reading.problems, key=_order))
    sources = {name: reading.source(name) for name in Settings.model_fields}
    warnings = [Problem(name, _unknown(name, {f"LETHEWARD_{f.upper()}" for f in Settings.model_fields}))
                for name in reading.found.unknown]  # fmt: skip
    return Loaded(settings, reading.file, sources, tuple(warnings))


def _read(path: Path) -> ConfigFile:
    try:
        return read_config(path)
    except Unreadable as error:
        raise BadConfig([Problem(_at(path, error.position), error.message)]) from error


def _check_file(reading: _Reading, file: ConfigFile) -> None:
    """Look at the whole file, also at what the environment or an option goes before."""
    for name in file.values:
        if name not in _FIELDS:
            reading.problems.append(Problem(_at(file.path, file.position((name,))), _unknown(name, _FIELDS)))
    alone = _Reading({}, Variables(), file)
    for name in file.values.keys() & _FIELDS:
        try:
            Settings.__pydantic_validator__.validate_assignment(Settings.model_construct(), name, file.values[name])
        except ValidationError as error:
            own = [e for e in error.errors() if e["loc"]]  # what is wrong of several together, others may yet cure
            reading.problems += [_problem(alone, e) for e in own]


def _problem(reading: _Reading, error: Any) -> Problem:
    where: Where = tuple(error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = _unknown(str(where[-1]), _names(where[:-1]))
    return Problem(reading.place(where), message)


def _unknown(name: str, names: set[str]) -> str:
    near = get_close_matches(name, names, n=1)
    return f"{name!r} is unknown" + (f"; did you mean {near[0]!r}?" if near else "")


def _names(where: Where) -> set[str]:
    """The keys that a table within the settings can have."""
    annotation = Settings.model_fields[str(where[0])].annotation
    models = [a for a in getattr(annotation, "__args__", ()) if isinstance(a, type) and issubclass(a, BaseModel)]
    return {name for model in models for name in model.model_fields}


def _order(problem: Problem) -> tuple[str, list[int]]:
    place, *numbers = problem.place.split(":")
    return place, [int(n) for n in numbers if n.isdigit()]


def _at(path: Path, position: Position | None) -> str:
    return f"{path}:{position.line}:{position.column}" if position else str(path)


def _inner(name: str, where: Where) -> str:
    return ".".join(filter(None, (name, *map(str, where[1:] if name else where))))
