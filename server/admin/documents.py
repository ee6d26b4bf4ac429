"""POST /admin/v1/lists/{name}/documents: a text, split into the facts that are to be forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from guard import documents_by_model
from guard.documents import LONGEST_DOCUMENT, Fact, facts
from guard.importer import EntryIn, entries
from guard.keeping import as_kept
from guard.model import Entry
from server.admin.changing import Changing
from server.admin.entries import AddedOut, adding
from server.admin.faults import off_loop
from server.admin.how import How, how
from server.admin.shown import DryRunOut
from server.documented import also, documented
from server.errors import ApiError
from server.list_name import ListName
from server.served_models import served_model
from server.upstream import Upstream

_TIMEOUT = 120.0  # seconds, for the model's answer about one piece
_MAX_TOKENS = 1024
_MOST_FACTS = 10_000


class DocumentIn(BaseModel):
    """A text. ``title``: whom or what it is about; ``how``: by rules, or by the served model as well."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=LONGEST_DOCUMENT)
    title: str | None = Field(None, min_length=1, max_length=500)
    source: str | None = Field(None, min_length=1, max_length=1000)
    labels: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(default_factory=list, max_length=50)
    expires_at: AwareDatetime | None = None
    how: Literal["rules", "model"] = "rules"
    model: str | None = Field(None, min_length=1, max_length=512, description="default: the first that is served")
    dry_run: bool = Field(False, description="the same as ?dry_run=true")


class FactOut(BaseModel):
    """A fact: the entry's id, what it says (null in a list without texts), and the characters that say it."""

    id: str
    subject: str | None
    question: str | None
    text: str | None
    source: tuple[int, int]
    spans: list[tuple[int, int]] = Field(description="of the values that it gives")


class DocumentOut(AddedOut):
    """What a document came to."""

    facts: list[FactOut]


class DocumentRehearsal(DryRunOut):
    """What it would come to."""

    facts: list[FactOut]


def add_documents(router: APIRouter, changing: Changing, upstream: Upstream | None, *, by_model: bool) -> None:
    """The route. ``by_model``: the operator allows that documents are shown to the served model."""

    @router.post(
        "/lists/{name}/documents", status_code=201, response_model=DocumentOut,
        responses=also(200, DocumentRehearsal, "A dry run") | documented(404, 409, 412, 502, 504),
    )  # fmt: skip
    async def add(name: ListName, given: DocumentIn, asked: Annotated[How, Depends(how)]) -> Response:
        """Add the facts of a document as entries; the same document again changes nothing."""
        if given.how == "model":
            if upstream is None or not by_model:
                raise ApiError(
                    400, "Documents are not shown to the served model here: set documents_by_model, or use \"rules\".",
                    param="how", code="not_enabled",
                )  # fmt: skip
            found = await _by_model(upstream, given)
        else:
            found = await off_loop(partial(facts, given.text, given.title))
        made = await off_loop(partial(_entries, changing, name, given, found))
        told = {"facts": [_told(entry, fact) for entry, fact in zip(made, found, strict=True)]}
        asked = replace(asked, dry_run=asked.dry_run or given.dry_run)
        return await changing.carry_out(asked, adding(name, made, asked), told)


async def _by_model(upstream: Upstream, given: DocumentIn) -> list[Fact]:
    model = await served_model(upstream, given.model)
    found: list[Fact] = []
    for piece in await off_loop(partial(documents_by_model.pieces, given.text)):
        messages = documents_by_model.question(given.text[piece.start : piece.end], given.title)
        body = {"model": model, "messages": messages, "temperature": 0, "max_tokens": _MAX_TOKENS}
        answer = await upstream.complete(body, timeout=_TIMEOUT)
        found += documents_by_model.read(_content(answer), given.text, piece, given.title)
    return await off_loop(partial(documents_by_model.together, given.text, given.title, found))


def _content(answer: dict[str, Any]) -> str:
    try:
        return str(answer["choices"][0]["message"]["content"] or "")
    except (KeyError, IndexError, TypeError) as error:
        raise ApiError(502, "The model's answer has no text.", type="server_error", code="bad_answer") from error


def _entries(changing: Changing, name: str, given: DocumentIn, found: Sequence[Fact]) -> list[Entry]:
    if not found:
        raise ApiError(400, "The text says nothing that could be forgotten.", param="text", code="no_facts")
    if len(found) > _MOST_FACTS:
        raise ApiError(400, f"The text has more than {_MOST_FACTS} facts.", param="text", code="too_many_facts")
    common = {"labels": given.labels, "source": given.source or given.title, "expires_at": given.expires_at}
    items = [EntryIn.model_validate(common | _said(fact)) for fact in found]
    return as_kept(changing.manager, name, entries(items, name))


def _said(fact: Fact) -> dict[str, Any]:
    subject = {"subject": fact.subject[:500]} if fact.subject else {}
    if fact.question is None:
        return {"text": fact.text, "scope": "fact"} | subject
    return {"question": fact.question, "answer": fact.text, "scope": "fact"} | subject


def _told(entry: Entry, fact: Fact) -> dict[str, Any]:
    return {
        "id": entry.entry_id,
        "subject": entry.subject,
        "question": entry.question,
        "text": entry.answer or entry.text,
        "source": (fact.source.start, fact.source.end),
        "spans": [(s.start, s.end) for s in fact.spans],
    }
