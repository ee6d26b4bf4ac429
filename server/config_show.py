"""Settings as an operator may see them, and what a file of them may hold."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from server.settings import Settings

_PASSWORD = re.compile(r"(?<=://)([^/@\s:]*):[^/\s]*@")
_KEY = re.compile(r"(?<=--api-key[= ])\S+")  # among the arguments of the managed vLLM
_MASK = "**********"


def masked(settings: Settings) -> dict[str, Any]:
    """Every setting as plain values, with secrets and the passwords in URLs made unreadable."""
    found: dict[str, Any] = _hidden(settings.model_dump(mode="json"))
    return found


def without_secrets(text: str) -> str:
    """``text`` with passwords in URLs, and the managed vLLM's key, made unreadable."""
    return _KEY.sub(_MASK, _PASSWORD.sub(rf"\1:{_MASK}@", text))


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    if isinstance(value, dict):
        return {key: _hidden(item) for key, item in value.items()}
    return value


def to_toml(value: Any) -> str:
    """A plain value as TOML writes it on one line; None in a table is left out."""
    if isinstance(value, list):
        return f"[{', '.join(map(to_toml, value))}]"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{json.dumps(str(k))} = {to_toml(v)}" for k, v in value.items() if v is not None)
        return f"{{ {inner} }}" if inner else "{}"
    return json.dumps(value, ensure_ascii=False)


def file_schema() -> dict[str, Any]:
    """The JSON schema of a configuration file."""
    schema = Settings.model_json_schema()
    schema["properties"].pop("config")
    return schema | {"title": "Letheward", "additionalProperties": False}
