"""POST /admin/v1/check: what the detector says of a text, or of the turns of a conversation, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Self

from anyio.to_thread import run_sync
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from classifiers.detector import Detector
from classifiers.types import DetectorError, TextTooLong
from classifiers.verdicts import plain
from guard.snapshot import SnapshotManager
from server.errors import ApiError

Text = Annotated[str, Field(max_length=1_000_000)]


class CheckIn(BaseModel):
    """A text to show to the detector, or the turns of a conversation in order."""

    model_config = ConfigDict(extra="forbid")

    text: Text | None = None
    turns: list[Text] | None = Field(None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.text is None) == (self.turns is None):
            raise ValueError("give either 'text' or 'turns'")
        return self


def add_check(router: APIRouter, manager: SnapshotManager) -> None:
    """The route."""

    @router.post("/check")
    async def check(given: CheckIn) -> dict[str, Any]:
        """What the detector says, with evidence."""
        snapshot = manager.current
        try:
            if given.turns is not None:
                found = await run_sync(conversation, snapshot.detector, given.turns)
            else:
                found = await run_sync(snapshot.detector.explain, given.text or "")
        except TextTooLong as error:
            raise ApiError(400, f"The text cannot be judged: {error}.", code="text_too_long") from error
        except DetectorError as error:
            raise ApiError(503, f"The detector failed: {error}", type="server_error", code="detector_failed") from error
        return {"revision": snapshot.revision} | found


def conversation(detector: Detector, turns: Sequence[str]) -> dict[str, Any]:
    """Each turn as if it stood alone, but with the verdicts that it has as one of these turns. Blocking."""
    together = detector.judge_turns(turns)
    told = []
    for turn, verdicts in zip(turns, together, strict=True):
        own = detector.explain(turn)
        told.append(own | {"flagged": bool(verdicts), "verdicts": [plain(v, turn) for v in verdicts]})
    return {"flagged": any(together), "turns": told}
