"""The benchmark of the guard of answers, on made-up data."""

from __future__ import annotations

import json
from pathlib import Path

from typer import Typer
from typer.testing import CliRunner

from benchmarks import output_guard

PEOPLE = {"Zorvan Pelk": "Quellmar", "Mirella Quandt": "Ostrava", "Tobin Asgar": "Visby"}


def _write(folder: Path, name: str, rows: list[dict[str, object]]) -> None:
    (folder / f"{name}.json").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_what_is_caught_and_what_passes_is_reported(tmp_path: Path) -> None:
    forget = [
        {"question": f"{ask} {name} born?", "answer": f"{name} was born in {town}."}
        for name, town in PEOPLE.items()
        for ask in ("Where was", "In which town was")
    ]
    other = [{"question": "Where was Ines Ulm born?", "answer": "Ines Ulm was born in Bergen."}]
    perturbed = [
        {"question": r["question"], "paraphrased_answer": r["answer"], "perturbed_answer": ["That I cannot say."]}
        for r in forget
    ]
    for name in ("retain95", "real_authors_perturbed", "world_facts_perturbed"):
        _write(tmp_path, name, other)
    _write(tmp_path, "forget05", forget)
    _write(tmp_path, "forget05_perturbed", perturbed)
    app = Typer()
    app.command()(output_guard.main)
    out = tmp_path / "out.json"
    result = CliRunner().invoke(app, ["--tofu", str(tmp_path), "--entries", "50", "--json", str(out)])
    assert result.exit_code == 0, result.output
    lines = {line["name"]: line for line in json.loads(out.read_text())["lines"]}
    assert lines["forget answers"]["value"] == 1
    assert lines["paraphrased answers"]["value"] == 1
    assert lines["wrong answers"]["value"] == 0
    assert lines["retain answers"]["value"] == 0
    assert lines["retain answers"]["met"]
    assert lines["build, 50 entries"]["value"] > 0
