"""Routes under /admin/v1/session and /admin/v1/oidc: signing in and out, and who is signed in."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from server.access.events import note
from server.access.oidc import WAY_SECONDS, Oidc
from server.access.principal import Principal, Role, principal_of
from server.access.sessions import Session, drop_cookie, is_https, set_cookie
from server.access.who import Who
from server.admin.faults import off_loop
from server.documented import ALWAYS, documented
from server.errors import ApiError

_WAY = "letheward_oidc"
_WAY_PATH = "/admin/v1/oidc"
# Not a redirect: the browser came from another site, and would not bring a strict cookie to where it is sent on.
_SIGNED_IN = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Letheward</title>'
    '<meta http-equiv="refresh" content="0;url=/ui"><p><a href="/ui">You are signed in.</a></p></html>'
)


class SignIn(BaseModel):
    """A key to sign in with."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(min_length=1, max_length=1000)


class PrincipalOut(BaseModel):
    """Who is signed in. ``lists``: patterns of the lists that they may manage; empty: all."""

    id: str
    name: str
    role: Role
    lists: list[str]


class SessionOut(BaseModel):
    """A session; both are null for who brings a key. ``csrf`` goes into ``X-CSRF-Token`` of every change."""

    principal: PrincipalOut
    csrf: str | None
    expires_at: datetime | None


class OidcOut(BaseModel):
    """Whether one can sign in by OpenID Connect, and where."""

    issuer: str | None
    login: str | None


def session_router(who: Who, *, seconds: int) -> APIRouter:
    """Sign-in with a key, for ``seconds``."""
    router = APIRouter(prefix="/admin/v1", tags=["session"], responses=documented(*ALWAYS))

    @router.post("/session", status_code=201, response_model=SessionOut, responses=documented(403, 413))
    async def sign_in(given: SignIn, request: Request) -> Response:
        """Sign in with a key: the answer sets a cookie."""
        if request.headers.get("sec-fetch-site") == "cross-site":
            raise ApiError(403, "Another site sent this request.", type="permission_error", code="csrf_failed")
        principal = await who.signs_in(given.key, request)
        session = Session.begin(seconds, key_id=principal.id)
        await off_loop(partial(note, who.known.store, principal.by(), "session.start", f"session {session.id}"))
        told = _told(who, principal, session)
        response = JSONResponse(told.model_dump(mode="json"), status_code=201)
        set_cookie(response, request, who.sessions.seal(session), seconds)
        return response

    @router.get("/session", responses=documented(403))
    async def who_am_i(request: Request) -> SessionOut:
        """Who is signed in, or whose key this is."""
        return _told(who, principal_of(request), getattr(request.state, "session", None))

    @router.delete("/session", status_code=204, responses=documented(403))
    async def sign_out(request: Request) -> Response:
        """Sign out: the session ends here at once, in every other worker within a second."""
        session = getattr(request.state, "session", None)
        response = Response(status_code=204)
        if session is not None:
            by = principal_of(request).by()
            await off_loop(partial(note, who.known.store, by, "session.end", f"session {session.id}"))
            await off_loop(who.known.read)
            drop_cookie(response, request)
        return response

    return router


def oidc_router(who: Who, oidc: Oidc | None, *, seconds: int, public_url: str | None) -> APIRouter:
    """Sign-in by OpenID Connect. ``public_url``: how browsers come here, where the request does not tell."""
    router = APIRouter(prefix="/admin/v1/oidc", tags=["session"], responses=documented(*ALWAYS))

    def way_back(request: Request) -> str:
        base = public_url or f"{request.scope['scheme']}://{request.headers.get('host', '')}"
        return f"{base.rstrip('/')}{_WAY_PATH}/callback"

    @router.get("")
    async def offered() -> OidcOut:
        """Whether one can sign in by OpenID Connect, and where."""
        return OidcOut(issuer=oidc.config.issuer if oidc else None, login=f"{_WAY_PATH}/login" if oidc else None)

    @router.get("/login", status_code=302, response_class=RedirectResponse, responses=documented(404, 503))
    async def login(request: Request) -> Response:
        """Send the browser to the provider."""
        url, kept = await _there(oidc).begin(way_back(request))
        response = RedirectResponse(url, status_code=302)
        response.set_cookie(
            _WAY, kept, max_age=WAY_SECONDS, path=_WAY_PATH, httponly=True, samesite="lax", secure=is_https(request)
        )
        return response

    @router.get("/callback", response_class=HTMLResponse, responses=documented(401, 403, 404, 503))
    async def callback(request: Request) -> Response:
        """Take the browser back from the provider, and sign in."""
        kept = request.cookies.get(_WAY, "")
        person = await _there(oidc).finish(dict(request.query_params), kept, way_back(request))
        told = {"id": person.id, "name": person.name, "role": person.role, "issuer": person.issuer}
        session = Session.begin(seconds, person=told)
        by = Principal(person.id, person.name, person.role).by()
        await off_loop(partial(note, who.known.store, by, "session.start", f"session {session.id}", {"by": "oidc"}))
        response = HTMLResponse(_SIGNED_IN, headers={"content-security-policy": "default-src 'none'"})
        response.delete_cookie(_WAY, path=_WAY_PATH, httponly=True, samesite="lax", secure=is_https(request))
        set_cookie(response, request, who.sessions.seal(session), seconds)
        return response

    return router


def _there(oidc: Oidc | None) -> Oidc:
    if oidc is None:
        raise ApiError(404, "Sign-in by OpenID Connect is not set up: set oidc_issuer.", code="no_oidc")
    return oidc


def _told(who: Who, principal: Principal, session: Session | None) -> SessionOut:
    shown = PrincipalOut(id=principal.id, name=principal.name, role=principal.role, lists=list(principal.lists))
    if session is None:
        return SessionOut(principal=shown, csrf=None, expires_at=None)
    ends = datetime.fromtimestamp(session.ends, UTC)
    return SessionOut(principal=shown, csrf=who.sessions.csrf(session), expires_at=ends)
