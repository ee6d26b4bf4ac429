"""Where the proxy answers otherwise than vLLM and is to: pattern of test ids -> reason."""

from __future__ import annotations

import re

_NOT_THERE = "an endpoint that is not guarded is not there: {}"
_IDS = "token ids in kv_transfer_params would take the place of the text that is judged, and are refused"
_LONG = "integers of more than 64 bits are read as floating-point numbers; vLLM refuses either, in other words"
_CACHE = "both sides share vLLM's cache of prefixes: whichever asks second finds it filled, with or without the proxy"
_MESSAGES = "enable_response_messages would show the messages that a guard wrote, and is refused for every request"
_EMBEDS = "embeddings that clients send cannot be judged and are refused"

# Looked for in the test's id, in this order.
EXPLAINED: dict[str, str] = {
    r"/test_batched_chat_completions\.py::": _NOT_THERE.format("/v1/chat/completions/batch"),
    r"/generative_scoring/": _NOT_THERE.format("/generative_scoring"),
    r"/structured_decisions/": _NOT_THERE.format("/v1/systemone"),
    r"/token_in_token_out/": _NOT_THERE.format("/inference/v1/generate"),
    r"/cohere/": _NOT_THERE.format("/v2/chat"),
    r"::test_invocations": _NOT_THERE.format("/invocations, which takes any endpoint's request"),
    r"::test_tokenizer_info": _NOT_THERE.format("/tokenizer_info"),
    r"::test_show_version|::test_server_load": _NOT_THERE.format("/version and /load tell about the inner server"),
    r"::test_anthropic_streaming_cache_usage$": _CACHE,
    r"::test_kv_transfer_": _IDS,
    r"::test_long_seed$": _LONG,
    r"_with_prompt_embeds\.py::|::test_empty_prompt$": _EMBEDS,
    r"::test_output_messages_enabled": _MESSAGES,
    r"::test_background|::test_streaming\[True-": "responses made in the background are refused: nobody watches them",
}


def reason(test: str) -> str | None:
    """Why ``test`` need not pass through the proxy; None where nobody said so."""
    return next((text for pattern, text in EXPLAINED.items() if re.search(pattern, test)), None)
