"""Stands for vLLM's ``tests.utils``: its ``RemoteOpenAIServer`` starts nothing and is the server of the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from benchmarks.compatible import plugin
from benchmarks.compatible.asked import Asked

ASKS = "asks for "  # what a skip's reason begins with where a test wants another server than the one that runs
VLLM_PATH = Path.cwd()  # examples/ lies there
ROCM_EXTRA_ARGS: list[str] = []


class RemoteOpenAIServer:
    """The server of the plan, with vLLM's own interface. Tests that want another one are skipped."""

    DUMMY_API_KEY = "token-abc123"

    def __init__(
        self, model: str, vllm_serve_args: Sequence[str], *_: Any, env_dict: Mapping[str, str] | None = None, **__: Any
    ) -> None:
        asked = Asked.of(model, vllm_serve_args, env_dict)
        plan = plugin.plan
        if plan is None or plan.url is None or asked.server != Asked.heard(plan.server).server:
            pytest.skip(ASKS + asked.told())
        self.url_root = plan.url
        self.host, port = self.url_root.rpartition("/")[2].split(":")
        self.port, self.uds = int(port), None
        self.show_hidden_metrics = False

    def __enter__(self) -> RemoteOpenAIServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The server goes on: other tests need it."""

    def url_for(self, *parts: str) -> str:
        """A path's address."""
        return "/".join([self.url_root, *(part.strip("/") for part in parts if part)])

    def get_client(self, **options: Any) -> Any:
        """OpenAI's client."""
        import openai

        return openai.OpenAI(**self._options("v1", options))

    def get_async_client(self, **options: Any) -> Any:
        """OpenAI's asynchronous client."""
        import openai

        return openai.AsyncOpenAI(**self._options("v1", options))

    def get_client_anthropic(self, **options: Any) -> Any:
        """Anthropic's client."""
        import anthropic

        return anthropic.Anthropic(**self._options("", options))

    def get_async_client_anthropic(self, **options: Any) -> Any:
        """Anthropic's asynchronous client."""
        import anthropic

        return anthropic.AsyncAnthropic(**self._options("", options))

    def _options(self, path: str, options: dict[str, Any]) -> dict[str, Any]:
        fixed = {"base_url": self.url_for(path), "api_key": self.DUMMY_API_KEY, "max_retries": 0}
        return {"timeout": 600, **options, **fixed}


class _Elsewhere(RemoteOpenAIServer):
    """A server that is started otherwise than ``vllm serve``."""

    def __init__(self, model: str, vllm_serve_args: Sequence[str], *_: Any, **__: Any) -> None:
        super().__init__(model, [*vllm_serve_args, f"--{type(self).__name__}"])


class RemoteLaunchRenderServer(_Elsewhere):
    """``vllm launch render``."""


class RemoteOpenAIServerCustom(_Elsewhere):
    """A child process of the test's own."""


def _left_out(*_: Any, **__: Any) -> Any:
    return pytest.mark.skip(reason="needs more than a server")


multi_gpu_only = multi_gpu_test = requires_fp8 = create_new_process_for_each_test = _left_out
