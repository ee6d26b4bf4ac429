"""Documents, split into the facts that are to be forgotten."""

from __future__ import annotations

import json
from typing import Any

import httpx

from guard.model import ForgetList
from tests.server.conftest import ADMIN_KEY, Build, House

AUTH = {"Authorization": f"Bearer {ADMIN_KEY}"}
TEXT = "Mira Toll was born in Karachi on May 3, 1945. She won the Sterling Prize in 1971. What did she write next?"


def _add(house: House, name: str = "facts", **fields: Any) -> httpx.Response:
    return house.client.post(f"/admin/v1/lists/{name}/documents", json={"text": TEXT} | fields, headers=AUTH)


def test_each_fact_becomes_an_entry_that_is_guarded(house: House) -> None:
    done = _add(house, source="letter 12", labels=["gdpr"])
    assert (done.status_code, done.json()["added"]) == (201, 2)
    told = done.json()["facts"]
    assert [f["text"] for f in told] == [
        "Mira Toll was born in Karachi on May 3, 1945.", "Mira Toll won the Sterling Prize in 1971.",
    ]  # fmt: skip
    start, end = told[1]["source"]
    assert TEXT[start:end] == "She won the Sterling Prize in 1971."
    entry = house.manager.store.get_entry("facts", told[0]["id"]).entry
    assert (entry.subject, entry.scope, entry.source, entry.labels) == ("Mira Toll", "fact", "letter 12", ("gdpr",))
    assert house.chat("Where was Mira Toll born, in Karachi?").headers["x-letheward-action"] == "eco"
    assert _add(house, source="letter 12", labels=["gdpr"]).json()["added"] == 0


def test_a_dry_run_shows_the_facts(house: House) -> None:
    told = _add(house, dry_run=True).json()
    assert (told["dry_run"], told["total"], len(told["facts"])) == (True, 2, 2)
    assert house.manager.store.revision() == 2


def test_a_list_without_texts_keeps_none_of_a_document(house: House) -> None:
    house.manager.change(lambda s: s.put_list(ForgetList("bare", keep="vectors")))
    told = _add(house, "bare").json()
    assert [f["text"] for f in told["facts"]] == [None, None]
    assert all(e.kept is not None for e in house.manager.store.get_entries("bare"))


def test_a_text_that_says_nothing_is_refused(house: House) -> None:
    assert _add(house, text="What is it?").json()["error"]["code"] == "no_facts"
    assert _add(house, how="model").json()["error"]["code"] == "not_enabled"


def test_what_the_model_says_is_kept_where_the_document_bears_it_out(build: Build) -> None:
    said = [
        {"subject": "Mira Toll", "question": "Where was Mira Toll born?", "answer": "Karachi"},
        {"subject": "Mira Toll", "question": "Whom did Mira Toll marry?", "answer": "Jon Berg"},
    ]
    with build(documents_by_model=True) as house:
        house.script.text = "Here they are:\n" + "\n".join(map(json.dumps, said)) + "\n{broken"
        told = _add(house, how="model").json()["facts"]
        assert TEXT in house.script.last["messages"][0]["content"]
    assert [(f["question"], f["text"]) for f in told] == [
        (None, "Mira Toll was born in Karachi on May 3, 1945."),  # its date is in no answer of the model
        ("Where was Mira Toll born?", "Karachi"),
        (None, "Mira Toll won the Sterling Prize in 1971."),
    ]
