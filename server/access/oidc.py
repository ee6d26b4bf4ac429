"""Sign-in by OpenID Connect: the authorization code flow with PKCE (RFC 7636), state, nonce and a checked id token."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import jwt
import structlog

from server.access.principal import ROLES, Role
from server.access.sessions import Sessions
from server.auth import same
from server.errors import ApiError

log = structlog.get_logger("letheward.access")

WAY_SECONDS = 600  # from the way out to the way back
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_LEEWAY = 60  # seconds by which clocks may differ
_REMEMBERED = 3600.0  # seconds for which the provider's own description holds
_KEYS_AGAIN = 30.0  # seconds between two looks for a key that is not known
_LONGEST_NAME = 120  # characters


@dataclass(frozen=True, slots=True)
class OidcConfig:
    """The provider, and what of its ``claim`` makes somebody what: ``roles`` by the claim's values.

    A claim that is inside another is told with dots, as ``realm_access.roles``.
    """

    issuer: str
    client_id: str
    client_secret: str | None = None
    claim: str = "groups"
    roles: Mapping[str, Role] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in at the provider. ``id`` is made of issuer and subject."""

    id: str
    name: str
    role: Role
    issuer: str


class Oidc:
    """One provider. ``transport`` is for what is not to go over a socket."""

    def __init__(
        self, config: OidcConfig, sessions: Sessions, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.config = config
        self._sessions = sessions
        self._transport = transport
        self._described: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, jwt.PyJWKSet] | None = None

    async def begin(self, redirect_uri: str) -> tuple[str, str]:
        """Where to send the browser, and what it keeps meanwhile.

        Raises:
            ApiError: 503 where the provider does not answer.
        """
        provider = await self._provider()
        way = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(way["verifier"].encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code",
            "client_id": self.config.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid profile email",
            "state": way["state"],
            "nonce": way["nonce"],
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        where = provider["authorization_endpoint"]
        url = f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}"
        return url, self._sessions.sealed("oidc", way | {"ends": time.time() + WAY_SECONDS})

    async def finish(self, told: Mapping[str, str], kept: str, redirect_uri: str) -> Person:
        """Who came back. ``told``: the query of the way back; ``kept``: what the browser kept.

        Raises:
            ApiError: 400 where this is no way back that began here, 401 where the provider or its token says no,
                403 where the person has no role, 503 where the provider does not answer.
        """
        way = self._sessions.opened("oidc", kept)
        if way is None or way["ends"] < time.time() or not same(told.get("state", ""), way["state"]):
            raise ApiError(400, "This sign-in did not begin here, or took too long: begin again.", code="oidc_state")
        if "iss" in told and told["iss"] != self.config.issuer:  # RFC 9207
            raise _no("the answer is another provider's")
        if "code" not in told:
            raise _no("the provider refused")
        provider = await self._provider()
        token = await self._exchange(provider, told["code"], way["verifier"], redirect_uri)
        claims = await self._checked(provider, token, way["nonce"])
        return self._person(claims)

    def _person(self, claims: Mapping[str, Any]) -> Person:
        role = self._role(claims)
        if role is None:
            raise ApiError(
                403, f"You are signed in, but your {self.config.claim!r} gives you no role here: ask the operator.",
                type="permission_error", code="no_role",
            )  # fmt: skip
        subject = hashlib.sha256(f"{self.config.issuer} {claims['sub']}".encode()).hexdigest()[:16]
        name = str(claims.get("preferred_username") or claims.get("email") or claims.get("name") or claims["sub"])
        return Person(f"oidc-{subject}", name[:_LONGEST_NAME], role, self.config.issuer)

    def _role(self, claims: Mapping[str, Any]) -> Role | None:
        claim = self.config.claim
        if claim == "email" and claims.get("email_verified") is not True:
            return None
        found: Any = claims.get(claim)
        if found is None:
            found = claims
            for part in claim.split("."):
                found = found.get(part) if isinstance(found, Mapping) else None
        values = found if isinstance(found, list) else [found]
        given = {self.config.roles[v] for v in values if isinstance(v, str) and v in self.config.roles}
        return max(given, key=ROLES.index, default=None)

    async def _checked(self, provider: Mapping[str, Any], token: str, nonce: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in _ALGORITHMS:
                raise jwt.InvalidAlgorithmError("the algorithm is not one of signatures with a public key")
            key = await self._key(provider, header.get("kid"))
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=_ALGORITHMS, audience=self.config.client_id, issuer=self.config.issuer,
                leeway=_LEEWAY, options={"require": ["exp", "iat", "aud", "iss", "sub"]},
            )  # fmt: skip
        except jwt.PyJWTError as error:
            raise _no(f"its token does not hold ({type(error).__name__})") from error
        if not same(str(claims.get("nonce", "")), nonce):
            raise _no("its token is for another sign-in")
        if claims.get("azp", self.config.client_id) != self.config.client_id:
            raise _no("its token is for another application")
        return claims

    async def _key(self, provider: Mapping[str, Any], kid: str | None) -> jwt.PyJWK:
        for again in (False, True):
            age = float("inf") if self._keys is None else time.monotonic() - self._keys[0]
            if self._keys is None or age > _REMEMBERED or (again and age > _KEYS_AGAIN):
                self._keys = time.monotonic(), jwt.PyJWKSet.from_dict(await self._get(provider["jwks_uri"]))
            fitting = [k for k in self._keys[1].keys if k.public_key_use in (None, "sig")]
            found = [k for k in fitting if k.key_id == kid] if kid else fitting
            if len(found) == 1 or (found and kid):
                return found[0]
        raise jwt.InvalidKeyError("the provider has no such key")

    async def _exchange(self, provider: Mapping[str, Any], code: str, verifier: str, redirect_uri: str) -> str:
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": self.config.client_id,
        }
        secret, auth = self.config.client_secret, None
        if secret is not None and "client_secret_basic" in provider.get(
            "token_endpoint_auth_methods_supported", ["client_secret_basic"]
        ):
            auth = httpx.BasicAuth(quote(self.config.client_id, safe=""), quote(secret, safe=""))
        elif secret is not None:
            body["client_secret"] = secret
        answer = await self._send("POST", provider["token_endpoint"], data=body, auth=auth)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _no("it gave no id token")
        return token

    async def _provider(self) -> dict[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery)."""
        if self._described is None or time.monotonic() - self._described[0] > _REMEMBERED:
            found = await self._get(f"{self.config.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self.config.issuer:
                raise _away(f"{self.config.issuer} says that it is {found.get('issuer')!r}: check oidc_issuer")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not is_safe(str(found.get(name, ""))):
                    raise _away(f"its {name} is not https")
            self._described = time.monotonic(), found
        return self._described[1]

    async def _get(self, url: str) -> dict[str, Any]:
        return await self._send("GET", url)

    async def _send(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(timeout=10, transport=self._transport) as client:
                response = await client.request(method, url, headers={"accept": "application/json"}, **options)
            found = response.json() if response.is_success else None
        except (httpx.HTTPError, ValueError) as error:
            raise _away(type(error).__name__) from error
        if response.status_code >= 500 or (method == "GET" and not response.is_success):
            raise _away(f"{url} answers {response.status_code}")
        if not isinstance(found, dict):
            raise _no(f"it answers {response.status_code}")
        return found


def is_safe(url: str) -> bool:
    """Whether a URL of a provider is https, or does not leave this machine."""
    try:
        parts = urlsplit(url)
        if parts.scheme == "https":
            return bool(parts.hostname)
        local = parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
    return parts.scheme == "http" and local


def _no(why: str) -> ApiError:
    log.warning("oidc_refused", why=why)
    return ApiError(401, f"The sign-in failed: {why}.", type="authentication_error", code="oidc_refused")


def _away(why: str) -> ApiError:
    log.error("oidc_unavailable", why=why)
    return ApiError(503, "The sign-in provider does not answer as it should.", type="server_error", code="oidc_away")
