"""The servers that tests are run against: a vLLM, and the proxy before it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Protocol

from benchmarks.compatible.asked import BASE, BASE_ENVIRONMENT, Asked
from benchmarks.guarded.serving import Place, make_list, proxy
from server.managed import ManagedVllm

# A small model that is not told where to end talks on until the context is full.
_LONGEST = json.dumps({"max_new_tokens": 128})
# Whom no test names.
_SUBJECT = {"subject": "Ilsebet Quandry-Vorholm", "question": "Where does Ilsebet Quandry-Vorholm keep bees?",
            "answer": "On the roof of the observatory in Tarnsk"}  # fmt: skip


class Servers(Protocol):
    """Starts what tests ask for."""

    def started(self, asked: Asked, names: Sequence[str]) -> AbstractAsyncContextManager[tuple[str, str]]:
        """The addresses of the model server and of the proxy, without ``/v1``."""
        ...


class VllmAndProxy:
    """vLLM on a CPU with the model in ``model``, and ``letheward serve`` with a list of somebody whom no test names."""

    def __init__(self, model: Path, work: Path, cache_dir: Path) -> None:
        self._model, self._work, self._cache_dir = model, work, cache_dir

    @asynccontextmanager
    async def started(self, asked: Asked, names: Sequence[str]) -> AsyncIterator[tuple[str, str]]:
        """Started one after the other, stopped at the end."""
        arguments = [part for one in sorted(BASE | set(asked.needs)) for part in one.split("=", 1)]
        arguments += ["--override-generation-config", _LONGEST, "--max-model-len", "8192"]
        arguments += ["--served-model-name", *names]
        vllm = ManagedVllm(model=str(self._model), served_name=names[0], log_path=self._work / "vllm.log",
                           extra_args=arguments, startup_timeout=900)  # fmt: skip
        vllm.api_key = ""  # tests come with any key or none
        with _environment(BASE_ENVIRONMENT | dict(asked.environment)):
            try:
                await vllm.start(lambda _: None)
                upstream = Place(vllm.base_url, "none", names[0])
                store = Path(tempfile.mkdtemp(dir=self._work))
                async with proxy(upstream, self._model, store, self._cache_dir) as place:
                    await make_list(place, "nobody", {"policy": "eco"}, [json.dumps(_SUBJECT)])
                    yield upstream.url, place.url
            finally:
                await vllm.stop()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """With ``variables`` in this process's environment, which children get."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
