"""A model that the proxy alone asks: clients neither see it nor may ask it.

The guard's adapter is served beside the model that clients ask. A list can be for some models by name; under the
adapter's name nearly the same model would be there without the list.
"""

from __future__ import annotations

import orjson

from server.errors import ApiError
from server.surfaces import Body


def check_model(body: Body, hidden: str | None) -> None:
    """Refuse a request for the hidden model as the model server refuses one for a model that is not there.

    Raises:
        ApiError: 404.
    """
    if hidden is not None and body.get("model") == hidden:
        raise ApiError(404, f"The model `{hidden}` does not exist.", type="NotFoundError", param="model", code="404")


def without_hidden(content: bytes, hidden: str | None) -> bytes:
    """The answer of ``/v1/models`` without the hidden model; what is no such answer is left as it is."""
    if hidden is None:
        return content
    try:
        found = orjson.loads(content)
        found["data"] = [model for model in found["data"] if model["id"] != hidden]
    except (ValueError, KeyError, TypeError):
        return content
    return orjson.dumps(found)
