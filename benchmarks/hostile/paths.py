"""Paths and methods: what is not there answers 404 or 405, and what is there is judged however it is spelt."""

from __future__ import annotations

import asyncio

from benchmarks.hostile.case import ASKED, Attack, hostile

_TRICKS = (
    "//v1/chat/completions", "/v1//chat/completions", "/v1/chat/completions/",
    "/V1/chat/completions", "/v1/Chat/Completions",
    "/v1%2Fchat%2Fcompletions", "/v1%2fchat/completions", "/%76%31/chat/completions", "/v1/chat%2Fcompletions",
    "/v1/./chat/completions", "/v1/x/../chat/completions", "/v1/%2e%2e/v1/chat/completions", "/v1/chat/completions%20",
    "/v1/chat/completions%00", "/v1/chat/completions%0a", "/v1/chat/completions;a=b", "/v1/chat/completions.json",
    "/v1/chat/completions?model=m", "/v1/chat/completions?", "/v1/chat/completions#x", "/v1/chat\\completions",
    "/v1/chat/completions%252F", "/v1/chat/comple%74ions", "/v1/chat/completions/batch", "/v1/chat/completions/render",
    "/inference/v1/generate", "/invocations", "/generative_scoring", "/v1/rerank", "/rerank", "/score", "/pooling",
    "/v1/audio/transcriptions", "/v1/load_lora_adapter", "/reset_prefix_cache", "/sleep", "/collective_rpc",
    "/v1/completions/", "/v2/chat/completions", "/chat/completions", "/openai/v1/chat/completions", "/v1", "/", "*",
    "/admin/v1/lists/", "//admin/v1/lists", "/admin%2Fv1%2Flists", "/ADMIN/v1/lists", "/admin/v1/lists/..%2f..%2fx",
    "/admin/v1/lists/%2e%2e/keys", "/docs", "/openapi.json", "/redoc", "/.env", "/static/../../server/settings.py",
    "/v1/\u202echat/completions", "/v1/chat/completion\u0455", "/v1/chat/completions\x7f", "/%ff%fe", "/%", "/%zz",
)  # fmt: skip
_OPEN = ("/admin/v1/oidc", "/admin/v1/session")  # what the page asks before anybody signs in
_METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "post", "PO ST", "POST\t", "BREW")


@hostile("path tricks: //, encoded slashes and letters, dots, case, the model server's other routes")
async def paths(attack: Attack) -> None:
    """Without a key, where one is needed for the admin's."""
    for path in _TRICKS:
        raw = path.encode()
        head = b"POST " + raw + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        await attack.send(head + b"Content-Length: %d\r\n\r\n" % len(ASKED) + ASKED, path)


@hostile("methods")
async def methods(attack: Attack) -> None:
    """Of a client's route and of an admin's."""
    for method in _METHODS:
        for path in ("/v1/chat/completions", "/admin/v1/lists"):
            if method == "HEAD":  # whose answers have no body
                continue
            head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(ASKED)}\r\n\r\n".encode()
            await attack.send(head + ASKED, f"{method} {path}", patience=2.0)
    await asyncio.sleep(0)


@hostile("the admin API without a key")
async def unasked(attack: Attack) -> None:
    """Every operation of the document."""
    async with attack.house.service.client() as client:
        document = (await client.get("/admin/v1/openapi.json")).json()
    for path, operations in document["paths"].items():
        for method in operations:
            if path.startswith("/admin/") and method in ("get", "put", "post", "patch", "delete"):
                raw = path.replace("{name}", "people").replace("{", "").replace("}", "")
                head = f"{method.upper()} {raw} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode()
                got = await attack.send(head, f"{method} {path}", patience=2.0)
                if got.startswith("2") and path not in _OPEN:
                    attack.wrong.append(f"{method} {path} without a key: {got}")
