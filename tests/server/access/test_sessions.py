"""Sessions: what a browser gets, and what those try who want in without a key."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guard.store import Store
from server.access.sessions import COOKIE, Session, Sessions
from server.access.setup import AccessConfig
from server.clients import Client
from tests.server.access.conftest import ADMIN_KEY, V1, Door, Open, application, until
from tests.server.conftest import running


@contextmanager
def signed_in(door: Door, key: str = ADMIN_KEY) -> Iterator[tuple[httpx.Client, str]]:
    with door.client() as client:
        response = client.post(f"{V1}/session", json={"key": key})
        assert response.status_code == 201, response.text
        yield client, response.json()["csrf"]


def test_a_session_reads_and_changes_with_its_token(door: Door) -> None:
    with signed_in(door) as (client, csrf):
        told = client.get(f"{V1}/session").json()
        assert told["principal"] == {"id": "bootstrap", "name": "admin key", "role": "admin", "lists": []}
        assert told["csrf"] == csrf
        assert client.get(f"{V1}/lists/a").json()["role"] == "admin"
        assert client.put(f"{V1}/lists/a", headers={"X-CSRF-Token": csrf}).status_code == 200


def test_the_cookie_is_kept_from_scripts_and_other_sites(door: Door) -> None:
    with door.client() as client:
        response = client.post(f"{V1}/session", json={"key": ADMIN_KEY})
        by_https = client.post(
            f"{V1}/session", json={"key": ADMIN_KEY}, headers={"X-Forwarded-Proto": "https"}
        ).headers["set-cookie"]
    cookie = response.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert "Secure" in by_https.split("; ")
    assert response.headers["cache-control"] == "no-store"
    assert ADMIN_KEY not in cookie + response.text


def test_a_change_without_the_sessions_own_token_is_refused(door: Door) -> None:
    with signed_in(door) as (client, csrf), signed_in(door) as (_, foreign):
        for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": foreign}, {"X-CSRF-Token": csrf[:-1]},
                        {"X-CSRF-Token": csrf.upper()}, {"X-CSRF-Token": "\xe9"}):  # fmt: skip
            raw = {k: v.encode("latin-1") for k, v in headers.items()}
            response = client.put(f"{V1}/lists/a", headers=raw)
            assert (response.status_code, response.json()["error"]["code"]) == (403, "csrf_failed")
        cross = {"Sec-Fetch-Site": "cross-site"}
        assert client.get(f"{V1}/lists/a", headers=cross).status_code == 403
        assert client.put(f"{V1}/lists/a", headers=cross | {"X-CSRF-Token": csrf}).status_code == 403
        assert client.post(f"{V1}/session", json={"key": ADMIN_KEY}, headers=cross).status_code == 403
        assert client.delete(f"{V1}/session").status_code == 403


def test_a_wrong_key_beside_a_good_cookie_is_a_wrong_key(door: Door) -> None:
    with signed_in(door) as (client, csrf):
        headers = {"Authorization": "Bearer wrong", "X-CSRF-Token": csrf}
        assert client.get(f"{V1}/lists/a", headers=headers).status_code == 401


def test_a_cookie_does_not_ask_the_model(open_door: Open) -> None:
    with open_door(clients=(Client("k1"),)) as door, signed_in(door) as (client, _):
        assert client.get("/v1/models").status_code == 401


def test_who_signs_out_is_out_in_every_worker(door: Door, store: Store) -> None:
    with (
        signed_in(door) as (client, csrf),
        running(application(store, AccessConfig(ADMIN_KEY))) as url,
        httpx.Client(base_url=url, cookies=(stolen := dict(client.cookies)), timeout=30) as elsewhere,
        door.client(cookies=stolen) as thief,
    ):
        assert elsewhere.get(f"{V1}/lists/a").status_code == 200
        assert client.delete(f"{V1}/session", headers={"X-CSRF-Token": csrf}).status_code == 204
        assert COOKIE not in client.cookies
        assert thief.get(f"{V1}/lists/a").status_code == 401
        until(lambda: elsewhere.get(f"{V1}/lists/a").status_code == 401)
    with running(application(store, AccessConfig(ADMIN_KEY))) as url, httpx.Client(base_url=url, cookies=stolen) as new:
        assert new.get(f"{V1}/lists/a").status_code == 401  # one that starts later knows as well


def test_a_session_ends_with_its_key_and_has_its_lists(door: Door) -> None:
    made = door.make("operator", "Ann", lists=["a"])
    with signed_in(door, made["key"]) as (client, csrf):
        headers = {"X-CSRF-Token": csrf}
        assert [client.put(f"{V1}/lists/{name}", headers=headers).status_code for name in "ab"] == [200, 403]
        door.status("DELETE", f"{V1}/keys/{made['id']}", ADMIN_KEY)
        assert client.get(f"{V1}/lists/a").status_code == 401


def test_a_session_ends_after_its_time(open_door: Open) -> None:
    with open_door(session_seconds=1) as door:
        with signed_in(door) as (client, _):
            value = client.cookies[COOKIE]
        with door.client(cookies={COOKIE: value}) as keeps:
            until(lambda: keeps.get(f"{V1}/session").status_code == 401)


def test_another_admin_key_ends_all_sessions(door: Door, store: Store) -> None:
    with (
        signed_in(door) as (client, _),
        running(application(store, AccessConfig("another-key-of-26-letters-x"))) as url,
        httpx.Client(base_url=url, cookies=dict(client.cookies), timeout=30) as other,
    ):
        assert other.get(f"{V1}/lists/a").status_code == 401


@pytest.mark.parametrize("key", ["", "wrong", "client"])
def test_who_may_not_manage_signs_in_nowhere(door: Door, key: str) -> None:
    given = door.make("client")["key"] if key == "client" else key
    with door.client() as client:
        response = client.post(f"{V1}/session", json={"key": given})
        assert response.status_code == (400 if key == "" else 401)
        assert not client.cookies


def test_signing_in_and_out_is_in_the_audit_log(door: Door) -> None:
    with signed_in(door) as (client, csrf), door.client(ADMIN_KEY) as admin:
        client.delete(f"{V1}/session", headers={"X-CSRF-Token": csrf})
        told = admin.get(f"{V1}/audit").json()["events"]
    assert [e["action"] for e in told] == ["session.start", "session.end"]
    assert told[0]["target"] == told[1]["target"]


SEALED = Sessions("secret")
REAL = SEALED.seal(Session.begin(3600, key_id="bootstrap"))


def test_a_sealed_thing_for_one_purpose_is_none_for_another() -> None:
    assert SEALED.open(REAL) is not None
    assert SEALED.open(SEALED.sealed("oidc", {"i": "x", "k": "bootstrap", "p": None, "b": 0, "e": 2e10})) is None
    assert Sessions("other").open(REAL) is None
    assert SEALED.open(SEALED.seal(Session("x", "bootstrap", None, 0, time.time() - 1))) is None


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=300), st.binary(max_size=200).map(lambda b: base64.urlsafe_b64encode(b).decode())))
def test_no_made_up_cookie_opens(value: str) -> None:
    assert SEALED.open(value) is None


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(REAL) - 1), st.characters(codec="ascii"))
def test_no_changed_cookie_opens(at: int, letter: str) -> None:
    changed = REAL[:at] + letter + REAL[at + 1 :]
    found = SEALED.open(changed)
    # The last letters of base64 hold bits that nobody reads: then it is the same cookie.
    assert found is None or base64.urlsafe_b64decode(changed) == base64.urlsafe_b64decode(REAL)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=200))
def test_any_header_is_answered_and_opens_nothing(door: Door, value: str) -> None:
    raw = value.strip().encode("latin-1")
    for name in ("authorization", "x-api-key", "cookie", "x-letheward-admin-key"):
        given = {"authorization": b"Bearer x" + raw, "cookie": COOKIE.encode() + b"=" + raw}.get(name, raw)
        with door.client() as client:
            assert client.get(f"{V1}/lists/a", headers={name: given}).status_code in (401, 429)
