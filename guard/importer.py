"""Entries from JSON lines: Letheward's own format, and question-answer files such as TOFU's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from classifiers.names import derive_names
from guard.corruptions.spec import STRONGEST
from guard.model import Entry, Kept, Policy
from guard.templates import LONGEST_TEMPLATE, check_template
from guard.vectors_only import textless

_MOST_TEXTS = 102  # of an entry: a question, a text, paraphrases
_MOST_HASHED = 1_000_000  # characters


Hash = Annotated[str, Field(max_length=_MOST_HASHED)]


class KeptIn(BaseModel):
    """What a list that keeps vectors only has of an entry, as ``to_line`` wrote it."""

    model_config = ConfigDict(extra="forbid")

    encoder: str = Field(min_length=1, max_length=200)
    dim: int = Field(ge=1, le=65_536)
    vectors: list[Annotated[str, Field(max_length=200_000)]] = Field(max_length=_MOST_TEXTS)
    salt: str = Field(max_length=64)
    names: list[Hash] = Field(max_length=101)
    values: list[Annotated[str, Field(pattern=r"^[0-9a-f]+$", max_length=64)]] = Field(max_length=1000)
    longest: int = Field(ge=0, le=1000)
    bare: str = Field("", max_length=200_000 * _MOST_TEXTS)
    words: str = Field("", max_length=_MOST_HASHED)
    told: str = Field("", max_length=_MOST_HASHED)
    told_weight: float = Field(0.0, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _readable(self) -> KeptIn:
        textless(self.kept())
        return self

    def kept(self) -> Kept:
        """As the store has it."""
        found = self.model_dump() | {key: tuple(getattr(self, key)) for key in ("vectors", "names", "values")}
        return Kept(**found)


class EntryIn(BaseModel):
    """One line. ``subject`` is derived from the batch where it is missing; unknown keys are ignored."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    id: str | None = Field(None, min_length=1, max_length=128, pattern=r"^[\w.:@-]+$")
    subject: str | None = Field(None, min_length=1, max_length=500)
    aliases: list[str] = Field(default_factory=list, max_length=100)
    question: str | None = Field(None, min_length=1, max_length=20_000)
    answer: str | None = Field(None, max_length=20_000)
    text: str | None = Field(None, min_length=1, max_length=20_000)
    paraphrases: list[str] = Field(default_factory=list, max_length=100)
    paraphrased_question: str | None = Field(None, max_length=20_000)  # TOFU's name for one paraphrase
    scope: Literal["subject", "fact"] | None = None
    kind: Literal["forget", "allow"] = "forget"
    action: Policy | None = None
    kept: KeptIn | None = None
    sigma: float | None = Field(None, ge=0, le=STRONGEST, allow_inf_nan=False)
    template: str | None = Field(None, min_length=1, max_length=LONGEST_TEMPLATE)
    labels: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(default_factory=list, max_length=50)
    source: str | None = Field(None, min_length=1, max_length=1000)
    expires_at: AwareDatetime | None = None

    @field_validator("template")
    @classmethod
    def _renders(cls, value: str | None) -> str | None:
        if value is not None:
            check_template(value)
        return value

    @field_validator("aliases", "paraphrases")
    @classmethod
    def _texts(cls, values: list[str]) -> list[str]:
        if any(not v.strip() or len(v) > 20_000 for v in values):
            raise ValueError("items must be texts of 1 to 20000 characters")
        return values

    @field_validator("*")
    @classmethod
    def _no_nul(cls, value: Any) -> Any:
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and ("\0" in text or _lone_surrogate(text)):
                raise ValueError("holds a NUL or half a surrogate pair")
        return value

    @model_validator(mode="after")
    def _says_something(self) -> EntryIn:
        if self.kept is not None:
            if any((self.subject, self.aliases, self.question, self.answer, self.text, self.paraphrases)):
                raise ValueError("an entry has either what is kept without its texts, or texts")
            return self
        if not (self.subject or self.question or self.text):
            raise ValueError("needs at least one of subject, question, text")
        if self.kind == "allow" and not (self.question or self.text):
            raise ValueError("an allowed entry needs a question or a text")
        return self


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line, counted from 1."""

    line: int
    message: str


def read_entries(lines: Iterable[str | bytes], list_name: str) -> tuple[list[Entry], list[Problem]]:
    """Entries and the lines that are none; blank lines are passed over."""
    items: list[EntryIn] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        found = read_line(number, line)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            items.append(found)
    return entries(items, list_name), problems


def read_line(number: int, line: str | bytes) -> EntryIn | Problem:
    """What one line holds, or what is wrong with it."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Problem(number, f"not a JSON object: {error}")
    return read_item(number, value)


