"""Answers of a model, bare or guarded, kept in a file so that a broken-off measurement goes on."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from tqdm import tqdm

from benchmarks.guarded.serving import Place


@dataclass(frozen=True, slots=True)
class Sampling:
    """How answers are drawn; temperature 0 is greedy. Each prompt's own seed comes from ``seed`` and its place."""

    temperature: float = 0.0
    seed: int = 0
    max_tokens: int = 100


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and what the proxy says it did ("" from a bare model)."""

    text: str
    action: str = ""


class Answers:
    """Replies by condition, prompt and sampling. A condition names all that an answer depends on beside those."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept: dict[str, Reply] = {}
        if file.is_file():
            for line in file.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                self._kept[row["key"]] = Reply(row["text"], row["action"])

    async def ask(
        self, place: Place, condition: str, prompts: Sequence[str], how: Sampling, *, at_once: int = 8
    ) -> list[Reply]:
        """The replies to ``prompts`` as single-turn chats.

        Where texts are compared byte for byte ``at_once`` must be 1: rounding depends on what else is in a batch.

        Raises:
            RuntimeError: the place answers with an error.
        """
        missing = [i for i, prompt in enumerate(prompts) if _key(condition, prompt, i, how) not in self._kept]
        if missing:
            await self._fetch(place, condition, [(i, prompts[i]) for i in missing], how, at_once)
        return [self._kept[_key(condition, prompt, i, how)] for i, prompt in enumerate(prompts)]

    async def _fetch(
        self, place: Place, condition: str, prompts: Sequence[tuple[int, str]], how: Sampling, at_once: int
    ) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        turn = asyncio.Semaphore(at_once)
        async with httpx.AsyncClient(timeout=900, trust_env=False, headers=place.headers) as client:

            async def one(index: int, prompt: str) -> None:
                async with turn:
                    reply = await _chat(client, place, prompt, how, index)
                key = _key(condition, prompt, index, how)
                self._kept[key] = reply
                row = {"key": key, "condition": condition, "prompt": prompt, **asdict(how), **asdict(reply)}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                file.flush()

            with self._file.open("a", encoding="utf-8") as file:
                jobs = [one(i, prompt) for i, prompt in prompts]
                for job in tqdm(asyncio.as_completed(jobs), total=len(jobs), desc=condition, file=sys.stderr):
                    await job


async def _chat(client: httpx.AsyncClient, place: Place, prompt: str, how: Sampling, index: int) -> Reply:
    body = {"model": place.model, "messages": [{"role": "user", "content": prompt}], "max_tokens": how.max_tokens,
            "temperature": how.temperature, "seed": how.seed * 100_003 + index}  # fmt: skip
    response = await client.post(f"{place.url}/v1/chat/completions", json=body)
    if response.is_error:
        raise RuntimeError(f"{response.status_code}: {response.text[:500]}")
    text = response.json()["choices"][0]["message"]["content"] or ""
    return Reply(text, response.headers.get("x-letheward-action", ""))


def _key(condition: str, prompt: str, index: int, how: Sampling) -> str:
    sampled = (how.temperature, how.seed, index) if how.temperature else (0.0,)
    return hashlib.sha256(repr((condition, prompt, how.max_tokens, sampled)).encode()).hexdigest()[:32]


def fingerprint(folder: Path) -> str:
    """A short name of a checkpoint's weights."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        with file.open("rb") as weights:
            while block := weights.read(1 << 20):
                digest.update(block)
    return f"{folder.name}-{digest.hexdigest()[:10]}"
