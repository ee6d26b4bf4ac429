"""The model servers, and whether the model folder is that of the served model."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import orjson

from guard import adapters
from guard.eco import Eco
from guard.effects import GuardUnavailable
from server.doctor.case import Case
from server.doctor.finding import Finding, Unusable, fail, ok, one_line, using, warn
from server.doctor.installed import has_torch
from server.doctor.serving import Served, post

_TEXT = "The capital of France is Paris, and 2 + 2 = 4."
_ANOTHER = "give in --model-path the very folder that the server was started with"


def upstream(case: Case) -> Iterator[Finding]:
    """Whether each model server answers, and serves MODEL where one was named."""
    wanted = case.settings.model
    for url, served in case.served.items():
        if served.fault:
            yield fail("upstream", served.fault, served.todo)
        elif case.is_set("model") and wanted not in served.models:
            todo = f"set LETHEWARD_MODEL to what is served, or start vLLM with --served-model-name {wanted}"
            yield fail("upstream", f"{url} serves {', '.join(served.models)}, and not {wanted}", todo)
        else:
            yield ok("upstream", f"{url} serves {', '.join(served.models)}")


def guard_model(case: Case) -> Iterator[Finding]:
    """Whether the model that writes DRAGON's reasoning is there, where one was named."""
    own = case.settings
    if own.guard_lora:
        yield _adapter(own.cache_dir / adapters.ADAPTERS, own.guard_lora)
    if case.guard_served and case.guard_served.fault:
        yield fail("guard model", case.guard_served.fault, case.guard_served.todo)
        return
    asked = [case.guard_served] if case.guard_served else [s for s in case.served.values() if not s.fault]
    for served in asked if own.guard_model else ():
        if own.guard_model in served.models:
            yield ok("guard model", f"{served.url} serves {own.guard_model}")
        else:
            told = f"{served.url} serves {', '.join(served.models)}, and not {own.guard_model}"
            yield fail("guard model", told, "set LETHEWARD_GUARD_MODEL to what is served there")
    if case.guard_served and not own.guard_model:
        todo = "set LETHEWARD_GUARD_MODEL: without it that server is asked for the client's model"
        if not set(case.guard_served.models) & {m for s in case.served.values() for m in s.models}:
            yield warn("guard model", f"{own.guard_upstream} serves {', '.join(case.guard_served.models)}", todo)


def _adapter(root: Path, name: str) -> Finding:
    try:
        adapters.read(root / adapters.check_name(name))
    except (ValueError, OSError) as error:
        return fail("guard model", one_line(error), f"letheward dragon train {name}")
    return ok("guard model", f"adapter {name}")


def embeddings(case: Case) -> Iterator[Finding]:
    """Whether ECO, where a list wants it, has the tokenizer and the embedding rows of the served model."""
    folder = case.folder
    if not case.wants_eco:
        return
    if folder is None:
        return  # told by list
    if not has_torch():
        yield fail("model path", "torch is not installed, which ECO needs", "install the extra cpu, gpu or torch")
        return
    try:
        with using():
            eco = Eco(folder)
            eco.exact(_TEXT)
            amiss = _unlike_config(folder, eco)
    except Unusable as error:
        yield fail(
            "model path", f"{folder}: {error}", "give a folder with tokenizer.json and safetensors of the served model"
        )
        return
    if amiss:
        yield fail("model path", f"{folder}: {amiss}", _ANOTHER)
        return
    yield ok("model path", f"{folder}: {eco.vocabulary} rows of {eco.dim}")
    for served in case.served.values():
        if not served.fault:
            yield _matches(case, served, eco)


def _unlike_config(folder: Path, eco: Eco) -> str:
    """How config.json and tokenizer, where they say it, do not fit the rows."""
    config = folder / "config.json"
    told = orjson.loads(config.read_bytes()) if config.is_file() else {}
    told = told.get("text_config", told)
    dim, rows = told.get("hidden_size", eco.dim), told.get("vocab_size", eco.vocabulary)
    if dim != eco.dim or rows > eco.vocabulary:
        return f"config.json wants {rows} rows of {dim}, and there are {eco.vocabulary} of {eco.dim}"
    if eco.tokenizer.size > eco.vocabulary:
        return f"the tokenizer has {eco.tokenizer.size} tokens, and there are {eco.vocabulary} rows"
    return ""


def _matches(case: Case, served: Served, eco: Eco) -> Finding:
    """Ask the served model the same as text and as this folder's rows, word for word."""
    own = case.settings
    model = own.model if own.model in served.models else served.models[0]
    patience = own.connect_timeout
    plain = {"model": model, "max_tokens": 4, "temperature": 0}
    try:
        there = post(served, "/tokenize", {"model": model, "prompt": _TEXT, "add_special_tokens": False}, patience)
        here = list(eco.tokenizer.encode(_TEXT, add_special_tokens=False).ids)
        if there["tokens"] != here:
            told = f"{served.url} tokenizes {model} in another way than the folder"
            return fail("embeddings", told, _ANOTHER)
        asked = plain | {"prompt": _TEXT}, plain | {"prompt_embeds": eco.exact(_TEXT, add_special_tokens=True)}
        as_text, as_rows = (post(served, "/v1/completions", body, patience)["choices"][0]["text"] for body in asked)
    except (ValueError, KeyError, TypeError, IndexError, GuardUnavailable) as error:
        told = f"{served.url}: {one_line(error)}"
        return fail("embeddings", told, "start vLLM with --enable-prompt-embeds, or use a policy other than eco")
    if as_text != as_rows:
        return fail("embeddings", f"{model} answers the folder's rows otherwise than the same text", _ANOTHER)
    return ok("embeddings", f"{model} answers the folder's rows as it answers the same text")


def patterns(case: Case) -> Iterator[Finding]:
    """Whether each list that is for some models is for one that is served."""
    served = {model for each in case.served.values() for model in each.models}
    for item in case.lists() if served else ():
        wanted = item.forget_list.models
        if wanted and not any(fnmatchcase(model, pattern) for model in served for pattern in wanted):
            told = f"for {', '.join(wanted)}, and there is {', '.join(sorted(served))}"
            name = item.forget_list.name
            yield warn(f"list {name}", told, f"letheward lists set {name} --model '*'")
