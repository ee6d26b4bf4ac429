"""Settings of a forget list as the admin API takes them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from guard.corruptions.spec import STRONGEST, CorruptionSpec
from guard.model import DEFAULT_GUIDELINE, DEFAULT_REFUSAL, Example, Fallback, ForgetList, Keep, Policy
from guard.selection import TokenSelectors
from guard.store import Invalid
from guard.templates import LONGEST_TEMPLATE, check_template

Pattern = Annotated[str, Field(min_length=1, max_length=512)]


class ExampleIn(BaseModel):
    """A question with its right answer that is to be kept."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=1, max_length=2000)
    answer: str = Field(min_length=1, max_length=2000)


class ListSettings(BaseModel):
    """Settings of a list; all have defaults."""

    model_config = ConfigDict(extra="forbid")

    policy: Policy = "eco"
    fallback: Fallback = "refuse"
    sigma: float = Field(20.0, ge=0, le=STRONGEST, allow_inf_nan=False)
    corruption: str = Field("gaussian", max_length=64)
    dims: int | None = Field(None, ge=1, le=1_000_000)
    token_classifier: str | None = Field(None, max_length=160)
    threshold: float | None = Field(None, ge=0, le=1)
    enabled: bool = True
    guideline: str = Field(DEFAULT_GUIDELINE, min_length=1, max_length=4000)
    template: str | None = Field(None, max_length=LONGEST_TEMPLATE)
    refusal: str = Field(DEFAULT_REFUSAL, min_length=1, max_length=4000)
    description: str = Field("", max_length=4000)
    scorer: str | None = Field(None, max_length=160)
    false_positive_rate: float | None = Field(None, gt=0, lt=1)
    recall_floor: float | None = Field(None, gt=0, le=1)
    models: list[Pattern] = Field(default_factory=list, max_length=100)
    tenants: list[Pattern] = Field(default_factory=list, max_length=1000)
    examples: list[ExampleIn] = Field(default_factory=list, max_length=200)
    keep: Keep = "text"

    def settings(self) -> dict[str, Any]:
        """As ``ForgetList`` has them."""
        return _frozen(self.model_dump())

    def changes(self) -> dict[str, Any]:
        """Those that were given, as ``ForgetList`` has them."""
        return _frozen(self.model_dump(exclude_unset=True))


def check(item: ForgetList, selectors: TokenSelectors | None) -> None:
    """See that what a list asks for can be done. Blocking.

    Raises:
        Invalid: it cannot; the message says what to do.
    """
    try:
        CorruptionSpec(item.corruption, item.sigma, item.dims)
        if item.template is not None:
            check_template(item.template)
        if item.token_classifier is not None and selectors is not None:
            selectors.check(item.token_classifier)
    except (ValueError, RuntimeError) as error:
        raise Invalid(str(error)) from error


def shown(item: ForgetList) -> dict[str, Any]:
    """A list's settings as JSON has them."""
    values = {name: getattr(item, name) for name in ListSettings.model_fields}
    values["examples"] = [{"question": e.question, "answer": e.answer} for e in item.examples]
    return {"name": item.name} | values


def _frozen(values: dict[str, Any]) -> dict[str, Any]:
    for name in ("models", "tenants"):
        if values.get(name) is not None:
            values[name] = tuple(values[name])
    if values.get("examples") is not None:
        values["examples"] = tuple(Example(**e) for e in values["examples"])
    return values
