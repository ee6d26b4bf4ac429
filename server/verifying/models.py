"""The served model, as a record names it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import orjson

from guard.adapters import GUARD_MODEL
from guard.model import ForgetList
from server.errors import ApiError
from server.upstream import Upstream, read_whole
from server.upstream_faults import broken

# What vLLM says of a model that another one would not have in common with it; the rest is as old as the request.
_TELLING = ("id", "parent", "max_model_len", "owned_by")


@dataclass(frozen=True, slots=True)
class Served:
    """A model; ``state`` is another one when it is served from elsewhere, or by another version of its server."""

    id: str
    state: str
    server: str

    def plain(self) -> dict[str, Any]:
        """For the record."""
        return {"id": self.id, "state": self.state, "server": self.server}


async def served(upstream: Upstream, wanted: str | None, item: ForgetList) -> Served:
    """The model ``wanted``, else the first that the list is for.

    Raises:
        ApiError: 400 where it is not served, 502 where the model server cannot say.
    """
    listed = await _read(upstream, "/v1/models")
    try:
        models = {str(m["id"]): m for m in listed["data"] if m["id"] != GUARD_MODEL}
    except (KeyError, TypeError) as error:
        raise _unreadable() from error
    fitting = [m for m in models if not item.models or any(fnmatchcase(m, pattern) for pattern in item.models)]
    if wanted is not None and wanted not in fitting:
        there = ", ".join(fitting) or "none"
        raise ApiError(400, f"The list is for no served model {wanted!r}; there is {there}.", param="model")
    if not fitting:
        raise ApiError(400, f"The list is for none of the served models: {', '.join(models) or 'none'}.", param="model")
    name = wanted or fitting[0]
    version = await _version(upstream)
    root = None if upstream.pool.several else models[name].get("root")  # each may have it in a folder of its own
    told = [{key: models[name].get(key) for key in _TELLING}, root, version]
    return Served(name, hashlib.sha256(orjson.dumps(told)).hexdigest()[:16], version)


async def _version(upstream: Upstream) -> str:
    """What the model server is, where it says so."""
    try:
        return f"vllm {(await _read(upstream, '/version'))['version']}"
    except (ApiError, KeyError, TypeError):
        return ""


async def _read(upstream: Upstream, path: str) -> Any:
    response = await upstream.send("GET", path)
    raw = await read_whole(response)
    try:
        if response.status_code == 200:
            return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    raise _unreadable()


def _unreadable() -> ApiError:
    return broken("The model server's list of models cannot be read.")
