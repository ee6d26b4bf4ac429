"""Whom each route of the whole application is for, asked of the routes themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx
import pytest
from pydantic import SecretStr

from guard.model import SYSTEM, ForgetList
from server.access.keystore import KeyStore
from server.access.principal import ROLES, Role
from server.access.roles import TABLE, Rule, names_of
from server.assembly import Parts, assemble
from server.settings import Settings
from server.upstream import Endpoint, Upstream
from tests.server.access.conftest import ADMIN_KEY

NOBODY, SCOPED = "nobody", "scoped operator"


@dataclass
class Whole:
    """The application as `letheward serve` makes it, before a model server that is away, and a key of each kind."""

    parts: Parts
    keys: dict[str, str | None]


def _away(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    folder = tmp_path_factory.mktemp("whole")
    settings = Settings(cache_dir=folder, admin_key=SecretStr(ADMIN_KEY), encoder="minilm-int8", learning=False)
    upstream = Upstream(
        lambda: Endpoint("http://127.0.0.1:9", None), connect_timeout=1, read_timeout=1,
        transport=httpx.MockTransport(_away),  # the real one belongs to one event loop, and each test has its own
    )  # fmt: skip
    parts = assemble(settings, upstream, None)
    parts.manager.change(lambda store: store.put_list(ForgetList("mine")))
    made = KeyStore(parts.manager.store)
    keys: dict[str, str | None] = {role: made.create(role, {"name": role}, SYSTEM)[1] for role in ROLES}
    keys[SCOPED] = made.create("operator", {"name": "some", "lists": ["mine"]}, SYSTEM)[1]
    parts.app.state.access.who.known.read()
    yield Whole(parts, keys | {NOBODY: None})
    parts.manager.close()


@pytest.fixture
async def client(whole: Whole) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(whole.parts.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://proxy", timeout=60) as client:
        yield client


def _routes(whole: Whole) -> list[str]:
    return sorted({name for route in whole.parts.app.routes for name in names_of(route)})


def test_every_route_has_a_row_and_every_row_a_route(whole: Whole) -> None:
    assert set(_routes(whole)) == set(TABLE)


def _refused(rule: Rule, path: str, who: str) -> set[int]:
    """What somebody is answered who may not; nothing where they may."""
    if rule.kind == "open":
        return set()
    if who == NOBODY:
        return {401}
    role: Role = "operator" if who == SCOPED else who  # type: ignore[assignment]
    if role not in rule.roles:
        return {401} if role == "client" else {403}
    elsewhere = rule.kind == "staff" and not rule.own and "/lists/mine" not in path
    return {403} if who == SCOPED and elsewhere else set()


@pytest.mark.parametrize("who", [NOBODY, SCOPED, *ROLES])
async def test_every_route_is_for_whom_its_row_says(whole: Whole, client: httpx.AsyncClient, who: str) -> None:
    key = whole.keys[who]
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    wrong = {}
    for name in _routes(whole):
        method, path = name.split(" ", 1)
        path = path.replace("{name}", "mine").replace("{", "").replace("}", "").replace("*", "none")
        expected = _refused(TABLE[name], path, who)
        if (not expected and TABLE[name].kind != "client" and method != "GET") or path.endswith("/live"):
            continue  # what they may do is tested where it is; here it is not to be done
        status = (await client.request(method, path, headers=headers)).status_code
        unwanted = {401} if who == SCOPED and TABLE[name].own else {401, 403}  # such a handler may refuse by itself
        if (status in unwanted) if not expected else (status not in expected):
            wrong[name] = (status, expected)
    assert wrong == {}


async def test_a_key_for_some_lists_reaches_no_other_by_any_route(whole: Whole, client: httpx.AsyncClient) -> None:
    for name in _routes(whole):
        method, path = name.split(" ", 1)
        if "{name}" not in path:
            continue
        for other in ("other", "mine2", "Mine", "mine%2Fx", "..%2Fmine"):
            where = path.replace("{name}", other).replace("{", "").replace("}", "")
            response = await client.request(method, where, headers={"Authorization": f"Bearer {whole.keys[SCOPED]}"})
            assert response.status_code in (403, 404), where
            if "%2F" not in other:
                assert response.json()["error"]["code"] == "list_not_allowed"


@pytest.mark.parametrize(
    "path",
    [
        "/admin/v1/lists/", "//admin/v1/lists", "/admin/v1/../v1/lists", "/ADMIN/v1/lists", "/admin/v1/lists;x",
        "/admin/v1%2flists", "/ui/static/../../admin/v1/lists",
    ],
)  # fmt: skip
async def test_no_spelling_of_a_path_gets_round_the_gate(client: httpx.AsyncClient, path: str) -> None:
    request = client.build_request("GET", "http://proxy/")
    request.url = httpx.URL("http://proxy", raw_path=path.encode())
    assert (await client.send(request)).status_code in (401, 404)
