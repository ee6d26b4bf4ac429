"""Sign-in by OpenID Connect, against a provider on a real port that checks PKCE."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from pydantic import SecretStr, ValidationError

from guard.store import Store
from server.access.oidc import OidcConfig, is_safe
from server.access.setup import AccessConfig, access_config
from server.settings import Settings
from tests.server.access.conftest import ADMIN_KEY, V1, Door, application
from tests.server.access.provider import CLIENT_ID, CLIENT_SECRET, Provider, new_key
from tests.server.access.provider import application as provider_application
from tests.server.conftest import running

ROLES = {"lethe-admins": "admin", "lethe-operators": "operator", "auditors": "auditor"}


@pytest.fixture
def provider() -> Provider:
    found = Provider()
    found.claims["groups"] = ["everyone", "lethe-operators"]
    return found


@pytest.fixture
def front(provider: Provider, tmp_path: Path) -> Iterator[Door]:
    with opened(provider, tmp_path) as door:
        yield door


@contextmanager
def opened(provider: Provider, folder: Path, **settings: Any) -> Iterator[Door]:
    store = Store.open(f"sqlite:///{folder}/oidc.db")
    with running(provider_application(provider)) as issuer:
        provider.issuer = provider.issuer or issuer
        config = OidcConfig(issuer, CLIENT_ID, CLIENT_SECRET, roles=ROLES, **settings)  # type: ignore[arg-type]
        with running(application(store, AccessConfig(ADMIN_KEY, oidc=config))) as url:
            yield Door(url, store)
    store.close()


def sign_in(browser: httpx.Client) -> httpx.Response:
    """As a browser does it, up to the answer of the way back."""
    return browser.get(f"{V1}/oidc/login", follow_redirects=True)


def refused(front: Door) -> tuple[int, str]:
    with front.client() as browser:
        response = sign_in(browser)
        assert "letheward_session" not in browser.cookies
        return response.status_code, response.json()["error"]["code"]


def test_a_person_signs_in_and_works_in_the_role_of_the_group(front: Door) -> None:
    with front.client() as browser:
        assert browser.get(f"{V1}/oidc").json()["login"] == f"{V1}/oidc/login"
        response = sign_in(browser)
        assert (response.status_code, response.url.path) == (200, f"{V1}/oidc/callback")
        assert "url=/ui" in response.text
        told = browser.get(f"{V1}/session").json()
        assert (told["principal"]["name"], told["principal"]["role"]) == ("ann", "operator")
        assert browser.put(f"{V1}/lists/a", headers={"X-CSRF-Token": told["csrf"]}).status_code == 200
        assert browser.put(f"{V1}/lists/a").status_code == 403
        assert browser.get(f"{V1}/audit").status_code == 403
    with front.client(ADMIN_KEY) as admin:
        (event,) = admin.get(f"{V1}/audit").json()["events"]
    assert (event["actor"], event["action"], event["detail"]) == ("ann", "session.start", {"by": "oidc"})


def test_of_several_groups_the_strongest_role_holds(front: Door, provider: Provider) -> None:
    provider.claims["groups"] = ["auditors", "lethe-admins", "lethe-operators"]
    with front.client() as browser:
        sign_in(browser)
        assert browser.get(f"{V1}/session").json()["principal"]["role"] == "admin"


@pytest.mark.parametrize("groups", [None, [], ["everyone"], "Lethe-Admins", [["lethe-admins"]], {"lethe-admins": 1}, 5])
def test_who_is_in_no_group_that_counts_stays_out(front: Door, provider: Provider, groups: object) -> None:
    provider.claims["groups"] = groups
    assert refused(front) == (403, "no_role")


WRONG: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"}, "another audience": {"aud": "other"},
    "another nonce": {"nonce": "x"}, "no nonce": {"nonce": None}, "expired": {"exp": int(time.time()) - 1000},
    "no end": {"exp": None}, "no subject": {"sub": None}, "for another application": {"azp": "other"},
    "from the future": {"iat": int(time.time()) + 100_000},
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_a_token_that_is_not_for_this_sign_in_is_refused(front: Door, provider: Provider, kind: str) -> None:
    provider.token = WRONG[kind]
    assert refused(front) == (401, "oidc_refused")


def test_a_token_signed_by_another_is_refused(front: Door, provider: Provider) -> None:
    provider.signs_with = new_key()
    assert refused(front) == (401, "oidc_refused")


def test_a_token_signed_with_the_public_key_as_a_secret_or_not_at_all_is_refused(
    front: Door, provider: Provider
) -> None:
    claims = {"iss": provider.issuer, "aud": CLIENT_ID, "sub": "u1", "groups": ["lethe-admins"],
              "iat": int(time.time()), "exp": int(time.time()) + 300}  # fmt: skip
    for forged in (jwt.encode(claims, None, "none"), jwt.encode(claims, "x" * 40, "HS256", headers={"kid": "k1"}), "x"):
        provider.forged = forged
        assert refused(front) == (401, "oidc_refused")


def test_new_keys_of_the_provider_are_found_and_unknown_ones_do_not_make_it_busy(
    front: Door, provider: Provider
) -> None:
    provider.header = {"kid": "made-up"}
    for _ in range(5):
        assert refused(front) == (401, "oidc_refused")
    assert provider.looks == 1
    provider.header = {}
    with front.client() as browser:
        assert sign_in(browser).status_code == 200


def test_the_way_back_is_for_the_browser_that_went_and_once(front: Door) -> None:
    with front.client() as browser, front.client() as victim:
        there = browser.get(f"{V1}/oidc/login")
        assert "code_challenge=" in there.headers["location"]
        back = httpx.get(there.headers["location"], timeout=30).headers["location"]
        # Somebody else's browser is sent the way back of an attacker: it did not begin it.
        assert victim.get(back).json()["error"]["code"] == "oidc_state"
        victim.get(f"{V1}/oidc/login")
        assert victim.get(back).json()["error"]["code"] == "oidc_state"
        assert browser.get(back.replace("state=", "state=x")).status_code == 400
        kept = dict(browser.cookies)
        assert browser.get(back).status_code == 200
        assert browser.get(back).status_code == 400  # what it kept is gone
        with front.client(cookies=kept) as again:
            assert again.get(back).json()["error"]["code"] == "oidc_refused"  # the code was used


def test_a_refusal_or_another_providers_answer_signs_nobody_in(front: Door) -> None:
    with front.client() as browser:
        there = browser.get(f"{V1}/oidc/login").headers["location"]
        state = httpx.URL(there).params["state"]
        for told in ({"error": "access_denied"}, {"code": "x", "iss": "https://evil.example"}, {"code": "made-up"}):
            response = browser.get(f"{V1}/oidc/callback", params={"state": state} | told)
            assert (response.status_code, response.json()["error"]["code"]) == (401, "oidc_refused")


def test_a_session_of_another_provider_does_not_hold(front: Door, provider: Provider, tmp_path: Path) -> None:
    with front.client() as browser:
        sign_in(browser)
        cookies = {"letheward_session": browser.cookies["letheward_session"]}
    (tmp_path / "other").mkdir()
    with opened(Provider(), tmp_path / "other") as other, other.client(cookies=cookies) as thief:
        assert thief.get(f"{V1}/session").status_code == 401


def test_a_provider_that_is_another_or_away_is_said_to_be(tmp_path: Path) -> None:
    with opened(Provider(issuer="https://another.example"), tmp_path) as front:
        assert refused(front) == (503, "oidc_away")
    config = OidcConfig("http://127.0.0.1:9", CLIENT_ID, None, roles={"a": "admin"})
    store = Store.open(f"sqlite:///{tmp_path}/away.db")
    with running(application(store, AccessConfig(ADMIN_KEY, oidc=config))) as url:
        assert refused(Door(url, store)) == (503, "oidc_away")
    store.close()


def test_without_a_provider_there_is_none(door: Door) -> None:
    assert refused(door) == (404, "no_oidc")
    with door.client() as client:
        assert client.get(f"{V1}/oidc").json() == {"issuer": None, "login": None}


def test_an_address_counts_where_the_provider_has_verified_it(provider: Provider, tmp_path: Path) -> None:
    provider.claims |= {"email": "auditors", "email_verified": False}
    with opened(provider, tmp_path, claim="email") as front:
        assert refused(front) == (403, "no_role")
        provider.claims["email_verified"] = True
        with front.client() as browser:
            assert sign_in(browser).status_code == 200


def test_a_claim_may_be_inside_another(provider: Provider, tmp_path: Path) -> None:
    provider.claims["realm_access"] = {"roles": ["lethe-admins"]}
    with opened(provider, tmp_path, claim="realm_access.roles") as front, front.client() as browser:
        sign_in(browser)
        assert browser.get(f"{V1}/session").json()["principal"]["role"] == "admin"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://id.example/x", True), ("http://127.0.0.1:80/x", True), ("http://[::1]/x", True),
        ("http://localhost/x", True), ("http://id.example/x", False), ("http://127.0.0.1.evil.example/", False),
        ("ftp://localhost/", False), ("https:///x", False), ("", False), ("http://[bad/", False),
    ],
)  # fmt: skip
def test_providers_are_asked_by_https_alone(url: str, safe: bool) -> None:
    assert is_safe(url) is safe


OIDC = {"oidc_issuer": "https://id.example", "oidc_client_id": "letheward", "oidc_roles": {"admins": "admin"}}


def test_the_settings_make_the_provider() -> None:
    made = access_config(Settings(**OIDC, oidc_client_secret=SecretStr("s"), requests_per_minute=5), ADMIN_KEY)
    assert made.oidc == OidcConfig("https://id.example", "letheward", "s", "groups", {"admins": "admin"})
    assert made.allowance.requests_per_minute == 5
    assert access_config(Settings(), ADMIN_KEY).oidc is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"oidc_issuer": "http://id.example"}, {"oidc_issuer": "id.example"}, {"oidc_client_id": None},
        {"oidc_roles": {}}, {"oidc_roles": {"x": "client"}}, {"oidc_roles": {"x": "root"}},
        {"public_url": "http://proxy.example"}, {"oidc_issuer": "http://localhost.evil.example"},
    ],
)  # fmt: skip
def test_settings_that_let_in_nobody_or_anybody_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**OIDC | wrong)
