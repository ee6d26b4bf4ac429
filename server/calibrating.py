"""POST /admin/v1/lists/{name}/calibrate: a threshold for a false-positive rate, on an operator's own traffic."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from classifiers.calibrate import Calibration
from classifiers.fitting import Aim
from classifiers.types import DetectorError, TextTooLong
from guard.in_force import Snapshot
from guard.model import ForgetList
from guard.snapshot import SnapshotManager
from guard.store import Invalid, NotFound, StoreError
from server.documented import documented
from server.errors import ApiError
from server.list_name import ListName

MOST_TEXTS = 50_000


class CalibrateIn(BaseModel):
    """What to calibrate to, and texts that are to pass; without ``traffic`` ordinary prompts are made."""

    model_config = ConfigDict(extra="forbid")

    false_positive_rate: float = Field(0.005, gt=0, lt=1)
    recall_floor: float | None = Field(None, gt=0, le=1)
    traffic: list[Annotated[str, Field(min_length=1, max_length=20_000)]] = Field(
        default_factory=list, max_length=MOST_TEXTS
    )


class RateOut(BaseModel):
    """A share (``value``, null of nothing) with its 95 % interval."""

    hits: int
    n: int
    low: float
    high: float
    value: float | None


class CalibrationOut(BaseModel):
    """A threshold, and what it achieves. ``promised``: there were texts enough for the target."""

    threshold: float
    target: float
    calibrated_on: int
    promised: bool
    false_positives: RateOut
    recall: RateOut


class CalibratedOut(CalibrationOut):
    """The same of a list."""

    list_name: str = Field(serialization_alias="list")
    revision: int


class DetectionOut(BaseModel):
    """How a list is judged now."""

    scorer: str
    threshold: float
    calibration: CalibrationOut | None


def add_calibrate(router: APIRouter, manager: SnapshotManager) -> None:
    """The route."""

    @router.post("/lists/{name}/calibrate", response_model=CalibratedOut, responses=documented(404))
    async def calibrate(name: ListName, given: CalibrateIn) -> Response:
        """A threshold, and what it achieves on texts that had no part in choosing it. Nothing is changed."""
        aim = Aim(given.false_positive_rate, given.recall_floor)
        try:
            found = await run_sync(manager.calibrate, name, given.traffic, aim)
        except NotFound as error:
            raise ApiError(404, str(error).capitalize() + ".", code="not_found") from error
        except (Invalid, TextTooLong) as error:
            raise ApiError(400, str(error), code="invalid_request") from error
        except (StoreError, DetectorError) as error:
            raise ApiError(503, str(error), type="server_error", code="detector_failed") from error
        return JSONResponse({"list": name, "revision": manager.current.revision} | told(found))


def detection(item: ForgetList, snapshot: Snapshot) -> dict[str, Any]:
    """How a list is judged now: scorer, threshold, and what calibration found."""
    found = snapshot.calibrations.get(item.name) if item.threshold is None else None
    return {
        "scorer": snapshot.detector.setup.scorer_of(item.name).name,
        "threshold": snapshot.detector.threshold(item.name),
        "calibration": None if found is None else told(found),
    }


def told(found: Calibration) -> dict[str, Any]:
    """A calibration as values for JSON."""
    return {
        "threshold": found.threshold,
        "target": found.target,
        "calibrated_on": found.used,
        "promised": found.bounded,
        "false_positives": asdict(found.false_positives) | {"value": found.false_positives.share},
        "recall": asdict(found.recall) | {"value": found.recall.share},
    }
