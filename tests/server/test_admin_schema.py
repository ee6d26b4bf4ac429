"""Whatever schemathesis makes of the API's own document, no answer is a 5xx or other than the document says."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.server.conftest import ADMIN_KEY, House

AUTH = {"Authorization": f"Bearer {ADMIN_KEY}"}
ENDLESS = ("GET /admin/v1/live",)  # a stream that ends with the client
CHECKS: list[CheckFunction] = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
]  # fmt: skip


@pytest.fixture
def document(house: House) -> dict[str, Any]:
    found: dict[str, Any] = house.client.get("/admin/v1/openapi.json", headers=AUTH).json()
    return found


def test_every_operation_answers_as_the_document_says(house: House, document: dict[str, Any]) -> None:
    house.script.text = "It is not known."
    every = [result.ok() for result in schemathesis.openapi.from_dict(document).get_all_operations()]
    operations = [operation for operation in every if operation.label not in ENDLESS]
    assert len(operations) >= 40
    faults: list[str] = []
    # The sign-ins below bring many wrong keys, after which no key that somebody chose is looked at.
    made = house.client.post("/admin/v1/keys", headers=AUTH, json={"name": "schema", "role": "admin"}).json()["key"]
    for operation in operations:  # not by schemathesis' pytest plugin, which does not know pytest 9

        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(operation.as_strategy())
        def holds(case: schemathesis.Case) -> None:
            response = case.call(base_url=house.url, headers={"Authorization": f"Bearer {made}"})
            case.validate_response(response, checks=CHECKS)

        try:
            holds()
        except (FailureGroup, ExceptionGroup) as error:  # all operations are looked at before the test fails
            faults += [f"{operation.label}: {each}" for each in error.exceptions]
    assert not faults, "\n\n".join(faults)


def test_whatever_is_wrong_with_a_request_is_not_422(document: dict[str, Any]) -> None:
    answers = [op["responses"] for path in document["paths"].values() for op in path.values() if "responses" in op]
    assert not any("422" in found for found in answers)


def test_clients_and_admins_routes_are_in_the_document(document: dict[str, Any]) -> None:
    paths = set(document["paths"])
    assert {"/v1/chat/completions", "/v1/responses/{response_id}", "/v1/models"} <= paths
    assert {"/admin/v1/lists/{name}/entries/{entry_id}", "/admin/v1/rollback", "/admin/v1/lists/{name}/import"} <= paths
    chat = document["paths"]["/v1/chat/completions"]["post"]
    assert {"200", "400", "401", "413", "429", "503"} <= chat["responses"].keys()
