"""Routes whose answer is no text: /v1/embeddings, and those that an operator enabled by name."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from guard.router import Plan, instead
from server.clients import Client
from server.dialects import chat, completions
from server.dialects.base import Dialect
from server.errors import ApiError
from server.guarding import PASSING
from server.incoming import unless_disconnected
from server.judging import Prompt
from server.passing import forward
from server.proxy import Proxy
from server.rewrite import apply_redaction

_SAID = ("refuse", "template")


async def embeddings(proxy: Proxy, request: Request, client: Client) -> Response:
    """POST /v1/embeddings: what a list guards is taken out of the text before it is embedded.

    A vector says of a text only what the text says; yet with the name in it, it would lie near all that the model
    learnt about that name. Lists that refuse, refuse here too.
    """
    raw, body = await proxy.read(request)
    dialect: Dialect = chat if "messages" in body else completions
    asked = {k: v for k, v in body.items() if k != "input"} | ({"prompt": body["input"]} if "input" in body else {})
    prompt, plan, headers = await proxy.judged(request, client, asked, dialect)
    content: Any = raw
    if proxy.enforcing and plan.action not in PASSING:
        content = _redacted(prompt, plan)
        headers["x-letheward-action"] = "redact"
    return await unless_disconnected(
        request, forward(proxy.upstream, request, "POST", "/v1/embeddings", content, headers)
    )


def _redacted(prompt: Prompt, plan: Plan) -> dict[str, Any]:
    refusing = next((f for f in plan.findings if f.action in _SAID), None)
    unreachable = next((f for f in plan.findings if not prompt.surfaces[f.surface].rewritable), None)
    blocking = refusing or unreachable
    if blocking is not None:
        raise ApiError(400, blocking.forget_list.refusal, code="refused")
    found = tuple(instead(f, "redact") if f.action != "monitor" else f for f in plan.findings)
    body = apply_redaction(prompt.body, prompt.surfaces, Plan("redact", plan.decisive, found, ()))
    if "prompt" in body:
        body["input"] = body.pop("prompt")
    return body
