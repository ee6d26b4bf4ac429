"""Whatever schemathesis makes of the admin API's own schema, no answer is a 5xx, and faults have OpenAI's shape."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis import BaseSchema
from schemathesis.checks import not_a_server_error

from server.admin import admin_router
from server.replay import ReplayIn
from tests.server.conftest import ADMIN_KEY, House

AUTH = {"Authorization": f"Bearer {ADMIN_KEY}"}


@pytest.fixture
def api(house: House) -> BaseSchema:
    app = FastAPI()
    app.include_router(admin_router(house.manager, ADMIN_KEY, max_body_bytes=1_000_000))
    document = app.openapi()
    # These two read their body themselves, off the event loop, and so are not in FastAPI's schema.
    replay = ReplayIn.model_json_schema(ref_template="#/components/schemas/{model}")
    document["components"]["schemas"] |= replay.pop("$defs")
    _takes(document, "/admin/v1/replay", "application/json", replay)
    _takes(document, "/admin/v1/lists/{name}/import", "text/plain", {"type": "string"})
    return schemathesis.openapi.from_dict(document)


def _takes(document: dict[str, Any], path: str, kind: str, schema: dict[str, Any]) -> None:
    document["paths"][path]["post"]["requestBody"] = {"required": True, "content": {kind: {"schema": schema}}}


def test_no_operation_of_the_admin_api_fails(house: House, api: BaseSchema) -> None:
    operations = [result.ok() for result in api.get_all_operations()]
    assert len(operations) >= 13
    for operation in operations:  # not by schemathesis' pytest plugin, which does not know pytest 9

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy())
        def holds(case: schemathesis.Case) -> None:
            response = case.call(base_url=house.url, headers=AUTH)
            case.validate_response(response, checks=[not_a_server_error])
            if response.status_code >= 400:
                assert set(response.json()["error"]) == {"message", "type", "param", "code"}

        holds()
