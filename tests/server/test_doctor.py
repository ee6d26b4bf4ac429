"""`letheward doctor`, the real command: a machine and a store that are broken for every check."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from guard.model import SYSTEM, Entry, ForgetList
from guard.sealing import Sealing, new_key
from guard.store import Store
from guard.store.engine import MIGRATIONS, connect, writing
from server.access.keystore import KeyStore
from tests.server.conftest import running
from tests.server.doctoring import GOOD_KEY, ROOT, Doctor, Model, only


def test_it_changes_nothing(doctor: Doctor, tmp_path: Path) -> None:
    found = doctor(upstream="http://127.0.0.1:1")
    assert "first start makes it" in only(found, "store")[1]
    assert list(tmp_path.iterdir()) == []


def test_the_text_tells_each_check_and_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "server.cli", "doctor", "--upstream", "http://127.0.0.1:1", "--port", "0"],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("fail upstream"))
    assert "-> start it" in lines[at + 1]
    assert lines[-1].endswith("1 failed")


def test_settings_that_cannot_be_used_are_told_with_their_place(doctor: Doctor, tmp_path: Path) -> None:
    file = tmp_path / "f.toml"
    file.write_text("port = 80800\nenfroce = true\n")
    found = doctor("--config", str(file))
    assert [f"{file}:{n}" in told for n, (_, told, _) in enumerate(found["settings"], 1)] == [True, True]
    assert {"python", "packages", "settings", "open files"} == set(found)
    assert "unknown" in only(doctor(upsteam="http://x"), "settings")[1]


@pytest.mark.parametrize(
    ("needed", "told"),
    [("httpx>=99", "httpx"), ("no-such-package-of-ours>=1", "is not installed"), ("numpy<1; extra == 'otel'", "numpy"),
     ("vllm-of-ours>=1; extra == 'cpu' or extra == 'gpu'", "vllm-of-ours")],
)  # fmt: skip
def test_packages_out_of_bounds_are_named(tmp_path: Path, needed: str, told: str) -> None:
    """Letheward as another version would be installed, whose bounds this environment does not keep."""
    info = tmp_path / "site" / "letheward-9.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: letheward\nVersion: 9\nRequires-Python: >=3.99\nRequires-Dist: {needed}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "server.cli", "doctor", "--json"],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONPATH": f"{info.parent}:{ROOT}",
             "LETHEWARD_TRACES_ENDPOINT": "http://127.0.0.1:1"},
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    found = {each["check"]: each for each in json.loads(done.stdout)["checks"]}
    assert (found["packages"]["status"], told in found["packages"]["told"]) == ("fail", True)
    assert "pip install" in found["packages"]["todo"]
    assert (found["python"]["status"], "3.99" in found["python"]["told"]) == ("fail", True)


def test_a_store_that_is_no_database(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("This is no database, and long enough to be taken for one." * 20)
    status, told = only(doctor(database_url=f"sqlite:///{tmp_path}/x.db"), "store")
    assert (status, "cannot be read" in told) == ("fail", True)
    assert only(doctor(database_url="nonsense"), "store")[0] == "fail"


def test_a_store_out_of_reach_does_not_show_its_password(doctor: Doctor) -> None:
    status, told = only(doctor(database_url="postgresql+psycopg://u:hunter2@127.0.0.1:1/x"), "store")
    assert (status, "hunter2" in told) == ("fail", False)


def test_an_upstream_out_of_reach_does_not_show_its_password(doctor: Doctor) -> None:
    status, told = only(doctor(upstream="http://u:hunter2@127.0.0.1:1"), "upstream")
    assert (status, "hunter2" in told) == ("fail", False)


def test_tables_of_a_newer_version(doctor: Doctor, store_url: str) -> None:
    engine = connect(store_url)
    assert only(doctor(database_url=store_url), "store")[0] == "ok"
    with writing(engine).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'v9999'")
    assert only(doctor(database_url=store_url), "store")[0] == "fail"
    engine.dispose()


def test_older_tables_are_left_as_they_are(doctor: Doctor, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    engine = create_engine(url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "+1")
    engine.dispose()
    before = (tmp_path / "old.db").read_bytes()
    status, told = only(doctor(database_url=url), "store")
    assert (status, "newest" in told) == ("warn", True)
    assert (tmp_path / "old.db").read_bytes() == before


def test_a_sealed_store_without_its_key(doctor: Doctor, tmp_path: Path) -> None:
    key = new_key()
    held = Store.open(f"sqlite:///{tmp_path}/cache/letheward.db", Sealing.of([key]))
    held.put_list(ForgetList("people"))
    held.put_entry(Entry("1", "people", subject="Zorvan Pelk"))
    held.close()
    assert only(doctor(store_keys=json.dumps([key])), "store")[0] == "ok"
    assert only(doctor(), "store")[0] == "fail"


def test_files_that_others_may_read(doctor: Doctor, own_store: Store, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "cache").chmod(0o755)
    assert only(doctor(), "permissions")[0] == "ok", "a new store is for its owner alone"
    file = tmp_path / "cache" / "letheward.db"
    file.chmod(0o644)
    assert doctor()["permissions"] == [("fail", f"others on this machine may read {file}", f"chmod 600 {file}")]
    assert only(doctor(store_keys=json.dumps([new_key()])), "permissions")[0] == "ok", "what they read is sealed"
    file.chmod(0o622)
    assert "may write" in only(doctor(store_keys=json.dumps([new_key()])), "permissions")[1]
    (tmp_path / "cache").chmod(0o700)
    assert only(doctor(), "permissions")[0] == "ok", "nobody else comes into the folder"


def test_an_admin_key_that_is_weak_missing_or_readable(doctor: Doctor, tmp_path: Path) -> None:
    assert only(doctor(admin_key="secret"), "admin key")[0] == "warn"
    assert only(doctor(admin_key="secret", host="0.0.0.0"), "admin key")[0] == "fail"
    assert only(doctor(host="0.0.0.0"), "admin key")[0] == "fail"
    assert only(doctor(), "admin key")[0] == "ok"
    (tmp_path / "cache").mkdir(mode=0o755)
    (tmp_path / "cache" / "admin.key").write_text("")
    (tmp_path / "cache" / "admin.key").chmod(0o644)
    found = doctor()
    assert (only(found, "admin key")[0], only(found, "permissions")[0]) == ("fail", "fail")


def test_a_proxy_that_anybody_may_ask(doctor: Doctor, own_store: Store) -> None:
    open_to_all = {"host": "0.0.0.0", "admin_key": GOOD_KEY}
    assert only(doctor(**open_to_all), "clients")[0] == "warn"
    assert only(doctor(**open_to_all, client_keys='["k"]'), "clients")[0] == "ok"
    assert only(doctor(**open_to_all, metrics_public="true"), "metrics")[0] == "warn"
    KeyStore(own_store).create("client", {"name": "chat"}, SYSTEM)
    assert only(doctor(**open_to_all), "clients")[0] == "ok"


def test_a_folder_that_cannot_be_written_to_and_has_no_room(doctor: Doctor) -> None:
    found = doctor(cache_dir="/proc/letheward", database_url="sqlite://")
    assert (only(found, "cache")[0], only(found, "disk")[0]) == ("fail", "fail")


def test_a_port_that_somebody_has(doctor: Doctor) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        taken.settimeout(0)
        assert only(doctor(port=str(taken.getsockname()[1])), "port")[0] == "fail"
    assert only(doctor(host="192.0.2.1", admin_key=GOOD_KEY), "port")[0] == "fail", "an address of nobody here"


def test_a_port_that_letheward_has(doctor: Doctor, build: Any) -> None:
    with build() as house:
        assert only(doctor(port=house.url.rpartition(":")[2]), "port")[0] == "ok"


@pytest.mark.parametrize(("limit", "status"), [(512, "fail"), (2048, "warn"), (4096, "ok")])
def test_a_limit_of_open_files(doctor: Doctor, limit: int, status: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        assert only(doctor(), "open files")[0] == status
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_clock_that_goes_wrong(doctor: Doctor, model_server: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    # uvicorn's own Date would stand beside the model server's.
    monkeypatch.setattr(uvicorn, "Config", lambda *a, **k: _CONFIG(*a, date_header=False, **k))
    with running(model_server.app()) as url:
        model_server.clock = datetime.now(UTC)
        assert only(doctor(upstream=url), "clock")[0] == "ok"
        model_server.clock -= timedelta(hours=1)
        status, told = only(doctor(upstream=url), "clock")
        assert (status, "36" in told and url in told) == ("warn", True)


def test_the_clock_of_the_stores_host_is_looked_at(doctor: Doctor, postgres_url: str) -> None:
    assert "agree: 1" in only(doctor(database_url=postgres_url), "clock")[1]


_CONFIG = uvicorn.Config
