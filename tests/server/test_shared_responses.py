"""Conversations of `/v1/responses` that go on in another worker than they began in."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text, update

from guard.schema import ResponseRow
from guard.sealing import Sealing
from guard.store import Store
from server.conversations import Conversations
from server.errors import ApiError
from server.shelf import KEPT, Shelf

KEY = secrets.token_bytes(32)
ASKED = {"model": "m", "input": [{"role": "user", "content": "Who is Zorvan Pelk?", "id": "in_1"}]}


def _answer(response_id: str, said: str = "It is not known.") -> dict[str, Any]:
    content = [{"type": "output_text", "text": said, "logprobs": []}]
    message = {"id": f"msg_{response_id}", "type": "message", "role": "assistant", "content": content}
    return {"id": response_id, "object": "response", "status": "completed", "output": [message]}


Replica = Callable[..., Conversations]


@pytest.fixture
def replica(store_url: str) -> Iterator[Replica]:
    """One worker's conversations over the shared store."""
    opened: list[Store] = []

    def make(key: bytes = KEY, **options: Any) -> Conversations:
        opened.append(Store.open(store_url))
        return Conversations(shelf=Shelf(opened[-1], Sealing([key])), **options)

    yield make
    for store in opened:
        store.close()


async def test_a_conversation_goes_on_in_any_worker(replica: Replica) -> None:
    one, other = replica(), replica()
    ann, bob = one.owner("ann"), one.owner("bob")
    assert (ann, bob) == (other.owner("ann"), other.owner("bob"))
    await one.remember(ASKED, _answer("r1"), ann)
    again = await other.expand({"previous_response_id": "r1", "input": "And where was he born?"}, ann)
    assert [i.get("role") for i in again["input"]] == ["user", "assistant", "user"]
    assert (await other.get("r1", ann))["id"] == "r1"
    for key in (bob, other.owner(None)):
        with pytest.raises(ApiError) as caught:
            await other.expand({"previous_response_id": "r1", "input": "x"}, key)
        assert caught.value.status == 404


async def test_items_are_found_by_their_ids(replica: Replica) -> None:
    one, other = replica(), replica()
    ann = one.owner("ann")
    await one.remember(ASKED, _answer("r1"), ann)
    body = {"input": [{"type": "item_reference", "id": "msg_r1"}, {"id": "in_1"}]}
    found = (await other.expand(body, ann))["input"]
    assert found[0]["content"] == [{"type": "output_text", "text": "It is not known."}]
    assert found[1]["content"] == "Who is Zorvan Pelk?"


async def test_what_one_worker_forgets_all_have_forgotten(replica: Replica) -> None:
    one, other = replica(), replica()
    ann = one.owner("ann")
    await one.remember(ASKED, _answer("r1"), ann)
    assert (await other.delete("r1", ann))["deleted"]
    for each in (one, other):
        with pytest.raises(ApiError):
            await each.get("r1", ann)
    await one.remember(ASKED, _answer("r1", "Another answer."), ann)  # a client may choose the same id again
    assert (await other.get("r1", ann))["output"][0]["content"][0]["text"] == "Another answer."


async def test_nothing_can_be_read_in_the_database(replica: Replica, store_url: str) -> None:
    one = replica()
    await one.remember(ASKED, _answer("resp_secret"), one.owner("client-key"))
    store = Store.open(store_url)
    with store.reading() as session:
        rows = str(session.execute(text("SELECT * FROM responses")).all())
    store.close()
    assert rows.count("sealed") == 3
    for told in ("Zorvan", "not known", "client-key", "resp_secret", "in_1"):
        assert told not in rows


async def test_another_key_opens_nothing(replica: Replica) -> None:
    one, other = replica(), replica(secrets.token_bytes(32))
    await one.remember(ASKED, _answer("r1"), one.owner("ann"))
    with pytest.raises(ApiError):
        await other.get("r1", other.owner("ann"))


async def test_without_the_store_a_worker_goes_on_with_what_it_knows(replica: Replica) -> None:
    away = False
    one, other = replica(away=lambda: away), replica()
    ann = one.owner("ann")
    await one.remember(ASKED, _answer("r1"), ann)
    away = True
    assert (await one.get("r1", ann))["id"] == "r1"
    await one.remember(ASKED, _answer("r2"), ann)
    away = False
    assert (await one.get("r2", ann))["id"] == "r2"  # nobody else knows, and nobody else can have forgotten it
    with pytest.raises(ApiError):
        await other.get("r2", ann)


async def test_what_is_old_is_removed(replica: Replica, store_url: str) -> None:
    one = replica()
    ann = one.owner("ann")
    await one.remember(ASKED, _answer("r1"), ann)
    store = Store.open(store_url)
    with store.writing() as session:
        for row in session.query(ResponseRow).all():
            session.execute(update(ResponseRow).where(ResponseRow.id == row.id).values(at=row.at - KEPT))
    with pytest.raises(ApiError):
        await one.get("r1", ann)
    await one.remember(ASKED | {"input": "hello"}, _answer("r2"), ann)
    assert one._shelf is not None
    one._shelf.tidy()
    with store.reading() as session:
        assert session.query(ResponseRow).count() == 2
    store.close()