def read_item(number: int, value: Any) -> EntryIn | Problem:
    """A line's value, or what is wrong with it."""
    try:
        return EntryIn.model_validate(value)
    except ValidationError as error:
        return Problem(number, _message(error))


def entries(items: Sequence[EntryIn], list_name: str) -> list[Entry]:
    """Entries of a batch. Those without a subject get the name that the batch shows them to be about.

    Whoever hands in questions about a person without naming them wants the person forgotten: such a
    derived subject has scope "subject". A given subject has scope "fact" unless the line says otherwise.
    """
    unnamed = [i for i in items if not i.subject and not i.kept]
    derived = iter(derive_names([(i.question or i.text or "", i.answer or "") for i in unnamed]))
    made: list[Entry] = []
    for item in items:
        subject = item.subject or (None if item.kept else next(derived))
        scope = item.scope or ("subject" if subject and not item.subject else "fact")
        entry = Entry(
            entry_id=item.id or "",
            list_name=list_name,
            subject=subject,
            aliases=tuple(item.aliases),
            question=item.question,
            answer=item.answer or None,
            text=item.text,
            paraphrases=tuple(dict.fromkeys([*item.paraphrases, *filter(None, [item.paraphrased_question])])),
            scope=scope,
            kind=item.kind,
            action=item.action,
            kept=item.kept.kept() if item.kept else None,
            sigma=item.sigma,
            template=item.template,
            labels=tuple(dict.fromkeys(item.labels)),
            source=item.source,
            expires_at=item.expires_at and item.expires_at.astimezone(UTC),
        )
        made.append(entry if item.id else replace(entry, entry_id=_identity(entry)))
    return made


def to_fields(entry: Entry) -> dict[str, Any]:
    """The entry as the fields of an ``EntryIn`` that makes the same entry; those that say nothing are left out."""
    fields: dict[str, Any] = {
        "id": entry.entry_id,
        "subject": entry.subject,
        "aliases": list(entry.aliases),
        "question": entry.question,
        "answer": entry.answer,
        "text": entry.text,
        "paraphrases": list(entry.paraphrases),
        "scope": entry.scope,
        "kind": entry.kind if entry.kind != "forget" else None,
        "action": entry.action,
        "kept": asdict(entry.kept) if entry.kept else None,
        "sigma": entry.sigma,
        "template": entry.template,
        "labels": list(entry.labels),
        "source": entry.source,
        "expires_at": entry.expires_at.isoformat() if entry.expires_at else None,
    }
    return {k: v for k, v in fields.items() if v not in (None, [])}


def to_line(entry: Entry) -> str:
    """The entry as a line that ``read_entries`` reads back to the same entry."""
    return json.dumps(to_fields(entry), ensure_ascii=False)


def _identity(entry: Entry) -> str:
    """The same for the same content, so that importing a file twice adds nothing."""
    if entry.kept is not None:
        content = json.dumps(asdict(entry.kept))
    else:
        content = json.dumps([entry.subject if not entry.question else "", entry.question, entry.answer, entry.text])
    return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()


def _lone_surrogate(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in text)


def _message(error: ValidationError) -> str:
    return "; ".join(
        ".".join(map(str, e["loc"])) + (": " if e["loc"] else "") + e["msg"].removeprefix("Value error, ")
        for e in error.errors()
    )
