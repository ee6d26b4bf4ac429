"""lm-evaluation-harness (EleutherAI) as its users run it: its own command, against a server with OpenAI's API."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.guarded.serving import Place
from benchmarks.suites.running import run


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of a task: which question, what was said, its score."""

    number: int
    said: str
    score: float


async def evaluated(
    command: Path, place: Place, tasks: Sequence[str], folder: Path, out: Path, at_once: int = 4
) -> dict[str, list[Answered]]:
    """What ``lm_eval`` found of a server, by task.

    Args:
        command: the ``lm_eval`` of an environment of its own.
        place: the server.
        tasks: names in ``folder``.
        folder: of ``write_tasks``.
        out: where the harness writes.
        at_once: requests under way.

    Raises:
        RuntimeError: it failed; the message ends with what it printed.
    """
    model = (f"model={place.model},base_url={place.url}/v1/chat/completions,num_concurrent={at_once},max_retries=2,"
             "tokenized_requests=False,tokenizer_backend=None,timeout=600")  # fmt: skip
    words = [str(command), "--model", "local-chat-completions", "--model_args", model, "--tasks", ",".join(tasks),
             "--include_path", str(folder), "--apply_chat_template", "--output_path", str(out), "--log_samples",
              "--batch_size", "1"]  # fmt: skip
    environment = os.environ | {"OPENAI_API_KEY": place.key, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1",
                                "HF_DATASETS_CACHE": str(out / "datasets")}  # fmt: skip
    await run("lm_eval", words, environment)
    return {task: answers_in(out, task) for task in tasks}


def answers_in(out: Path, task: str) -> list[Answered]:
    """The answers of a task that the harness logged under ``out``, by the question's number.

    Raises:
        RuntimeError: there are none.
    """
    files = sorted(out.rglob(f"samples_{task}_*.jsonl"))
    if not files:
        raise RuntimeError(f"lm_eval left no answers of {task} under {out}")
    rows = [json.loads(line) for line in files[-1].read_text(encoding="utf-8").splitlines()]
    found = [Answered(row["doc_id"], _text(row["resps"]), float(row["score"])) for row in rows]
    return sorted(found, key=lambda one: one.number)


def _text(resps: object) -> str:
    while isinstance(resps, list) and resps:
        resps = resps[0]
    return str(resps)
