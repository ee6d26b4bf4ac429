"""A signed record as a page that stands by itself: no script, nothing loaded, to be read, printed and kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template


def page(document: Mapping[str, Any]) -> str:
    """The page of a signed record."""
    whole = json.dumps(document, indent=1, ensure_ascii=False)
    return _template().render(record=document["record"], signature=document["signature"], whole=whole)


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["percent"] = lambda share: f"{100 * share:.3g} %"
    return environment.get_template("record.html")
