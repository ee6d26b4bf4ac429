"""A small OpenID Connect provider: discovery, authorization with PKCE, tokens signed with a key of its own.

It checks what a provider has to check, so that a flow that forgets the verifier or reuses a code fails here.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

CLIENT_ID, CLIENT_SECRET = "letheward", "a secret: with + signs"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Provider:
    """What it says of the person who signs in, and how it misbehaves."""

    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "u1", "preferred_username": "ann"})
    key: rsa.RSAPrivateKey = field(default_factory=new_key)
    kid: str = "k1"
    issuer: str = ""
    token: dict[str, Any] = field(default_factory=dict)  # claims put over the right ones; None: left out
    header: dict[str, Any] = field(default_factory=dict)
    forged: str | None = None  # an id token in place of the right one
    signs_with: rsa.RSAPrivateKey | None = None  # another key than it shows
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    looks: int = 0  # at its keys

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        right = {"iss": self.issuer, "aud": asked["client_id"], "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims = {k: v for k, v in (right | self.claims | self.token).items() if v is not None}
        return jwt.encode(claims, self.signs_with or self.key, "RS256", headers={"kid": self.kid} | self.header)


def application(provider: Provider) -> FastAPI:
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    async def described(request: Request) -> dict[str, Any]:
        base = str(request.base_url).rstrip("/")
        provider.issuer = provider.issuer or base
        return {
            "issuer": provider.issuer, "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token", "jwks_uri": f"{base}/keys",
        }  # fmt: skip

    @app.get("/keys")
    async def keys() -> dict[str, Any]:
        provider.looks += 1
        own = jwt.algorithms.RSAAlgorithm.to_jwk(provider.key.public_key(), as_dict=True)
        return {"keys": [own | {"kid": provider.kid, "use": "sig", "alg": "RS256"}]}

    @app.get("/authorize")
    async def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        right = asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
        if not right or asked["client_id"] != CLIENT_ID or "openid" not in asked["scope"].split():
            return JSONResponse({"error": "invalid_request"}, 400)
        code = secrets.token_urlsafe(16)
        provider.codes[code] = asked
        told = urlencode({"code": code, "state": asked["state"], "iss": provider.issuer})
        return RedirectResponse(f"{asked['redirect_uri']}?{told}", 302)

    @app.post("/token")
    async def token(request: Request) -> Response:
        body = {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
        asked = provider.codes.pop(body.get("code", ""), None)
        verifier = hashlib.sha256(body.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        given = base64.b64encode(f"{CLIENT_ID}:{'a%20secret%3A%20with%20%2B%20signs'}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {given}":
            return JSONResponse({"error": "invalid_client"}, 401)
        if asked is None or challenge != asked["code_challenge"] or body["redirect_uri"] != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        found = provider.forged or provider.id_token(asked)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": found})

    return app
