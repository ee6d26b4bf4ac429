"""A small application behind the gate, on a store in each kind of database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from guard.store import Store
from server.access.principal import principal_of, reveals
from server.access.setup import AccessConfig, add_access
from server.app import add_error_shapes
from tests.server.conftest import running

ADMIN_KEY = "an-admin-key-that-somebody-chose-3h8x"
V1 = "/admin/v1"


@dataclass
class Door:
    """The running application, and those who use it."""

    url: str
    store: Store

    def client(self, key: str | None = None, headers: Mapping[str, str] | None = None, **options: Any) -> httpx.Client:
        own = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.url, headers=own | dict(headers or {}), timeout=30, **options)

    def make(self, role: str, name: str = "somebody", **settings: Any) -> dict[str, Any]:
        """A key, made over the API by the admin."""
        with self.client(ADMIN_KEY) as admin:
            response = admin.post(f"{V1}/keys", json={"name": name, "role": role, **settings})
            assert response.status_code == 201, response.text
            return dict(response.json())

    def status(self, method: str, path: str, key: str | None = None, **options: Any) -> int:
        with self.client(key) as client:
            return client.request(method, path, **options).status_code


def application(store: Store, config: AccessConfig) -> FastAPI:
    """Routes of which the real table of roles has rows."""
    app = FastAPI()
    add_access(app, store, config)
    add_error_shapes(app)

    def told(request: Request) -> dict[str, Any]:
        who = principal_of(request)
        return {"id": who.id, "name": who.name, "role": who.role, "tenant": who.tenant, "reveals": reveals(request)}

    app.add_api_route("/v1/models", told, methods=["GET"])
    app.add_api_route("/admin/v1/lists/{name}", told, methods=["GET", "PUT"])
    app.add_api_route("/admin/v1/check", told, methods=["POST"])
    app.add_api_route("/health", lambda: {"status": "ok"}, methods=["GET"])
    app.add_api_route("/forgotten", lambda: {"secret": 1}, methods=["GET"])
    return app


def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.02)


Open = Callable[..., Any]


@pytest.fixture
def open_door(store: Store) -> Open:
    """Starts the application with settings; to be used as a context."""

    @contextmanager
    def start(**settings: Any) -> Iterator[Door]:
        with running(application(store, AccessConfig(ADMIN_KEY, **settings))) as url:
            yield Door(url, store)

    return start


@pytest.fixture
def door(open_door: Open) -> Iterator[Door]:
    with open_door() as door:
        yield door
