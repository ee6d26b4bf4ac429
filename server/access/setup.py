"""Puts the gate before an application, and the routes for keys, sessions and the audit log into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import FastAPI

from guard.store import Store
from server.access.admission import Admission
from server.access.audit_routes import audit_router
from server.access.gate import Gate, Shape
from server.access.key_routes import key_router
from server.access.known_keys import KnownKeys
from server.access.limits import Allowance, Limits
from server.access.oidc import Oidc, OidcConfig
from server.access.roles import TABLE, Rule
from server.access.session_routes import oidc_router, session_router
from server.access.sessions import Sessions
from server.access.who import Who
from server.clients import Client
from server.settings import Settings

SESSION_SECONDS = 8 * 3600


@dataclass(frozen=True, slots=True)
class AccessConfig:
    """Who may come in. ``allowance`` is for keys without limits of their own, and for addresses without a key."""

    admin_key: str
    clients: tuple[Client, ...] = ()
    allowance: Allowance = field(default_factory=Allowance)
    session_seconds: int = SESSION_SECONDS
    oidc: OidcConfig | None = None
    public_url: str | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """What stands before an application, as far as it can be changed while that runs."""

    who: Who
    limits: Limits

    def change(self, config: AccessConfig) -> None:
        """Take over the clients and the default limits; the rest needs a start."""
        self.who.set_clients(config.clients)
        self.limits.default = config.allowance


def access_config(settings: Settings, admin_key: str) -> AccessConfig:
    """As the settings say."""
    clients = [Client(k.get_secret_value()) for k in settings.client_keys]
    clients += [Client(c.key.get_secret_value(), c.name, frozenset(c.may_choose)) for c in settings.clients]
    oidc = None
    if settings.oidc_issuer and settings.oidc_client_id:
        secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else None
        oidc = OidcConfig(
            settings.oidc_issuer, settings.oidc_client_id, secret, settings.oidc_claim, settings.oidc_roles
        )
    return AccessConfig(
        admin_key=admin_key,
        clients=tuple(clients),
        allowance=Allowance(settings.requests_per_minute, settings.concurrent_requests),
        session_seconds=settings.session_seconds,
        oidc=oidc,
        public_url=settings.public_url,
    )


def add_access(
    app: FastAPI,
    store: Store,
    config: AccessConfig,
    *,
    table: Mapping[str, Rule] = TABLE,
    shape: Shape = lambda _, error: error.response(),
    admission: Admission | None = None,
) -> Access:
    """Add both. ``table`` says whom each route is for; ``shape`` makes the answers of refused requests.

    ``admission``: how many of the clients' requests are taken on at a time; None: all.

    Raises:
        StoreError: the keys cannot be read.
    """
    known = KnownKeys(store, session_seconds=config.session_seconds)
    known.read()
    sessions = Sessions(config.admin_key)
    issuer = config.oidc.issuer if config.oidc else None
    who = Who(known, sessions, admin_key=config.admin_key, clients=config.clients, issuer=issuer)
    limits = Limits(config.allowance)
    app.add_middleware(Gate, routed=app, who=who, limits=limits, table=table, shape=shape, admission=admission)
    oidc = Oidc(config.oidc, sessions) if config.oidc else None
    app.include_router(session_router(who, seconds=config.session_seconds))
    app.include_router(oidc_router(who, oidc, seconds=config.session_seconds, public_url=config.public_url))
    app.include_router(key_router(known))
    app.include_router(audit_router(store))
    return Access(who, limits)
