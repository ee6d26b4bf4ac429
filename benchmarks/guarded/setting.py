"""What the measurements of guards share: the two models, their answers, and a proxy with the forget list."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.estimate import machine
from benchmarks.guarded.answers import Answers, Reply, Sampling, fingerprint
from benchmarks.guarded.conditions import LIST, Material, lines
from benchmarks.guarded.serving import Place, make_list, proxy, vllm

FULL, RETAINED = "bare full", "bare retained"
# The model that never learnt behind the same guard: what is left of the difference is what the guard lets through.
GUARDED_RETAINED = "retained behind eco"


@dataclass(frozen=True)
class Setting:
    """The models' folders and what they know; ``cache_dir`` is the proxy's, ``folder`` for what ends with the run.

    ``check_answers`` false: guards alone, without the guard of answers that else stands behind them.
    """

    full: Path
    retained: Path
    stuff: Material
    answers: Answers
    cache_dir: Path
    folder: Path
    check_answers: bool = True

    @cached_property
    def models(self) -> dict[str, str]:
        """The two checkpoints' short names."""
        return {"full": fingerprint(self.full), "retained": fingerprint(self.retained)}

    @property
    def forget(self) -> list[str]:
        """The questions to be forgotten."""
        return [q.question for q in self.stuff.forget]

    @property
    def paraphrased(self) -> list[str]:
        """TOFU's paraphrases of them."""
        return [q.paraphrase or q.question for q in self.stuff.forget]

    @property
    def keep(self) -> list[str]:
        """The questions that are to be answered as ever."""
        return [q.question for q in self.stuff.keep]

    @property
    def spec(self) -> dict[str, Any]:
        """For a result's file."""
        manifest = json.loads((self.full / "manifest.json").read_text(encoding="utf-8"))
        return {"models": self.models, "training": manifest["recipe"], "authors": manifest["authors"],
                "check_answers": self.check_answers,
                "machine": machine()}  # fmt: skip

    async def ask(
        self, place: Place, name: str, prompts: Sequence[str], how: Sampling, *, at_once: int = 8
    ) -> list[Reply]:
        """Replies of the condition called ``name`` (``FULL``, ``RETAINED``, or a guard of the full model)."""
        model = self.models["retained" if name in (RETAINED, GUARDED_RETAINED) else "full"]
        unchecked = "" if self.check_answers or name in (FULL, RETAINED) else ", answers unchecked"
        return await self.answers.ask(place, f"{name}{unchecked} {model}", prompts, how, at_once=at_once)

    @asynccontextmanager
    async def serving_retained(self) -> AsyncIterator[Place]:
        """The model that never met the forget authors."""
        async with vllm(self.retained, self.folder / "retained.log") as place:
            yield place

    @asynccontextmanager
    async def serving_retained_guarded(self) -> AsyncIterator[tuple[Place, Place]]:
        """The same bare, and behind a proxy that guards the list by ECO."""
        folder = self.folder / "retained"
        folder.mkdir()
        settings = {"policy": "eco"}
        async with self.serving_retained() as bare, self._listed(bare, self.retained, folder, settings) as guarded:
            yield bare, guarded

    @asynccontextmanager
    async def serving_full(self) -> AsyncIterator[tuple[Place, Place]]:
        """The model that knows them, bare and behind a proxy that has learnt the list (policy "refuse")."""
        settings = {"policy": "refuse"}
        async with (
            vllm(self.full, self.folder / "full.log") as bare,
            self._listed(bare, self.full, self.folder, settings) as guarded,
        ):
            yield bare, guarded

    @asynccontextmanager
    async def _listed(
        self, bare: Place, model: Path, folder: Path, settings: Mapping[str, Any]
    ) -> AsyncIterator[Place]:
        async with proxy(bare, model, folder, self.cache_dir, check_answers=self.check_answers) as guarded:
            await make_list(guarded, LIST, settings, lines(self.stuff.forget))
            yield guarded
