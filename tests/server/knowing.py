"""An upstream that knows facts until the embeddings that it is sent are too noisy: for what is fitted to models."""

from __future__ import annotations

import asyncio
import base64
import io
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import torch
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from guard.eco import Eco


@dataclass(frozen=True, slots=True)
class Fact:
    """``known_below``: the noise on its name, as a multiple of the loudness of rows, from which it is not known."""

    question: str
    subject: str
    answer: str
    known_below: float


@dataclass
class Knowing:
    """What it knows, what it says otherwise, and how it behaves."""

    facts: Sequence[Fact]
    eco: Eco
    unit: float
    otherwise: str = "It is not known"
    bodies: list[Any] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    stall_after: int | None = None  # requests
    fail_after: int | None = None
    stalled: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._exact = {f.question: _rows(self.eco.exact(f.question)) for f in self.facts}

    def said(self, content: Any) -> str:
        """The answer to a message's content: text, or one part of embeddings."""
        if isinstance(content, str):
            return next((f.answer for f in self.facts if f.question == content), self.otherwise)
        (part,) = content
        rows = _rows(part["data"])
        for fact in self.facts:
            exact = self._exact[fact.question]
            if exact.shape != rows.shape:
                continue
            off = (rows - exact).square().mean(dim=1)  # (tokens,)
            if int((off == 0).sum()) >= len(off) - len(fact.subject.split()):
                noise = float(off[off > 0].mean().sqrt()) if bool((off > 0).any()) else 0.0
                return fact.answer if noise / self.unit < fact.known_below else self.otherwise
        return self.otherwise


def serving(known: Knowing) -> FastAPI:
    """It as a server."""
    app = FastAPI()

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": "m"}, {"id": "other"}]}

    @app.post("/v1/chat/completions")
    async def answer(request: Request) -> Response:
        body = orjson.loads(await request.body())
        known.bodies.append(body)
        known.keys.add(request.headers.get("authorization"))
        if known.fail_after is not None and len(known.bodies) > known.fail_after:
            return JSONResponse({"error": {"message": "out of memory"}}, 500)
        if known.stall_after is not None and len(known.bodies) > known.stall_after:
            known.stalled.set()
            while not await request.is_disconnected():  # noqa: ASYNC110 - a scripted stall
                await asyncio.sleep(0.01)
            known.cancelled.set()
        said = known.said(body["messages"][0]["content"])
        message = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        return JSONResponse({"id": "1", "choices": [message]})

    return app


def checkpoint_of(texts: Sequence[str], folder: Path) -> tuple[Path, float]:
    """A checkpoint folder that has a token for each word of ``texts``; and its rows' root mean square."""
    from safetensors.torch import save_file
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    folder.mkdir()
    split = Whitespace()
    words = ["[UNK]", *dict.fromkeys(w for text in texts for w, _ in split.pre_tokenize_str(text))]
    vocabulary: Mapping[str, int] = {word: i for i, word in enumerate(words)}
    tokenizer = Tokenizer(WordLevel(dict(vocabulary), unk_token="[UNK]"))
    tokenizer.pre_tokenizer = split
    tokenizer.save(str(folder / "tokenizer.json"))
    matrix = 0.1 * torch.randn(len(words), 256, generator=torch.Generator().manual_seed(0))
    save_file({"model.embed_tokens.weight": matrix}, folder / "model.safetensors")
    return folder, float(matrix.square().mean().sqrt())


def _rows(data: str) -> torch.Tensor:
    loaded: torch.Tensor = torch.load(io.BytesIO(base64.b64decode(data)), weights_only=True)
    return loaded
