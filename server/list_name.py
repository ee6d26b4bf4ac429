"""What a list may be called."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

NAME = r"^[\w.-]{1,128}$"
ListName = Annotated[str, Field(pattern=NAME)]
