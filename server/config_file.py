"""A configuration file as values, and where in the file each of them stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from server.config_toml import locate

Where = tuple[str | int, ...]  # keys and indexes from the top: ("clients", 0, "key")
KINDS = (".toml", ".yaml", ".yml")
_AT = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file; both count from 1."""

    line: int
    column: int


class Unreadable(Exception):
    """A file that is no TOML or YAML, and where that shows; no position where it is about the whole file."""

    def __init__(self, message: str, position: Position | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a file holds. ``positions``: of every key, and of every element of an array."""

    path: Path
    values: Mapping[str, Any]
    positions: Mapping[Where, Position]

    def position(self, where: Where) -> Position | None:
        """Where a value stands, or the nearest thing around it that has a place; None where that is the file."""
        for length in range(len(where), 0, -1):
            if where[:length] in self.positions:
                return self.positions[where[:length]]
        return None


def read_config(path: Path) -> ConfigFile:
    """The values of a TOML or YAML file; the name's ending says which.

    Raises:
        Unreadable: there is no such file, or it is not what its name says.
    """
    if path.suffix.lower() not in KINDS:
        raise Unreadable(f"the name must end with one of {', '.join(KINDS)}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Unreadable(error.strerror or type(error).__name__) from error
    except UnicodeDecodeError as error:
        raise Unreadable("the file is not UTF-8") from error
    values, positions = _toml(text) if path.suffix.lower() == ".toml" else _yaml(text)
    return ConfigFile(path, values, positions)


def _toml(text: str) -> tuple[dict[str, Any], dict[Where, Position]]:
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unreadable(*_told(str(error), text)) from error
    return values, {where: _position(text, offset) for where, offset in locate(text).items()}


def _told(message: str, text: str) -> tuple[str, Position]:
    """The message without the place that tomllib writes at its end, and that place."""
    at = _AT.search(message)
    if at is None or at[1] is None:
        return _AT.sub("", message), _position(text, len(text))
    return message[: at.start()], Position(int(at[1]), int(at[2]))


def _position(text: str, offset: int) -> Position:
    return Position(text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1)


def _yaml(text: str) -> tuple[dict[str, Any], dict[Where, Position]]:
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return {}, {}
        if not isinstance(node, yaml.MappingNode):
            raise Unreadable("the file must hold keys with values", _mark(node.start_mark))
        positions: dict[Where, Position] = {}
        _walk(node, (), positions)
        return dict(loader.construct_document(node)), positions
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(error.problem or "this is no YAML", _mark(mark) if mark else None) from error
    except yaml.YAMLError as error:
        raise Unreadable(f"this is no YAML: {error}") from error
    finally:
        loader.dispose()


def _walk(node: yaml.Node, where: Where, positions: dict[Where, Position]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                raise Unreadable(f"{key.value!r} is no name here; put it between quotes", _mark(key.start_mark))
            own = (*where, key.value)
            if own in positions:
                raise Unreadable(f"{key.value!r} is set twice", _mark(key.start_mark))
            positions[own] = _mark(key.start_mark)
            _walk(value, own, positions)
    elif isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            positions[(*where, i)] = _mark(item.start_mark)
            _walk(item, (*where, i), positions)


def _mark(mark: yaml.Mark) -> Position:
    return Position(mark.line + 1, mark.column + 1)
