"""From what a request brings - a key, the admin key, a session's cookie - to whom it comes from."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import structlog
from starlette.requests import Request

from server.access.attempts import Attempts
from server.access.known_keys import KnownKeys
from server.access.principal import ANYONE, ROLES, Principal
from server.access.secret_keys import hash_of, is_generated
from server.access.sessions import COOKIE, CSRF_HEADER, Session, Sessions
from server.auth import ADMIN_HEADER, admin_key_needed, same
from server.clients import Client, client_key
from server.errors import ApiError

log = structlog.get_logger("letheward.access")

BOOTSTRAP = Principal("bootstrap", "admin key", "admin")
_READS = frozenset({"GET", "HEAD"})


class Who:
    """Knows the keys of the store, the admin key and the clients of the settings, and sessions.

    ``issuer``: of the persons whose sessions hold. Wrong keys are counted by address (``Attempts``); beyond that, no
    key that somebody chose is looked at from there. Keys that we made go on working: they are not to be guessed.
    """

    def __init__(
        self,
        known: KnownKeys,
        sessions: Sessions,
        *,
        admin_key: str,
        clients: Sequence[Client] = (),
        issuer: str | None = None,
        attempts: Attempts | None = None,
    ) -> None:
        self.known = known
        self.sessions = sessions
        self._issuer = issuer
        self._attempts = attempts or Attempts()
        self._admin = hash_of(admin_key)
        self._needs_key = False
        self._chosen: list[tuple[str, Principal]] = []
        self.set_clients(clients)

    def set_clients(self, clients: Sequence[Client]) -> None:
        """Put these in place of the clients of the settings. Once there were some, nobody asks without a key."""
        self._needs_key = self._needs_key or bool(clients)
        self._chosen = [(self._admin, BOOTSTRAP), *((hash_of(c.key), _principal(c)) for c in clients)]

    async def asks(self, request: Request) -> Principal | None:
        """Who asks the model: ``ANYONE`` where clients need no key, None where they do and this brings none.

        Where they need none, what they bring is looked up among the store's keys alone, and never counts as wrong.

        Raises:
            ApiError: 429 after many wrong keys.
        """
        await self.known.fresh()
        own, admin = client_key(request), request.headers.get(ADMIN_HEADER, "")
        if not (self._needs_key or self.known.has_clients):
            # What is not asked for is no attempt: it may be the upstream's, and many clients share an address.
            return self._kept(hash_of(own)) or self._kept(hash_of(admin)) or ANYONE
        return next(filter(None, (self.look_up(key, request) for key in (own, admin) if key)), None)

    async def manages(self, request: Request) -> Principal | None:
        """Who uses the admin API.

        Raises:
            ApiError: 429 after many wrong keys, 403 for a change in a session without its token.
        """
        await self.known.fresh()
        given = request.headers.get(ADMIN_HEADER, "") or client_key(request)
        return self.look_up(given, request) if given else self._in_session(request)

    async def brings_admin_key(self, request: Request) -> bool:
        """Whether a client's request has an admin's key beside its own."""
        given = request.headers.get(ADMIN_HEADER, "")
        try:
            found = self.look_up(given, request) if given else None
        except ApiError:
            return False
        return found is not None and found.role == "admin"

    async def signs_in(self, key: str, request: Request) -> Principal:
        """Whom a key opens a session for.

        Raises:
            ApiError: 401 for a wrong key or a client's, 429 after many.
        """
        await self.known.fresh()
        found = self.look_up(key, request, always=True)
        if found is None or found.role == "client":
            raise admin_key_needed()
        return found

    def look_up(self, key: str, request: Request, *, always: bool = False) -> Principal | None:
        """Whose key this is. ``always``: count a wrong one even if it came before."""
        digest = hash_of(key)
        if (kept := self._kept(digest)) is not None:
            return kept
        address = address_of(request)
        wait = 0 if is_generated(key) else self._attempts.wait(address)
        if wait:
            raise _too_many(wait)
        found = [principal for own, principal in self._chosen if hmac.compare_digest(own, digest)]
        if found:
            return found[0]
        if self._attempts.failed(address, digest, always=always):
            log.warning("wrong_key", address=address)
        return None

    def _kept(self, digest: str) -> Principal | None:
        """Whose key of the store has this hash."""
        kept = self.known.find(digest)
        return kept.principal() if kept is not None and hmac.compare_digest(kept.hash, digest) else None

    def _in_session(self, request: Request) -> Principal | None:
        session = self.sessions.open(request.cookies.get(COOKIE, ""))
        principal = None if session is None or self.known.ended(session.id) else self._of(session)
        if session is None or principal is None:
            return None
        if request.headers.get("sec-fetch-site") == "cross-site":
            raise _forged("Another site sent this request.")
        token = request.headers.get(CSRF_HEADER, "")
        if request.method not in _READS and not same(token, self.sessions.csrf(session)):
            raise _forged(f"Changes in a session need its token in '{CSRF_HEADER}': GET /admin/v1/session tells it.")
        request.state.session = session
        return principal

    def _of(self, session: Session) -> Principal | None:
        """Whom a session is for now: a key that was revoked, or another issuer's person, is nobody."""
        if session.key_id == BOOTSTRAP.id:
            return BOOTSTRAP
        if session.key_id is not None:
            key = self.known.get(session.key_id)
            return None if key is None or key.role == "client" else key.principal()
        person = session.person or {}
        role = next((r for r in ROLES if r == person.get("role") and r != "client"), None)
        if role is None or self._issuer is None or person.get("issuer") != self._issuer:
            return None
        return Principal(person["id"], person["name"], role)


def address_of(request: Request) -> str:
    """Where a request comes from; behind a proxy that uvicorn trusts, what that says."""
    return request.client.host if request.client else "unknown"


def _principal(client: Client) -> Principal:
    """A client of the settings."""
    return Principal(
        f"setting-{hash_of(client.key)[:12]}", client.name or "", "client",
        may_choose=client.may_choose, tenant=client.name,
    )  # fmt: skip


def _too_many(wait: int) -> ApiError:
    return ApiError(
        429,
        f"Too many wrong keys came from this address. Try again in {wait} s.",
        type="rate_limit_error",
        code="too_many_attempts",
        headers={"Retry-After": str(wait)},
    )


def _forged(message: str) -> ApiError:
    return ApiError(403, message, type="permission_error", code="csrf_failed")
