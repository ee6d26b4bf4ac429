"""How a list is to be verified, as requests and schedules say it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from guard.importer import EntryIn
from guard.verification.bounds import LEAST_CONFIDENCE
from guard.verification.kinds import KINDS

MOST_ANSWERS = 200_000
Text = Annotated[str, Field(min_length=1, max_length=4000)]


class VerifyOptions(BaseModel):
    """What a schedule keeps. ``samples`` are asked of every probe at each temperature above 0; at 0 one tells all."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(None, min_length=1, max_length=512, description="default the first that the list is for")
    tenant: str | None = Field(None, max_length=128, description="the client to ask as; default the list's first")
    most_entries: int = Field(20, ge=1, le=10_000, description="entries at most, drawn at random")
    kinds: list[str] = Field(default_factory=lambda: list(KINDS), min_length=1, max_length=64)
    per_kind: int = Field(2, ge=1, le=50, description="probes at most of each kind for each entry")
    samples: int = Field(3, ge=1, le=1000)
    temperatures: list[Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]] = Field(
        default_factory=lambda: [0.0, 1.0], min_length=1, max_length=5
    )
    max_tokens: int = Field(64, ge=1, le=2048)
    confidence: float = Field(0.95, ge=LEAST_CONFIDENCE, lt=1, allow_inf_nan=False)
    tolerance: float = Field(0.05, gt=0, lt=1, allow_inf_nan=False, description="leak probability that is tolerated")
    seed: int = Field(0, ge=0, lt=2**32)
    neighbours: list[Text] = Field(default_factory=list, max_length=1000, description="questions to be left alone")
    most_neighbours: int = Field(20, ge=0, le=1000)
    at_once: int = Field(8, ge=1, le=64, description="requests at the same time")
    texts: bool = Field(False, description="put probes and answers that tell into the record")

    @field_validator("kinds")
    @classmethod
    def _known(cls, values: list[str]) -> list[str]:
        unknown = [v for v in values if v not in KINDS]
        if unknown:
            raise ValueError(f"there is no kind {unknown[0]!r}; there are {', '.join(KINDS)}")
        return list(dict.fromkeys(values))

    @field_validator("temperatures")
    @classmethod
    def _distinct(cls, values: list[float]) -> list[float]:
        return list(dict.fromkeys(round(v, 3) for v in values))

    @model_validator(mode="after")
    def _bounded(self) -> VerifyOptions:
        if self.most_entries * len(self.kinds) * self.per_kind * self.draws > MOST_ANSWERS:
            raise ValueError(
                f"this could ask for more than {MOST_ANSWERS} answers: take fewer entries, probes or samples"
            )
        return self

    @property
    def draws(self) -> int:
        """Answers to each probe."""
        return sum(self.samples if t else 1 for t in self.temperatures)


class VerifyIn(VerifyOptions):
    """A verification that is to begin now.

    ``entries``: lines of the list with their texts, for a list that keeps none; they are used and not stored.
    """

    entry: str | None = Field(None, min_length=1, max_length=128, description="one entry's id; default the whole list")
    entries: list[EntryIn] = Field(default_factory=list, max_length=10_000)


class ScheduleIn(BaseModel):
    """When a list is to be verified again."""

    model_config = ConfigDict(extra="forbid")

    every_seconds: int = Field(86_400, ge=60, le=366 * 86_400)
    on_change: bool = Field(True, description="also soon after the list or the model changed")
    options: VerifyOptions = Field(default_factory=VerifyOptions)

    def settings(self) -> dict[str, Any]:
        """As the store keeps it."""
        return {"on_change": self.on_change, "options": self.options.model_dump(mode="json")}
