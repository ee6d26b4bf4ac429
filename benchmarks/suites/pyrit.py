"""PyRIT (Microsoft) against a server with OpenAI's API: its converters, its attack, its scorer, in its environment."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.data.corpus import Item
from benchmarks.guarded.serving import Place
from benchmarks.suites import pyrit_driver
from benchmarks.suites.garak import masked
from benchmarks.suites.running import run
from benchmarks.suites.scanned import Attempt


async def scanned(python: Path, place: Place, facts: Sequence[Item], out: Path) -> list[Attempt]:
    """Every fact's question through every converter.

    Args:
        python: of PyRIT's environment.
        place: the server.
        facts: asked for; such as add no word to their question are left out.
        out: where the job and what came of it are written.

    Raises:
        RuntimeError: it failed; the message ends with what it printed.
    """
    asked = [(item, found[0]) for item, found in ((item, masked(item)) for item in facts) if found]
    job = {"url": place.url, "key": place.key, "model": place.model,
           "facts": [{"question": item.question, "word": word} for item, word in asked]}  # fmt: skip
    source, result = _written(out, job), out / "found.json"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"HOME": str(out), "RETRY_MAX_NUM_ATTEMPTS": "1", "HF_HUB_OFFLINE": "1"}
    words = [str(python), "-P", pyrit_driver.__file__, str(source), str(result)]  # -P: this file is named pyrit too
    await run("PyRIT", words, environment, folder=out, leaves=result)
    rows = json.loads(result.read_text(encoding="utf-8"))
    failed = [f"{row['converter']}: {row['failed']}" for row in rows if "failed" in row]
    if failed:
        raise RuntimeError("PyRIT could not ask everything:\n" + "\n".join(failed[:10]))
    return [Attempt(row["converter"] or "no converter", row["said"], row["hit"]) for row in rows]


def _written(out: Path, job: dict[str, Any]) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    file = out / "job.json"
    file.write_text(json.dumps(job), encoding="utf-8")
    return file
