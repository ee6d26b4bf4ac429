"""Deletion records: what they say of what was seen, that they cannot be changed, and that they hold no texts."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from guard.model import Entry
from guard.verification.bounds import upper
from guard.verification.canonical import canonical, rounded
from guard.verification.kinds import KINDS
from guard.verification.page import page
from guard.verification.probes import choose, probes
from guard.verification.record import Run, make_record
from guard.verification.signing import Forged, Signer, check
from guard.verification.tally import Outcome, Outcomes
from guard.verification.untouched import Compared

ENTRIES = [
    Entry("hp", "l", subject="Harry Potter", question="Who wrote Harry Potter?", answer="J.K. Rowling"),
    Entry("fr", "l", subject="France", question="What is the capital of France?", answer="Paris"),
]
WHEN = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer.of_file(tmp_path / "keys" / "signing.key", make=True)


def _run(live: dict[str, int], bare: dict[str, int], *, samples: int = 10, **fields: Any) -> Run:
    """A run in which so many answers about each entry tell."""
    chosen = choose(ENTRIES, 9, 0)
    asked = probes(chosen.entries, ENTRIES, kinds=list(KINDS), per_kind=1, seed=0)
    outcomes = Outcomes()
    for arm, told in (("live", live), ("bare", bare)):
        for entry in ENTRIES:
            left = told.get(entry.entry_id, 0)
            for probe in (p for p in asked if p.entry is entry):
                for sample in range(samples):
                    rule = "value" if left > 0 else None
                    left -= 1
                    outcomes.add(Outcome(arm, entry.entry_id, probe.kind, probe.id, 1.0, sample, rule, "eco"))  # type: ignore[arg-type]
    compared = [
        Compared("general", "Rome.", "Rome.", "Rome.", "pass"),
        Compared("given", "A b.", "A c.", "A c.", "eco"),
    ]
    method = {
        "confidence": 0.95,
        "tolerance": 0.05,
        "temperatures": [1.0],
        "samples": samples,
        "seed": 0,
        "max_tokens": 9,
    }
    run = Run(
        "abc", "ops", WHEN, WHEN, "l", None, chosen, asked, {"revision": 3, "policy": "eco"}, {"id": "m"}, method,
        outcomes, compared,
    )  # fmt: skip
    return replace(run, **fields)


def test_no_leak_of_a_model_that_knows_holds_with_its_bound(signer: Signer) -> None:
    record = make_record(_run({}, {"hp": 60, "fr": 60}), signer)
    n = record["live"]["answers"]["n"]
    assert n == len(_run({}, {}).probes) * 10
    assert record["verdict"]["holds"] is True
    assert record["verdict"]["proves"] == "guard"
    assert record["live"]["answers"]["upper"] == pytest.approx(upper(0, n, 0.95), abs=1e-6)
    assert record["live"]["probes"]["n"] == len(_run({}, {}).probes)  # probes, however often they were asked
    assert record["live"]["entries"]["n"] == 2
    assert record["known"]["entries"] == 2
    assert (record["neighbours"]["changed"]["k"], record["neighbours"]["acted_on"]) == (1, 1)


def test_a_model_that_never_knew_proves_nothing(signer: Signer) -> None:
    verdict = make_record(_run({}, {}), signer)["verdict"]
    assert (verdict["holds"], verdict["proves"]) == (True, "nothing")
    assert "proves nothing" in verdict["caveat"]


def test_what_the_model_does_not_know_of_some_entries_is_said(signer: Signer) -> None:
    record = make_record(_run({}, {"hp": 60}), signer)
    assert record["verdict"]["proves"] == "guard"
    assert "Of the other 1 nothing is proved" in record["verdict"]["caveat"]
    assert [row["known"] for row in record["by_entry"]] == [True, False]
    assert record["known"]["live"]["answers"]["n"] < record["live"]["answers"]["n"]


def test_too_few_answers_are_undecided_and_it_says_how_many_are_enough(signer: Signer) -> None:
    verdict = make_record(_run({}, {"hp": 3}, samples=1), signer)["verdict"]
    assert verdict["holds"] is None
    assert "59 answers" in verdict["says"]


def test_leaks_of_one_entry_are_not_hidden_among_the_others(signer: Signer) -> None:
    record = make_record(_run({"fr": 36}, {"hp": 60, "fr": 60}, samples=40), signer)
    assert record["live"]["answers"]["rate"] < record["method"]["tolerance"] + 0.01
    assert record["verdict"]["holds"] is False
    assert record["verdict"]["leaking_entries"] == ["fr"]
    assert len(record["leaks"]) == 36


def test_a_record_holds_no_texts_unless_they_are_wanted(signer: Signer) -> None:
    plain = json.dumps(make_record(_run({"fr": 1}, {"hp": 9}), signer))
    for text in ("Rowling", "Harry", "Paris", "France"):
        assert text not in plain
    told = {row["probe"] + "/1/0": "It is Paris." for row in make_record(_run({"fr": 1}, {}), signer)["leaks"]}
    assert "It is Paris." in json.dumps(make_record(_run({"fr": 1}, {"hp": 9}, told=told), signer))


def test_digests_are_the_same_for_the_same_key_and_texts_alone(signer: Signer, tmp_path: Path) -> None:
    other = Signer.of_file(tmp_path / "other.key", make=True)
    first, second, third = (make_record(_run({}, {}), s)["by_entry"][0]["digest"] for s in (signer, signer, other))
    assert first == second != third


def test_a_signed_record_is_checked_and_every_change_is_seen(signer: Signer) -> None:
    document = json.loads(json.dumps(signer.sign(make_record(_run({}, {"hp": 9}), signer))))
    assert check(document, signer.public)["id"] == "abc"
    document["record"]["live"]["answers"]["k"] = 1
    with pytest.raises(Forged, match="changed after"):
        check(document)


def test_a_record_of_another_signer_is_none_of_ours(signer: Signer, tmp_path: Path) -> None:
    other = Signer.of_file(tmp_path / "other.key", make=True)
    document = other.sign(make_record(_run({}, {}), other))
    assert check(document)["id"] == "abc"
    with pytest.raises(Forged, match="not by"):
        check(document, signer.public)


@pytest.mark.parametrize(
    "document",
    [
        None, [], {}, {"record": {}, "signature": {}}, {"record": {}, "signature": {"value": 3}},
        {"record": {}, "signature": {"public_key": "AA", "value": "AA", "algorithm": "x"}},
    ],
)  # fmt: skip
def test_what_is_no_signed_record_is_refused(document: Any) -> None:
    with pytest.raises(Forged):
        check(document)


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    first = Signer.of_file(path, make=True)
    assert Signer.of_file(path, make=True).public == first.public
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["signing.key"]
    with pytest.raises(FileNotFoundError):
        Signer.of_file(tmp_path / "none", make=False)


def test_openssl_checks_the_signature_too(signer: Signer, tmp_path: Path) -> None:
    import base64

    document = signer.sign(make_record(_run({}, {}), signer))
    (tmp_path / "body").write_bytes(canonical(document["record"]))
    (tmp_path / "sig").write_bytes(base64.b64decode(document["signature"]["value"]))
    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-inkey", tmp_path / "keys" / "signing.key", "-rawin",
         "-in", tmp_path / "body", "-sigfile", tmp_path / "sig"], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Verified Successfully" in done.stdout, done.stderr


def test_the_canonical_form_is_that_of_rfc_8785() -> None:
    value = {"b": [1, True, None, 0.1], "a": '€\n\u0001"', "ab": {"z": rounded(2.0), "y": rounded(1 / 3)}}
    assert canonical(value).decode() == '{"a":"€\\n\\u0001\\"","ab":{"y":0.333333,"z":2},"b":[1,true,null,0.1]}'
    assert canonical(rounded(1e-6)) == b"0.000001"
    for bad in (float("nan"), 2**60, {"é": 1}, {1: 2}, 0.12345678, object()):
        with pytest.raises(ValueError):
            canonical(bad)


def test_the_page_stands_by_itself_and_shows_what_the_record_says(signer: Signer) -> None:
    document = signer.sign(make_record(_run({"fr": 2}, {"hp": 60}), signer))
    html = page(document)
    assert document["record"]["verdict"]["says"].split(":")[0] in html
    assert "<script" not in html
    assert "http" not in html.replace("https://example.org", "")
    assert signer.public in html
    hostile = _run({}, {}, by="<img src=x onerror=1>")
    assert "<img" not in page(signer.sign(make_record(hostile, signer)))
