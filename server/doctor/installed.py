"""Python, the packages, and the encoder."""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from classifiers.registry import OWN
from server.doctor.case import Case
from server.doctor.finding import Finding, Unusable, fail, ok, one_line, using, warn
from server.managed import has_nvidia
from server.model_files import EMBEDDED, embedded_file

_US = "letheward"


def python() -> Iterator[Finding]:
    """Whether this Python is one that is supported."""
    here, wanted = platform.python_version(), _python_wanted()
    if wanted is None:
        yield warn("python", f"{here}; letheward itself is not installed", "install it: pip install letheward")
    elif here in wanted:
        yield ok("python", f"{here}, within {wanted}")
    else:
        yield fail("python", f"{here} is not within {wanted}", "make an environment with Python 3.11 or 3.12")


def packages(extras: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Whether each package that is needed is there, in a version that fits."""
    needed = [r for r in _requirements() if _asked_for(r, ("", *extras))]
    wrong = [found for requirement in needed if (found := _amiss(requirement))]
    yield from wrong
    if not wrong:
        told = f"{len(needed)} packages within their bounds"
        yield ok("packages", f"{told}, extras {', '.join(extras)} included" if extras else told)


def for_settings(case: Case) -> Iterator[Finding]:
    """The packages, with the extras that these settings need."""
    own = case.settings
    wanted = {
        "postgres": not own.store_url.startswith("sqlite"),
        "otel": own.traces_endpoint is not None,
        "multilingual": own.encoder == "use-multilingual",
        "torch": own.encoder == "minilm" or own.encoder.startswith(OWN),
        "gpu" if has_nvidia() else "cpu": not own.upstream_urls,
    }
    return packages(tuple(extra for extra, here in wanted.items() if here))


def model(case: Case) -> Iterator[Finding]:
    """Whether the model that Letheward is to serve itself is there."""
    name = case.settings.model
    if case.settings.upstream_urls:
        return
    if name == EMBEDDED:
        try:
            yield ok("model", f"{name}, out of {embedded_file().name}")
        except RuntimeError as error:
            yield fail("model", one_line(error), "install it, or give --model or --upstream")
    elif case.folder is None:
        todo = "give a folder, or see that the hub can be reached at the first start"
        yield warn("model", f"{name} is no folder here, and not in the hub's cache", todo)
    elif not (case.folder / "config.json").is_file():
        yield fail("model", f"{case.folder} has no config.json", "give the folder of a checkpoint")
    else:
        yield ok("model", f"{name} is in {case.folder}")


def encoder(case: Case) -> Iterator[Finding]:
    """Whether the detector's encoder loads and encodes, and whether its files could run code."""
    name = case.settings.encoder
    try:
        with using():
            found = case.encoder
            length = float((found.encode(["Who is it?"])[0] ** 2).sum())
    except Unusable as error:
        yield fail("encoder", f"{name}: {error}", "install its package (again), or set LETHEWARD_ENCODER")
        return
    pickled = _pickles(Path(name.removeprefix(OWN))) if name.startswith(OWN) else []
    if abs(length - 1) > 1e-3:
        yield fail("encoder", f"{name} gives vectors of length {length:.3f}, not 1", "install its package again")
    elif pickled:
        yield warn("encoder", f"{name} holds {pickled[0]}, a pickle, which can run code when it is loaded",
                   "convert its weights to safetensors")  # fmt: skip
    else:
        yield ok("encoder", f"{found.name}, {found.dim} dimensions")


def _pickles(folder: Path) -> list[str]:
    return sorted(p.name for end in ("bin", "pt", "pth", "pkl") for p in folder.glob(f"**/*.{end}"))


def _python_wanted() -> SpecifierSet | None:
    try:
        return SpecifierSet(metadata(_US)["Requires-Python"] or "")
    except PackageNotFoundError:
        return None


def _requirements() -> list[Requirement]:
    try:
        return list(map(Requirement, requires(_US) or ()))
    except PackageNotFoundError:
        return []


def _asked_for(requirement: Requirement, extras: tuple[str, ...]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)


def _amiss(requirement: Requirement) -> Finding | None:
    todo = f"pip install '{requirement.name}{requirement.specifier}'"
    try:
        there = version(requirement.name)
    except PackageNotFoundError:
        return fail("packages", f"{requirement.name} is not installed", todo)
    if not requirement.specifier.contains(there, prereleases=True):
        return fail("packages", f"{requirement.name} {there} is not within {requirement.specifier}", todo)
    return None


def has_torch() -> bool:
    """Whether torch is there, which ECO needs; it is not imported."""
    return importlib.util.find_spec("torch") is not None
