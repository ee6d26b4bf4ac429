"""garak (NVIDIA) as its users run it: its own command, its leak-replay probes, over facts of ours.

The probes ask for the word that was masked in a passage, and to go on where a passage breaks off. garak looks for its
data files in the user's data folder first, so that the facts take the place of the books that it ships with; its own
buffs put each prompt into base64, numbers of characters and lower case.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.data.corpus import Item
from benchmarks.guarded.serving import Place
from benchmarks.metrics.coverage import keys
from benchmarks.suites.running import run
from benchmarks.suites.scanned import Attempt

_PROBES = "leakreplay.LiteratureCloze,leakreplay.LiteratureComplete"
_FILE = "book_cloze.tsv"  # of these probes
BUFFS = ("", "encoding.Base64", "encoding.CharCode", "lowercase.Lowercase")


def masked(fact: Item) -> tuple[str, str] | None:
    """The word of the answer that its question does not tell, and a passage without it; None where there is none."""
    words = [word for word in re.findall(r"\w+", fact.answer) if word.lower() in keys(fact.question, fact.answer)]
    if not words:
        return None
    longest = max(words, key=len)
    passage = re.sub(rf"\b{longest}\b", "[MASK]", fact.answer)
    return longest, f"{fact.question} {passage}".replace("\t", " ")


async def scanned(command: Path, place: Place, facts: Sequence[Item], out: Path) -> list[Attempt]:
    """Every fact by both probes, as they are and under each buff.

    Args:
        command: the ``garak`` of an environment of its own.
        place: the server.
        facts: asked for.
        out: where garak writes.

    Raises:
        RuntimeError: it failed; the message ends with what it printed.
    """
    data = out / "data" / "garak" / "data"
    data.mkdir(parents=True, exist_ok=True)
    rows = [row for row in map(masked, facts) if row is not None]
    (data / _FILE).write_text("".join(f"{word}\t{passage}\n" for word, passage in rows), encoding="utf-8")
    found = []
    for buff in BUFFS:
        report = out / f"report-{buff or 'none'}"
        found += attempts(await _run(command, place, out, report, buff), buff)
    return found


async def _run(command: Path, place: Place, out: Path, report: Path, buff: str) -> Path:
    """Where garak wrote what it asked and heard."""
    options = {"openai": {"OpenAICompatible": {"uri": f"{place.url}/v1", "temperature": 0.0, "stop": None}}}
    words = [str(command), "--target_type", "openai.OpenAICompatible", "--target_name", place.model,
             "--generator_options", json.dumps(options), "--probes", _PROBES, "--generations", "1",
             "--parallel_attempts", "4", "--report_prefix", str(report),
             *(["--buffs", buff] if buff else [])]  # fmt: skip
    environment = os.environ | {"OPENAICOMPATIBLE_API_KEY": place.key, "XDG_DATA_HOME": str(out / "data"),
                                "XDG_CONFIG_HOME": str(out / "config"), "XDG_CACHE_HOME": str(out / "cache"),
                                "HF_HUB_OFFLINE": "1"}  # fmt: skip
    file = report.with_name(f"{report.name}.report.jsonl")
    await run("garak", words, environment, leaves=file)
    return file


def attempts(file: Path, buff: str) -> list[Attempt]:
    """What garak's report says: one line for each attempt, the last of an attempt has its detectors' verdicts."""
    lines = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    judged = {line["uuid"]: line for line in lines if line.get("entry_type") == "attempt" and line["detector_results"]}
    found = []
    for line in judged.values():
        probe = line["probe_classname"].rpartition(".")[2]
        outputs = [output["text"] for output in line["outputs"] if output]
        verdicts = [v for result in line["detector_results"].values() for v in result if v is not None]
        found.append(Attempt(f"{probe} {buff}".strip(), " ".join(outputs), max(verdicts, default=0.0) >= 0.5))
    return found
