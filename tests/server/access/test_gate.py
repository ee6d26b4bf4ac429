"""The gate: who tries keys, who sends them in URLs, who asks too much, and routes that nobody said anything of."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import StreamingResponse

from guard.store import Store
from server.access.attempts import Attempts
from server.access.limits import Allowance, Limits
from server.access.roles import TABLE, RouteWithoutRole, check_routes
from server.access.setup import AccessConfig, add_access
from server.clients import Client
from server.errors import ApiError
from tests.server.access.conftest import ADMIN_KEY, V1, Door, Open, application, until
from tests.server.conftest import running


def test_a_route_without_a_role_is_not_served(door: Door) -> None:
    for key in (None, ADMIN_KEY):
        assert door.status("GET", "/forgotten", key) == 403
    assert [door.status("GET", path) for path in ("/health", "/nothing")] == [200, 404]
    assert door.status("POST", "/health") == 405


def test_an_application_with_a_route_without_a_role_does_not_start() -> None:
    app = FastAPI(openapi_url=None)
    app.add_api_route("/health", lambda: 1)
    check_routes(app.routes, TABLE)
    app.add_api_route("/forgotten", lambda: 1, methods=["GET", "POST"])
    with pytest.raises(RouteWithoutRole, match="GET /forgotten, POST /forgotten"):
        check_routes(app.routes, TABLE)


@pytest.mark.parametrize("query", ["key={}", "api_key={}", "x={}", "access_token=x{}"])
def test_a_key_in_the_url_opens_nothing(door: Door, query: str) -> None:
    kept = door.make("admin")["key"]
    for key in (ADMIN_KEY, kept):
        response = httpx.get(f"{door.url}{V1}/lists/a?{query.format(key)}", timeout=30)
        assert response.status_code in (400, 401)
        if not query.startswith("x") or key == kept:
            assert response.json()["error"]["code"] == "key_in_url"
        assert key not in response.text
    # and with a good key in the header, ours in the URL is still one that logs have now
    assert door.status("GET", f"{V1}/lists/a?x={kept}", ADMIN_KEY) == 400


def test_bytes_in_the_query_that_are_no_text_are_no_fault(door: Door) -> None:
    assert door.status("GET", f"{V1}/lists/a?%ff=%fe", ADMIN_KEY) == 200
    host, port = door.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as raw:
        raw.sendall(b"GET /admin/v1/lists/a?\xff\xfe=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert raw.recv(100).split()[1] in (b"400", b"401")


def test_keys_are_not_tried_by_the_thousand(door: Door) -> None:
    with door.client() as client:
        headers = [{"Authorization": f"Bearer guess-{i}"} for i in range(30)]
        found = [client.get(f"{V1}/lists/a", headers=h) for h in headers]
        statuses = [r.status_code for r in found]
        assert statuses[:10] == [401] * 10
        assert statuses[-1] == 429
        assert int(found[-1].headers["retry-after"]) >= 1
        assert found[-1].json()["error"]["code"] == "too_many_attempts"
    # The right one among them would not have told itself.
    assert door.status("GET", f"{V1}/lists/a", ADMIN_KEY) == 429
    assert door.status("POST", f"{V1}/session", json={"key": ADMIN_KEY}) == 429
    assert door.status("GET", "/v1/models", "guess-31") == 200  # clients need no key here, and learn nothing
    with door.client("any", headers={"X-Letheward-Admin-Key": ADMIN_KEY}) as client:
        assert client.get("/v1/models").json()["reveals"] is False


def test_generated_keys_go_on_while_others_are_tried(door: Door) -> None:
    made = door.make("operator")
    for i in range(30):
        door.status("GET", f"{V1}/lists/a", f"guess-{i}")
    assert door.status("GET", f"{V1}/lists/a", made["key"]) == 200
    assert door.status("GET", f"{V1}/lists/a", made["key"][:-1] + "_") in (401, 429)


def test_keys_that_nobody_asks_for_are_no_attempts(door: Door) -> None:
    for i in range(30):  # clients of one address with the model server's own keys
        assert door.status("GET", "/v1/models", f"sk-{i}") == 200
    assert door.status("GET", f"{V1}/lists/a", ADMIN_KEY) == 200


def test_a_client_with_an_old_key_locks_nobody_out(open_door: Open) -> None:
    with open_door(clients=(Client("k1"),)) as door:
        with door.client("an-old-key") as client:
            assert {client.get("/v1/models").status_code for _ in range(40)} == {401}
        assert door.status("GET", "/v1/models", "k1") == 200


def test_a_sign_in_counts_each_time(door: Door) -> None:
    with door.client() as client:
        statuses = [client.post(f"{V1}/session", json={"key": "same"}).status_code for _ in range(15)]
    assert (statuses[0], statuses[-1]) == (401, 429)


def test_wrong_keys_are_counted_by_address_and_forgotten_with_time() -> None:
    now = [0.0]
    attempts = Attempts(burst=3, seconds=10, clock=lambda: now[0])
    for i in range(3):
        assert attempts.wait("10.0.0.1") == 0
        attempts.failed("10.0.0.1", str(i))
    assert (attempts.wait("10.0.0.1"), attempts.wait("10.0.0.2")) == (10, 0)
    now[0] = 10
    assert attempts.wait("10.0.0.1") == 0
    for i in range(3):
        attempts.failed(f"2001:db8::{i}", str(i))
    assert attempts.wait("2001:db8::ffff:1") > 0  # one host has a /64
    assert attempts.wait("2001:db8:0:1::1") == 0


def test_a_key_has_its_own_rate_and_is_told_what_is_left(door: Door) -> None:
    made = door.make("client", requests_per_minute=3)
    with door.client(made["key"]) as client:
        found = [client.get("/v1/models") for _ in range(4)]
        assert [r.status_code for r in found] == [200, 200, 200, 429]
        assert [r.headers["x-ratelimit-limit-requests"] for r in found] == ["3"] * 4
        assert [r.headers["x-ratelimit-remaining-requests"] for r in found] == ["2", "1", "0", "0"]
        assert found[0].headers["x-ratelimit-reset-requests"].endswith("s")
        assert 1 <= int(found[3].headers["retry-after"]) <= 20
        assert found[3].json()["error"]["code"] == "rate_limit_exceeded"
    assert door.status("GET", "/v1/models", door.make("client")["key"]) == 200


def test_without_keys_the_default_rate_is_by_address(open_door: Open) -> None:
    with open_door(allowance=Allowance(2)) as door:
        statuses = [door.status("GET", "/v1/models", f"any-{i}") for i in range(3)]
        assert statuses == [200, 200, 429]
        with door.client(headers={"X-Forwarded-For": "203.0.113.9"}) as elsewhere:
            assert elsewhere.get("/v1/models").status_code == 200


def test_a_bucket_fills_up_with_time() -> None:
    now = [0.0]
    limits = Limits(clock=lambda: now[0])

    def ask() -> bool:
        try:
            limits.enter("a", Allowance(60))
        except ApiError:
            return False
        limits.leave("a")
        return True

    assert [ask() for _ in range(61)] == [True] * 60 + [False]
    now[0] = 1.0
    assert [ask(), ask()] == [True, False]


def test_an_answer_counts_as_under_way_until_its_end(store: Store) -> None:
    release, begun = threading.Event(), threading.Event()
    app = FastAPI()
    add_access(app, store, AccessConfig(ADMIN_KEY, allowance=Allowance(None, 1)))

    def parts():  # type: ignore[no-untyped-def]
        yield b"a"
        begun.set()
        release.wait(20)
        yield b"b"

    app.add_api_route("/v1/models", lambda: StreamingResponse(parts()), methods=["GET"])
    with running(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        with client.stream("GET", "/v1/models") as first:
            assert begun.wait(20)
            refused = client.get("/v1/models")
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
            assert refused.json()["error"]["code"] == "concurrency_limit_exceeded"
            release.set()
            assert first.read() == b"ab"
        until(lambda: client.get("/v1/models").status_code == 200)


def test_requests_go_on_with_the_keys_known_last_while_the_store_is_away(tmp_path: Path) -> None:
    file, aside = tmp_path / "lists.db", tmp_path / "aside.db"
    store = Store.open(f"sqlite:///{file}")
    asked = {"json": {"name": "x", "role": "client"}}
    with running(application(store, AccessConfig(ADMIN_KEY))) as url:
        door = Door(url, store)
        made = door.make("operator")
        store.close()  # so that the file is opened again, which is away
        file.rename(aside)
        file.mkdir()
        until(lambda: door.status("POST", f"{V1}/keys", ADMIN_KEY, **asked) == 503)
        time.sleep(1.1)  # until what is known is old enough to be waited for
        assert door.status("GET", f"{V1}/lists/a", made["key"]) == 200
        assert door.status("GET", f"{V1}/lists/a", "wrong") == 401
        file.rmdir()
        aside.rename(file)
        until(lambda: door.status("POST", f"{V1}/keys", ADMIN_KEY, **asked) == 201)
        door.status("DELETE", f"{V1}/keys/{made['id']}", ADMIN_KEY)
        assert door.status("GET", f"{V1}/lists/a", made["key"]) == 401
    store.close()
