"""What a model server fills into its answers where the client said nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Served:
    """The served model. ``max_model_len``: its context in tokens, as /v1/models tells it; None where unknown."""

    max_model_len: int | None = None
    temperature: float = 1.0
    top_p: float = 1.0
