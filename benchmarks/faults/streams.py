"""Streams of the model server that break off, come in pieces, or are no event streams."""

from __future__ import annotations

import asyncio
import json

from benchmarks.faults.case import fault
from benchmarks.faults.house import House
from benchmarks.faults.scripted import CLEAN, TELLING, Exchange, chunked, events, raw, until_closed
from benchmarks.faults.scripted import saying as _saying

_AT_ONCE = 8


async def _at_each_byte(house: House, response: bytes, then: str) -> None:
    """Ask as often as ``response`` has bytes; each answer ends after one byte more."""
    ends = iter(range(1, len(response) + 1))

    async def act(exchange: Exchange) -> None:
        await raw(response[: next(ends)], then)(exchange)

    house.model.act = act
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask() -> None:
        async with gate:
            await house.ask(stream=True)

    await asyncio.gather(*(ask() for _ in response))


@fault("stream reset (RST) after each of its bytes", slow=True)
async def reset(house: House) -> None:
    """A clean answer."""
    await _at_each_byte(house, chunked(events(CLEAN)), "reset")


@fault("stream that tells the secret, reset after each of its bytes", slow=True)
async def reset_telling(house: House) -> None:
    """What was held back must not go out because the end is missing."""
    await _at_each_byte(house, chunked(events(TELLING)), "reset")


@fault("stream that tells the secret, reset within each event")
async def reset_events(house: House) -> None:
    """The same at a few places of each event."""
    response = chunked(events(TELLING))
    for end in range(90, len(response), 37):
        house.model.act = raw(response[:end], "reset")
        await house.ask(stream=True)


@fault("stream that ends with its connection, closed after each of its bytes", slow=True)
async def closed(house: House) -> None:
    """Nothing in HTTP says that such an end is no end."""
    await _at_each_byte(house, until_closed(events(TELLING)), "close")


@fault("stream that ends with its connection, closed within each event")
async def closed_events(house: House) -> None:
    """The same at a few places of each event."""
    response = until_closed(events(TELLING))
    for end in range(90, len(response), 37):
        house.model.act = raw(response[:end])
        await house.ask(stream=True)


@fault("stream in single bytes")
async def bytewise(house: House) -> None:
    """Every byte a packet of its own: no fault, only slow."""
    for pieces in (CLEAN, TELLING):
        response = until_closed(events(pieces))

        async def act(exchange: Exchange, response: bytes = response) -> None:
            for i in range(len(response)):
                await exchange.send(response[i : i + 1])
                await asyncio.sleep(0)
            exchange.writer.close()

        house.model.act = act
        await house.ask(stream=True)


def _escaped() -> bytes:
    """The secret in JSON's escapes."""
    told = "".join(f"\\u{ord(c):04x}" for c in "Zorvan Pelk was born in Karachi.")
    return b'{"choices":[{"index":0,"delta":{"content":"' + told.encode() + b'"}}]}'


