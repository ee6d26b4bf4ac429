"""What a test file asks of the server that it wants to have started."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# What one vLLM with a small model on a CPU is started with, whatever a test asks: sizes, kernels, memory, and the
# arguments of adapters, whose names are served by the model itself. A model that does not reason needs no parser, has
# a template of its own, and one without tool servers says so to who asks for them.
_OWN = frozenset(
    """dtype max-model-len enforce-eager max-num-seqs max-num-batched-tokens gpu-memory-utilization seed port host
    enable-chunked-prefill enable-prefix-caching no-enable-prefix-caching trust-remote-code tokenizer attention-backend
    enable-lora lora-module lora-modules max-lora-rank max-cpu-loras served-model-name reasoning-parser tool-server
    structured-outputs-config.backend disable-log-stats chat-template""".split()
)
# Tests of models whose answers are read otherwise, of which most are about the endpoint.
_INSTEAD = frozenset({"--tool-call-parser=openai"})
# What every server of the harness has: it adds endpoints and fields that those get who ask for them.
BASE = frozenset(
    """--enable-auto-tool-choice --enable-prompt-embeds --tool-call-parser=hermes --enable-prompt-tokens-details
    --enable-tokenizer-info-endpoint --enable-server-load-tracking --enable-scale-out
    --no-cohere-is-reasoning-model""".split()
)
BASE_ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_ENABLE_RESPONSES_API_STORE": "1",
    "VLLM_ENABLE_COHERE_API": "1",
    "VLLM_SYSTEM_START_DATE": "2023-09-12",
}
# What a server can be given on top: tests that ask for these get servers of their own.
_GIVEN = frozenset(
    "max-logprobs enable-force-include-usage return-tokens-as-token-ids enable-request-id-headers".split()
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A server that a test asks for: the ``--flag=value`` of what it must have, and of what is not to be had."""

    names: tuple[str, ...]  # what clients may call the model
    needs: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, model: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Asked:
        """Read the arguments that would have been vLLM's."""
        names, needs, lacks = [model], set[str](), set[str]()
        for flag, values in _flags(arguments):
            if flag == "served-model-name":
                names += values
            elif flag in ("lora-module", "lora-modules"):
                names += [_adapter(value) for value in values]
            argument = "=".join([f"--{flag}", *values])
            if flag in _GIVEN:
                needs.add(argument)
            elif flag not in _OWN and argument not in BASE | _INSTEAD:
                lacks.add(argument)
        own = sorted((environment or {}).items() - BASE_ENVIRONMENT.items())
        own = [(k, v) for k, v in own if k.startswith("VLLM_")]
        return cls(tuple(dict.fromkeys(names)), tuple(sorted(needs)), tuple(sorted(lacks)), tuple(own))

    @property
    def server(self) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
        """Equal for those that one server can serve."""
        return self.needs, self.environment

    def told(self) -> str:
        """As one line, for :meth:`heard`."""
        return json.dumps([self.names, self.needs, self.lacks, self.environment])

    @classmethod
    def heard(cls, line: str) -> Asked:
        """What :meth:`told` said."""
        names, needs, lacks, environment = json.loads(line)
        return cls(tuple(names), tuple(needs), tuple(lacks), tuple((k, v) for k, v in environment))


def _flags(arguments: Sequence[str]) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for argument in map(str, arguments):
        if argument.startswith("-") and not _number(argument):
            flag, _, value = argument.lstrip("-").partition("=")
            found.append((flag.replace("_", "-"), [value] if value else []))
        elif found:
            found[-1][1].append(argument)
    return found


def _number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()


def _adapter(value: str) -> str:
    """The name in ``name=path`` or ``{"name": ...}``."""
    if value.startswith("{"):
        return str(json.loads(value)["name"])
    return value.partition("=")[0]
