"""Parts of the tests of `letheward doctor`: the real command, and a model server on a real socket."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from typer.testing import CliRunner

from guard.eco import Eco
from guard.store import Store
from server.cli import app

ROOT = Path(__file__).parents[2]
GOOD_KEY = "lw-admin-0pQr7xWz3Lm9Tn5Vb1Yc8Kd4Hf6Js2Ga0eUiOqX"
_WORDS = "The capital of France is Paris, and 2 + 2 = 4."
Found = dict[str, list[tuple[str, str, str]]]


class Doctor(Protocol):
    """Runs `letheward doctor --json` with variables; findings by check, as (status, told, todo)."""

    def __call__(self, *options: str, **variables: str) -> Found: ...


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    monkeypatch.chdir(tmp_path)  # no .env of the checkout
    for name in [n for n in os.environ if n.startswith("LETHEWARD_")]:
        monkeypatch.delenv(name)

    def run(*options: str, **variables: str) -> Found:
        given = {"LETHEWARD_CACHE_DIR": str(tmp_path / "cache"), "LETHEWARD_PORT": "0"}
        given |= {f"LETHEWARD_{name.upper()}": value for name, value in variables.items()}
        done = CliRunner().invoke(app, ["doctor", "--json", *options], env=given)
        told = json.loads(done.stdout)
        assert done.exit_code == (1 if told["fail"] else 0), done.output
        found: Found = {}
        for each in told["checks"]:
            assert bool(each["todo"]) == (each["status"] != "ok"), each
            assert "\n" not in each["told"] + each["todo"]
            found.setdefault(each["check"], []).append((each["status"], each["told"], each["todo"]))
        return found

    return run


def only(found: Found, check: str) -> tuple[str, str]:
    assert len(found[check]) == 1, found[check]
    return found[check][0][0], found[check][0][1]


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[Store]:
    """The store that the command finds in its cache folder."""
    held = Store.open(f"sqlite:///{tmp_path}/cache/letheward.db")
    yield held
    held.close()


class Model:
    """A model server on a real socket that answers by what it reads: as text, or as embeddings of ``folder``."""

    def __init__(self, folder: Path, *, key: str | None = None) -> None:
        self.eco, self.key = Eco(folder), key
        self.models = ["m"]
        self.ids_shift = 0
        self.embeds = True
        self.answer_to_rows = "Paris"
        self.clock: datetime | None = None

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.middleware("http")
        async def gate(request: Request, call_next: Any) -> Response:
            if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
                return JSONResponse({}, 401)
            answer: Response = await call_next(request)
            if self.clock:
                answer.headers["date"] = self.clock.strftime("%a, %d %b %Y %H:%M:%S GMT")
            return answer

        @app.get("/v1/models")
        async def models() -> dict[str, Any]:
            return {"data": [{"id": name} for name in self.models]}

        @app.post("/tokenize")
        async def tokenize(request: Request) -> dict[str, Any]:
            text = (await request.json())["prompt"]
            return {
                "tokens": [i + self.ids_shift for i in self.eco.tokenizer.encode(text, add_special_tokens=False).ids]
            }

        @app.post("/v1/completions")
        async def complete(request: Request) -> Response:
            body = await request.json()
            if "prompt_embeds" not in body:
                return JSONResponse({"choices": [{"text": "Paris"}]})
            if not self.embeds:
                return JSONResponse({"error": {"message": "You must set --enable-prompt-embeds"}}, 400)
            right = body["prompt_embeds"] == self.eco.exact(_WORDS, add_special_tokens=True)
            return JSONResponse({"choices": [{"text": self.answer_to_rows if right else "?"}]})

        return app


@pytest.fixture
def model_server(checkpoint: Path) -> Model:
    """One that serves ``checkpoint``."""
    return Model(checkpoint)