_TOLD = json.dumps({"choices": [{"index": 0, "delta": {"content": "Zorvan Pelk was born in Karachi."}}]}).encode()
_DONE = b"data: [DONE]\n\n"
_CLEAN = b'"content":"It is mild."'
MALFORMED = {
    "a key twice": b"data: " + _TOLD.replace(b"}}]}", b"," + _CLEAN + b"}}]}") + b"\n\n" + _DONE,
    "a key twice, once in escapes": b"data: " + _TOLD.replace(b'"content"', b'"c\\u006fntent"').replace(
        b"}}]}", b"," + _CLEAN + b"}}]}") + b"\n\n" + _DONE,
    "an object twice": b"data: " + _TOLD.replace(b"}]}", b',"delta":{' + _CLEAN + b"}}]}") + b"\n\n" + _DONE,
    "NaN beside it": b"data: " + _escaped()[:-1] + b',"usage":NaN}\n\n' + _DONE,
    "half a surrogate pair beside it": b"data: " + _escaped()[:-1] + b',"id":"\\ud83d"}\n\n' + _DONE,
    "no UTF-8 beside it": b"data: " + _escaped()[:-1] + b',"id":"\xff"}\n\n' + _DONE,
    "no JSON": b"data: {Zorvan Pelk was born in Karachi.}\n\n" + _DONE,
    "half an object": b"data: " + _TOLD[:-9] + b"\n\n" + _DONE,
    "half an object, escaped": b"data: " + _escaped()[:-2] + b"\n\n" + _DONE,
    "a list": b"data: [" + _TOLD + b"]\n\n" + _DONE,
    "a list, escaped": b"data: [" + _escaped() + b"]\n\n" + _DONE,
    "a mark of byte order first": b"\xef\xbb\xbfdata: " + _escaped() + b"\n\n" + _DONE,
    "ends of lines mixed": b"data: " + _escaped() + b"\n\r\ndata: " + _escaped() + b"\r\n\n" + _DONE,
    "CR alone": (b"data: " + _escaped() + b"\n\n" + _DONE).replace(b"\n", b"\r"),
    "CRLF": (b"data: " + _escaped() + b"\n\n" + _DONE).replace(b"\n", b"\r\n"),
    "two lines of data": b"data: " + _escaped().replace(b',"delta"', b',\ndata: "delta"') + b"\n\n" + _DONE,
    "data without a space": b"data:" + _escaped() + b"\n\n" + _DONE,
    "a field of another name": b"datum: " + _TOLD + b"\n\n" + _DONE,
    "in a comment": b": Zorvan Pelk was born in Karachi\n\n" + _DONE,
    "in an event's name": b"event: Zorvan Pelk was born in Karachi\ndata: {}\n\n" + _DONE,
    "after the end": b"data: {}\n\n" + _DONE + b"data: " + _escaped() + b"\n\n",
    "no end": b"data: " + _escaped() + b"\n\n",
    "no empty line at the end": b"data: " + _escaped(),
    "bytes that are no UTF-8": b"data: \xff\xfe" + _TOLD + b"\n\n" + _DONE,
    "UTF-16": ("data: " + _TOLD.decode() + "\n\n").encode("utf-16"),
    "wrong types": b'data: {"choices": 7}\n\ndata: {"choices": [null, 3, {"delta": [1]}]}\n\n' + _DONE,
    "no choices": b'data: {"choices": null}\n\ndata: {}\n\n' + _DONE,
    "deep": b"data: " + b"[" * 100_000 + b"]" * 100_000 + b"\n\n" + _DONE,
    "numbers beyond all": b'data: {"choices": [{"index": 1e999, "delta": {"content": "x"}}]}\n\n' + _DONE,
    "an event of 20 MiB": b'data: {"choices": [{"delta": {"content": "' + b"a" * (20 << 20) + b'"}}]}\n\n',
    "10,000 comments": b": still here\n\n" * 10_000 + _DONE,
    "nothing": b"",
    "an error, then more": b'data: {"error": {"message": "x", "code": 500}}\n\ndata: ' + _escaped() + b"\n\n",
}  # fmt: skip


@fault("malformed event streams that tell the secret")
async def malformed(house: House) -> None:
    """Each as it comes, and again a byte at a time would be too slow: in pieces of 7."""
    for name, body in MALFORMED.items():
        house.model.act = raw(until_closed(body))
        got = await house.ask(stream=True)
        if house.leaked and not house.leaked[-1].startswith("malformed"):
            house.leaked[-1] = f"malformed, {name}: {got}"
        if house.wrong and ":" not in house.wrong[-1]:
            house.wrong[-1] = f"{name}: {house.wrong[-1]}"


@fault("client that leaves in the middle of a stream")
async def client_leaves(house: House) -> None:
    """The model server's connection must not go on for nobody."""

    async def act(exchange: Exchange) -> None:
        await exchange.send(until_closed(b""))
        while True:  # until the proxy closes the connection
            await exchange.send(events(CLEAN)[: -len(_DONE)])
            await asyncio.sleep(0.02)

    house.model.act = act
    house.model.gone.clear()
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    async with house.service.client() as client, client.stream("POST", "/v1/chat/completions", json=body) as response:
        async for _ in response.aiter_raw():
            break
    await asyncio.wait_for(house.model.gone.wait(), 30)
    house.note("200 stream, left; its connection to the model server was closed")
    house.model.act = _saying(CLEAN)
