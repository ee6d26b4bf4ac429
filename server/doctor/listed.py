"""The forget lists: what of them cannot do what it says."""

from __future__ import annotations

from collections.abc import Iterator

from classifiers.scorers import create_scorer
from guard.model import Entry
from guard.selection import FOLDER, TokenSelectors
from guard.store import StoreError
from server.doctor.case import Case, InForce
from server.doctor.finding import Finding, Unusable, fail, ok, one_line, using, warn


def lists(case: Case) -> Iterator[Finding]:
    """What each enabled list lacks."""
    try:
        held = list(case.lists())
    except (StoreError, ValueError):  # which a check of its own tells
        return
    for item in held:
        name = f"list {item.forget_list.name}"
        amiss = [*_entries(name, item), *_action(name, item, case), *_parts(name, item, case)]
        yield from amiss or [ok(name, f"{item.forget_list.policy}, {len(item.entries)} entries")]
    if case.contents and not held:
        yield warn("lists", "none is enabled: nothing is forgotten", "letheward lists import NAME FILE")


def _entries(name: str, item: InForce) -> Iterator[Finding]:
    own = item.forget_list.name
    blank = [e.entry_id for e in item.entries if _says_nothing(e)]
    if not item.entries:
        yield warn(name, "it has no entry in force", f"letheward lists import {own} FILE, or lists set {own} --off")
    if blank:
        told = f"{len(blank)} entries say nothing, the first is {blank[0]}"
        yield warn(name, told, f"letheward lists remove {own} {blank[0]}")


def _says_nothing(entry: Entry) -> bool:
    texts = (entry.subject, entry.question, entry.text, *entry.aliases, *entry.paraphrases)
    return entry.kept is None and not any(text and text.strip() for text in texts)


def _action(name: str, item: InForce, case: Case) -> Iterator[Finding]:
    """Actions for which something is missing, so that others stand in."""
    own, actions = item.forget_list, item.actions()
    if "eco" in actions and case.folder is None and case.settings.upstream_urls:
        told = f"it asks for eco, and there is no model folder: {own.fallback} stands in"
        yield warn(name, told, "start with --model-path FOLDER of the served model")
    lost = (case.guard_served and case.guard_served.fault) or _not_served(case)
    if "dragon" in (*actions, own.fallback) and lost:
        told = f"it asks for dragon, and there is no guard model ({lost}): a template's reasoning stands in"
        yield warn(name, told, "see LETHEWARD_GUARD_UPSTREAM and LETHEWARD_GUARD_MODEL")


def _not_served(case: Case) -> str:
    wanted = case.settings.guard_model
    asked = [case.guard_served] if case.guard_served else list(case.served.values())
    there = {model for served in asked for model in served.models}
    return f"{wanted} is not served" if wanted and there and wanted not in there else ""


def _parts(name: str, item: InForce, case: Case) -> Iterator[Finding]:
    """What the list names, and the cache folder or the encoder does not have."""
    own, cache = item.forget_list, case.settings.cache_dir
    try:
        TokenSelectors(cache / FOLDER).check(own.token_classifier)
    except (ValueError, RuntimeError) as error:
        yield fail(name, one_line(error), f"letheward eco train-tokens --list FILE --name {own.token_classifier}")
    scorer = own.scorer or case.settings.scorer
    try:
        create_scorer(scorer, cache / "classifiers")
    except (ValueError, RuntimeError) as error:
        yield fail(name, one_line(error), f"letheward lists set {own.name} --scorer head, or train it again")
    if kept := {(e.kept.encoder, e.kept.dim) for e in item.entries if e.kept}:
        yield from _kept(name, kept, case)


def _kept(name: str, kept: set[tuple[str, int]], case: Case) -> Iterator[Finding]:
    try:
        with using():
            here = (case.encoder.name, case.encoder.dim)
    except Unusable:  # which a check of its own tells
        return
    for encoder, dim in sorted(kept - {here}):
        told = f"it holds vectors of {encoder} ({dim} dimensions), and the encoder is {here[0]} ({here[1]})"
        yield fail(name, told, f"set LETHEWARD_ENCODER={encoder}, or import the list again")
