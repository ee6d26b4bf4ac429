"""Every operation of the API's own document, with what schemathesis makes of it, against the running process."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from benchmarks.hostile.case import Attack, hostile, shown

_EXAMPLES = 8  # of an operation
_ENDLESS = ("GET /admin/v1/live",)


@hostile("schemathesis: examples and their breaches for every operation")
async def fuzzed(attack: Attack) -> None:
    """As many requests to each; none may be the server's fault."""
    service = attack.house.service
    async with service.client() as client:
        document = (await client.get("/admin/v1/openapi.json")).raise_for_status().json()
        made = await client.post("/admin/v1/keys", json={"name": "schema", "role": "admin"})
    key = made.raise_for_status().json()["key"]
    for status, kind, content, name in await asyncio.to_thread(_requests, document, service.url, key):
        attack.note(shown(status, kind, content), name, content)
    await attack.house.prepare()  # lists were changed, rolled back and removed


def _requests(document: dict[str, Any], url: str, key: str) -> list[tuple[int, str, bytes, str]]:
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from schemathesis.core.result import Ok

    found: list[tuple[int, str, bytes, str]] = []
    read = schemathesis.openapi.from_dict(document).get_all_operations()
    operations = [result.ok() for result in read if isinstance(result, Ok)]
    for operation in operations:
        if operation.label in _ENDLESS:
            continue

        @seed(0)
        @settings(max_examples=_EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck),
                  phases=[Phase.generate])  # fmt: skip
        @given(operation.as_strategy())
        def sent(case: Any) -> None:
            try:
                answer = case.call(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60)
            except (httpx.HTTPError, OSError, ValueError):  # what no client can send
                return
            found.append(
                (answer.status_code, answer.headers.get("content-type", [""])[0], answer.content, case.operation.label)
            )

        sent()
    return found
