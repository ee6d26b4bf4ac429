"""What the model server serves, asked now and then."""

from __future__ import annotations

import time

import orjson
import structlog

from server.dialects.served import Served
from server.errors import ApiError
from server.upstream import Upstream, read_whole

log = structlog.get_logger("letheward.served_models")

_KEPT = 300.0  # seconds


async def served_model(upstream: Upstream, wanted: str | None) -> str:
    """``wanted``, or the first model that is served.

    Raises:
        ApiError: 400 where it is not served, 502 to 504 where the model server does not say.
    """
    raw = await read_whole(await upstream.send("GET", "/v1/models"))
    try:
        served = [str(m["id"]) for m in orjson.loads(raw)["data"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ApiError(502, "The model server's list of models cannot be read.", type="server_error") from error
    if not served or (wanted is not None and wanted not in served):
        raise ApiError(
            400, f"The model {wanted!r} is not served; there is {', '.join(served) or 'none'}.", param="model"
        )
    return wanted or served[0]


class ServedModels:
    """The context length of each model."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._found: dict[str, Served] = {}
        self._until = 0.0

    async def served(self, model: str) -> Served:
        """What is known of ``model``; nothing where the model server does not say."""
        if time.monotonic() > self._until:
            try:
                response = await self._upstream.send("GET", "/v1/models")
                listed = orjson.loads(await read_whole(response)).get("data", [])
                self._found = {str(m["id"]): Served(m.get("max_model_len")) for m in listed}
                self._until = time.monotonic() + _KEPT
            except (ApiError, orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
                log.warning("models_unknown", error=type(error).__name__)
        return self._found.get(model, Served())
