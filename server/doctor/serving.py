"""What a model server says when it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

_KEY = "give the key that it was started with: LETHEWARD_UPSTREAM_KEY or LETHEWARD_GUARD_UPSTREAM_KEY"
_LOOK = 10.0  # seconds for an answer that takes no computing
_ANSWER = 120.0  # seconds for a token, of a server that may be busy


@dataclass(frozen=True, slots=True)
class Served:
    """A server's models. ``fault`` and ``todo``: why it could not be asked, and what to do about it."""

    url: str
    key: str | None
    models: tuple[str, ...] = ()
    clock: datetime | None = None
    fault: str = ""
    todo: str = ""


def ask_models(url: str, key: str | None, connect_timeout: float) -> Served:
    """What ``url`` answers to GET /v1/models."""
    try:
        response = _client(key, connect_timeout, _LOOK).get(f"{url}/v1/models")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        told = f"{url} cannot be reached: {error or type(error).__name__}"
        return Served(url, key, fault=told, todo="start it, or mend the URL; it is asked for without any HTTP proxy")
    clock = _clock(response.headers.get("date"))
    if response.status_code in (401, 403):
        told = f"{url} refuses the key (status {response.status_code})"
        return Served(url, key, clock=clock, fault=told, todo=_KEY)
    try:
        models = tuple(str(each["id"]) for each in response.raise_for_status().json()["data"])
    except (httpx.HTTPStatusError, ValueError, KeyError, TypeError):
        told = f"{url}/v1/models answers with status {response.status_code} and no list of models"
        return Served(url, key, clock=clock, fault=told, todo="give the URL of an OpenAI-compatible server")
    if not models:
        return Served(url, key, clock=clock, fault=f"{url} serves no model", todo="start it with a model")
    return Served(url, key, models, clock)


def post(server: Served, path: str, body: Mapping[str, Any], connect_timeout: float) -> Any:
    """What the server answers to a body.

    Raises:
        ValueError: it could not be asked, or refused; the message says what it said.
    """
    try:
        response = _client(server.key, connect_timeout, _ANSWER).post(server.url + path, json=dict(body))
        if response.is_error:
            raise ValueError(f"{path} answers with status {response.status_code}: {response.text[:200]}")
        return response.json()
    except httpx.HTTPError as error:
        raise ValueError(f"{path} does not answer: {error or type(error).__name__}") from error


def _client(key: str | None, connect: float, read: float) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(timeout=httpx.Timeout(read, connect=connect), trust_env=False, headers=headers)


def _clock(date: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(date).astimezone(UTC) if date else None
    except ValueError:
        return None
