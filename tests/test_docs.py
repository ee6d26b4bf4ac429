"""Every command and target that README.md and docs/ show is there, with the options that they show."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer
import yaml

from server.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "RELEASING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TARGETS = set(re.findall(r"^([a-z-]+):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))
COMMAND = re.compile(r"(?:^|[\s`(/=\"'])letheward ((?:[a-z][\w-]*|--[a-z-]+)[^`|#\n]*)")
MAKE = re.compile(r"(?:^\s+|`)make ((?:[a-z-]+(?= |`|$) ?)+)", re.MULTILINE)


def _blocks(page: Path) -> Iterator[str]:
    """What a page shows as code: indented or fenced blocks with their lines joined, and words between backticks."""
    text = page.read_text().replace("\\\n", " ")
    yield from re.findall(r"^(?: {4}|```)[^\n]*", text, re.MULTILINE)
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"`([^`]*)\n\s*([^`]*)`", r"`\1 \2`", text))


def _commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in _blocks(page):
            for found in COMMAND.finditer(f" {block}"):
                yield page.name, found[1].strip()


def _root() -> click.Command:
    return typer.main.get_command(app)


def _resolved(line: str) -> tuple[click.Command, list[str]]:
    """The command that a line names, and its options."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # half a quotation, of a line that was cut at a mark
        words = line.split()
    here = _root()
    while words and (known := getattr(here, "commands", None)) is not None and not words[0].startswith("-"):
        assert words[0] in known, f"there is no command {words[0]!r} in {line!r}"
        here = known[words.pop(0)]
    return here, [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]


@pytest.mark.parametrize(("page", "line"), sorted(set(_commands())))
def test_commands_and_their_options_are_there(page: str, line: str) -> None:
    here, options = _resolved(line)
    known = {name for parameter in here.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    assert set(options) <= known, f"{page}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_targets_are_there(page: Path) -> None:
    named = {word for found in MAKE.findall(page.read_text()) for word in found.split()}
    assert named <= TARGETS


def test_the_pages_show_commands_at_all() -> None:
    shown = {line.split()[0] for _, line in _commands()}
    assert {"serve", "doctor", "lists", "verify", "bench", "keys", "audit"} <= shown


def test_every_page_is_in_the_site_and_every_link_leads_to_one() -> None:
    text = (ROOT / "mkdocs.yml").read_text()
    nav = set(re.findall(r"[\w/-]+\.md", yaml.safe_dump(yaml.safe_load(text)["nav"])))
    docs = ROOT / "docs"
    assert nav == {str(page.relative_to(docs)) for page in docs.rglob("*.md")}
    for page in docs.rglob("*.md"):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / link).is_file(), f"{page}: {link}"
