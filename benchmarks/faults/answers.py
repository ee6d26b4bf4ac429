"""Whole answers of the model server that are none, and its errors."""

from __future__ import annotations

import gzip
import json

from benchmarks.faults.case import fault
from benchmarks.faults.house import House
from benchmarks.faults.scripted import CLEAN, TELLING, message, raw, whole

_CLEAN, _TELLING = (json.dumps(message("".join(pieces))).encode() for pieces in (CLEAN, TELLING))
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


async def _each(house: House, responses: dict[str, bytes], then: str = "close", **fields: object) -> None:
    for name, response in responses.items():
        leaked, wrong = len(house.leaked), len(house.wrong)
        house.model.act = raw(response, then)
        await house.ask(**fields)  # type: ignore[arg-type]
        house.leaked[leaked:] = [f"{name}: {each}" for each in house.leaked[leaked:]]
        house.wrong[wrong:] = [f"{name}: {each}" for each in house.wrong[wrong:]]


@fault("answer reset (RST) after each of its bytes")
async def reset(house: House) -> None:
    """Of an answer that tells the secret."""
    response = whole(_TELLING)
    await _each(house, {f"{end} bytes": response[:end] for end in range(1, len(response), 3)}, "reset")


def _sized(length: str, body: bytes) -> bytes:
    return _HEAD + f"Content-Length: {length}\r\n\r\n".encode() + body


@fault("wrong content length")
async def lengths(house: House) -> None:
    """Too long, too short, no number, twice, beside chunks, chunks that are none."""
    size = len(_TELLING)
    await _each(house, {
        "too long": _sized(str(size + 50), _TELLING),
        "too short": _sized(str(size - 9), _TELLING),
        "far too short": _sized("1", _TELLING),
        "nothing": _sized("0", _TELLING),
        "negative": _sized("-1", _TELLING),
        "no number": _sized("many", _TELLING),
        "beyond all": _sized("9" * 40, _TELLING),
        "two": _sized(f"{size}\r\nContent-Length: {size - 9}", _TELLING),
        "beside chunks": _sized(f"{size}\r\nTransfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"),
        "no chunk": _HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + _TELLING,
        "a chunk of negative size": _HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n" + _TELLING,
        "a chunk beyond all": _HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 30 + b"\r\n" + _TELLING,
        "no length": _HEAD + b"\r\n" + _TELLING,
    })  # fmt: skip


@fault("responses that are no HTTP")
async def no_http(house: House) -> None:
    """Status lines, headers and protocols that are none."""
    await _each(house, {
        "nothing": b"",
        "words": b"Zorvan Pelk was born in Karachi.\r\n\r\n",
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "TLS": bytes.fromhex("15030100020246"),
        "status 999": whole(_TELLING, "999 Karachi"),
        "status x": whole(_TELLING, "x OK"),
        "switching protocols": whole(_TELLING, "101 Switching Protocols"),
        "early hints alone": b"HTTP/1.1 103 Early Hints\r\n\r\n",
        "early hints, then an answer": b"HTTP/1.1 103 Early Hints\r\n\r\n" + whole(_CLEAN),
        "a header without a colon": b"HTTP/1.1 200 OK\r\nKarachi\r\n\r\n" + _TELLING,
        "a header of 1 MiB": whole(_CLEAN, headers=["X-Long: " + "a" * (1 << 20)]),
        "10,000 headers": whole(_CLEAN, headers=[f"X-{i}: a" for i in range(10_000)]),
        "a line feed in a header": whole(_CLEAN, headers=["X-Request-Id: a\nSet-Cookie: b=c"]),
        "an id that tells": whole(_CLEAN, headers=["X-Request-Id: ok", "Server: vllm"]),
    })  # fmt: skip


@fault("answers that are no completion")
async def bodies(house: House) -> None:
    """What is said is in none of the places where it should be, or not to be read."""
    told = "Zorvan Pelk was born in Karachi."
    odd = {
        "no JSON": told.encode(),
        "empty": b"",
        "null": b"null",
        "a list": b"[" + _TELLING + b"]",
        "a string": json.dumps(told).encode(),
        "half": _TELLING[: len(_TELLING) // 2],
        "deep": b"[" * 100_000 + b"]" * 100_000,
        "deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "no choices": json.dumps({"choices": None, "said": told}).encode(),
        "choices of wrong types": json.dumps({"choices": [None, 3, {"message": told}]}).encode(),
        "content of wrong types": json.dumps({"choices": [{"message": {"content": [told, {"text": told}]}}]}).encode(),
        "in a field of its own": json.dumps({"choices": [{"message": {"content": "ok", "note": told}}]}).encode(),
        "beside the choices": json.dumps(message("ok") | {"note": told}).encode(),
        "a key twice": b'{"choices": [{"index": 0, "message": {"content": "Zorvan Pelk was born in Karachi.",'
                       b' "content": "ok"}}]}',
        "NaN": b'{"choices": [{"index": 0, "message": {"content": "ok"}, "logprobs": NaN}]}',
        "no UTF-8": b'{"choices": [{"index": 0, "message": {"content": "\xff\xfe"}}]}',
        "UTF-16": _TELLING.decode().encode("utf-16"),
    }  # fmt: skip
    responses = {name: whole(body) for name, body in odd.items()}
    squeezed = gzip.compress(_TELLING)
    responses["squeezed unasked"] = whole(squeezed, headers=["Content-Encoding: gzip"])
    responses["HTML"] = whole(f"<html>{told}</html>", kind="text/html")
    responses["a stream that nobody asked for"] = whole(
        b"data: " + _TELLING + b"\n\ndata: [DONE]\n\n", kind="text/event-stream"
    )
    responses["status 201"] = whole(_TELLING, "201 Created")
    responses["status 206"] = whole(_TELLING, "206 Partial Content")
    responses["status 204"] = b"HTTP/1.1 204 No Content\r\n\r\n"
    responses["status 304"] = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    responses["sent elsewhere"] = whole(_TELLING, "302 Found", ["Location: http://127.0.0.1:9/"])
    await _each(house, responses)


@fault("whole answers to who asked for a stream")
async def unstreamed(house: House) -> None:
    """Of one that tells, and of one that does not."""
    await _each(house, {"clean": whole(_CLEAN), "telling": whole(_TELLING)}, stream=True)


@fault("errors of the model server: 4xx, 429, 5xx")
async def statuses(house: House) -> None:
    """Each with an error in OpenAI's shape, and with a page of HTML."""
    said = json.dumps({"error": {"message": "scripted", "type": "x", "code": "scripted"}})
    for status in (400, 401, 403, 404, 408, 413, 422, 429, 500, 501, 502, 503, 504, 529):
        line, headers = f"{status} Scripted", ["Retry-After: 7"]
        await _each(house, {f"{status}": whole(said, line, headers)}, "keep")
        await _each(house, {f"{status}, streamed": whole(said, line, headers)}, "keep", stream=True)
        page = whole("<html>a gateway</html>", line, headers, "text/html")
        await _each(house, {f"{status}, HTML": page}, "keep")
