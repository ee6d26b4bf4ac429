"""HTTP itself: requests in requests, headers that lie, other protocols on the port."""

from __future__ import annotations

from benchmarks.hostile.case import ASKED, Attack, hostile

_LINE = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
_GET = b"GET /health HTTP/1.1\r\nHost: x\r\n"
_SIZE = b"Content-Length: %d\r\n" % len(ASKED)
_CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(ASKED), ASKED)
_INNER = _LINE + _SIZE + b"\r\n" + ASKED


def _key(attack: Attack) -> bytes:
    return f"Authorization: Bearer {attack.house.service.key}\r\n".encode()


async def _each(attack: Attack, requests: dict[str, bytes]) -> None:
    for name, data in requests.items():
        await attack.send(data, name)


@hostile("header smuggling: two lengths, chunks that are none, requests in requests")
async def smuggling(attack: Attack) -> None:
    """Each request ends in one place or is refused; the next one in it is judged as any."""
    await _each(attack, {
        "length and chunks": _LINE + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + _CHUNKED,
        "chunks and length": _LINE + b"Transfer-Encoding: chunked\r\n" + _SIZE + b"\r\n" + ASKED,
        "two lengths": _LINE + b"Content-Length: 2\r\n" + _SIZE + b"\r\n" + ASKED,
        "a list of lengths": _LINE + b"Content-Length: 2, %d\r\n\r\n" % len(ASKED) + ASKED,
        "+length": _LINE + b"Content-Length: +%d\r\n\r\n" % len(ASKED) + ASKED,
        "-length": _LINE + b"Content-Length: -1\r\n\r\n" + ASKED,
        "hex length": _LINE + b"Content-Length: 0x%x\r\n\r\n" % len(ASKED) + ASKED,
        "length beyond all": _LINE + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n" + ASKED,
        "chunked twice": _LINE + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + _CHUNKED,
        "chunked, then identity": _LINE + b"Transfer-Encoding: chunked, identity\r\n\r\n" + _CHUNKED,
        "xchunked": _LINE + b"Transfer-Encoding: xchunked\r\n\r\n" + _CHUNKED,
        "space before the colon": _LINE + b"Transfer-Encoding : chunked\r\n\r\n" + _CHUNKED,
        "vertical tab": _LINE + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + _CHUNKED,
        "folded": _LINE + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + _CHUNKED,
        "line feeds alone": (_LINE + _SIZE + b"\r\n").replace(b"\r\n", b"\n") + ASKED,
        "carriage returns alone": (_LINE + _SIZE + b"\r\n").replace(b"\r\n", b"\r") + ASKED,
        "NUL in a header": _LINE + b"X: a\0b\r\n" + _SIZE + b"\r\n" + ASKED,
        "a header without a name": _LINE + b": x\r\n" + _SIZE + b"\r\n" + ASKED,
        "a chunk's size beyond all": _LINE + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n" + ASKED,
        "a chunk's size with a sign": _LINE + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n" + ASKED,
        "a chunk without its end": _LINE + b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + ASKED + b"\r\n0\r\n\r\n",
        "a request behind a body of none": _LINE + b"Content-Length: 0\r\n\r\n" + _INNER,
        "a request in a GET's body": _GET + b"Content-Length: %d\r\n\r\n" % len(_INNER) + _INNER,
        "a request behind a GET": _GET + b"\r\n" + _INNER,
        "HTTP/1.0 with chunks": _LINE.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n" + _CHUNKED,
        "HTTP/0.9": b"GET /v1/models\r\n\r\n", "HTTP/9.9": _LINE.replace(b"1.1", b"9.9") + _SIZE + b"\r\n" + ASKED,
        "no host": _LINE.replace(b"Host: x\r\n", b"") + _SIZE + b"\r\n" + ASKED,
        "two hosts": _LINE + b"Host: y\r\n" + _SIZE + b"\r\n" + ASKED,
        "expecting to continue": _LINE + b"Expect: 100-continue\r\n" + _SIZE + b"\r\n" + ASKED,
        "expecting something else": _LINE + b"Expect: 200-ok\r\n" + _SIZE + b"\r\n" + ASKED,
    })  # fmt: skip


@hostile("headers without end")
async def headers(attack: Attack) -> None:
    """One of 64 MiB, a million, in a chunk's extension, in a trailer."""
    await _each(attack, {
        "one of 64 MiB": _LINE + b"X: " + b"a" * (64 << 20),
        "a million": _LINE + b"X: a\r\n" * 1_000_000 + b"\r\n",
        "a path of 1 MiB": b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        "in a chunk's extension": _LINE + b"Transfer-Encoding: chunked\r\n\r\n5;a=" + b"b" * (16 << 20),
        "in a trailer": _LINE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: a\r\n" * 1_000_000 + b"\r\n",
        "many that fit":
            _LINE + _key(attack) + b"".join(b"X-%d: a\r\n" % i for i in range(500)) + _SIZE + b"\r\n" + ASKED,
    })  # fmt: skip


@hostile("headers that say who or what else is meant")
async def lies(attack: Attack) -> None:
    """Methods, paths, hosts and lists by header; ids that hold text."""
    for name, value in {
        "X-HTTP-Method-Override": "GET", "X-HTTP-Method": "DELETE", "X-Method-Override": "PUT",
        "X-Original-URL": "/v1/models", "X-Rewrite-URL": "/v1/models", "X-Forwarded-Path": "/health",
        "X-Forwarded-Prefix": "/admin", "X-Forwarded-Host": "evil.example", "Forwarded": "for=127.0.0.1;host=evil",
        "Host": "evil.example", "X-Letheward-Lists": "none", "X-Letheward-Action": "pass", "X-Letheward-Probe": "1",
        "X-Request-Id": "Zorvan Pelk", "Traceparent": "Zorvan Pelk", "Tracestate": "a=Zorvan Pelk",
        "Range": "bytes=0-9",
        "Accept": "text/event-stream", "Accept-Encoding": "gzip;q=1e999", "If-Match": "*",
        "Connection": "Authorization",
        "Cache-Control": "only-if-cached", "X-Forwarded-For": "1.2.3.4", "TE": "trailers", "Cookie": "a=" + "b" * 5000,
    }.items():  # fmt: skip
        await attack.post(ASKED, name, **{name: value})


@hostile("other protocols: WebSocket, HTTP/2, TLS, CONNECT, SSH")
async def protocols(attack: Attack) -> None:
    """On the same port."""
    upgrade = (b"Connection: Upgrade\r\nUpgrade: %s\r\nSec-WebSocket-Version: 13\r\n"
               b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n")  # fmt: skip
    get = b"GET /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
    await _each(attack, {
        "WebSocket": get + upgrade % b"websocket" + b"\r\n",
        "WebSocket on a path that is open": _GET + upgrade % b"websocket" + b"\r\n",
        "WebSocket by POST": _LINE + upgrade % b"websocket" + _SIZE + b"\r\n" + ASKED,
        "h2c": _LINE + upgrade % b"h2c" + _SIZE + b"\r\n" + ASKED,
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0",
        "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(190),
        "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
        "SSH": b"SSH-2.0-OpenSSH_9.9\r\n", "SOCKS": b"\5\1\0", "nothing": b"\r\n\r\n\r\n",
        "bytes": bytes(range(256)) * 8,
        "a proxy's form": b"POST http://evil.example/v1/chat/completions HTTP/1.1\r\nHost: evil.example\r\n" + _SIZE
                          + b"\r\n" + ASKED,
    })  # fmt: skip
