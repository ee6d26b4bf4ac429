"""deploy/: what is written there holds together, fits its schemas, and starts as processes of this machine."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import check_jsonschema
import httpx
import jsonschema
import kubernetes_validate
import pytest
import yaml

from benchmarks.postgres import Cluster
from guard.sealing import new_key
from server.settings import Settings
from tests.announced import announced
from tests.server.conftest import Script, running, scripted

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
MANIFESTS = [
    (file.name, document)
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    if file.name != "kustomization.yaml"
    for document in yaml.safe_load_all(file.read_text())
]


def _named(kind: str, name: str) -> dict[str, Any]:
    found = [d for _, d in MANIFESTS if (d["kind"], d["metadata"]["name"]) == (kind, name)]
    assert len(found) == 1, f"{kind} {name}"
    return found[0]


def _containers() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for _, document in MANIFESTS:
        if document["kind"] in ("Deployment", "StatefulSet"):
            spec = document["spec"]["template"]["spec"]
            for container in spec["containers"]:
                yield document["metadata"]["name"], spec, container


def test_compose_fits_the_compose_specification() -> None:
    vendored = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(COMPOSE, json.loads(vendored.read_text()))


@pytest.mark.parametrize(("file", "document"), MANIFESTS, ids=[f"{f}-{d['kind']}" for f, d in MANIFESTS])
def test_manifests_fit_the_schemas_of_kubernetes(file: str, document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    assert document["metadata"].get("namespace", "letheward") == "letheward"


def test_the_kustomization_names_every_manifest() -> None:
    told = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    assert sorted(told) == sorted({file for file, _ in MANIFESTS})


def test_what_manifests_refer_to_is_there() -> None:
    keys = set(_named("Secret", "letheward")["stringData"])
    for owner, spec, container in _containers():
        for variable in container.get("env", []):
            if "valueFrom" in variable:
                reference = variable["valueFrom"]["secretKeyRef"]
                assert (reference["name"], reference["key"] in keys) == ("letheward", True), (owner, variable["name"])
        claims = {c["metadata"]["name"] for c in _owner(owner).get("volumeClaimTemplates", [])}
        volumes = {v["name"] for v in spec.get("volumes", [])} | claims
        assert {m["name"] for m in container.get("volumeMounts", [])} <= volumes, owner
        ports = {p["name"] for p in container["ports"]}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert container.get(probe, {}).get("httpGet", {"port": "http"})["port"] in ports | {"http"}, owner
    for name in ("letheward", "vllm", "postgres"):
        selected = _named("Service", name)["spec"]["selector"]
        assert (
            _named("Deployment" if name == "letheward" else "StatefulSet", name)["spec"]["template"]["metadata"][
                "labels"
            ].items()
            >= selected.items()
        )


def _owner(name: str) -> dict[str, Any]:
    found: dict[str, Any] = _named("Deployment" if name == "letheward" else "StatefulSet", name)["spec"]
    return found


def test_nobody_reaches_the_model_but_the_proxy() -> None:
    services = COMPOSE["services"]
    assert COMPOSE["networks"]["back"]["internal"] is True
    for name in ("vllm", "postgres"):
        assert services[name]["networks"] == ["back"]
        assert "ports" not in services[name]
        allowed = _named("NetworkPolicy", name)["spec"]["ingress"]
        assert [f["podSelector"]["matchLabels"] for rule in allowed for f in rule["from"]] == [{"app": "letheward"}]
    assert "--enable-prompt-embeds" in services["vllm"]["command"]


def test_no_container_has_more_rights_than_it_needs() -> None:
    for owner, _, container in _containers():
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False, owner
        assert context["capabilities"] == {"drop": ["ALL"]}, owner
    proxy = COMPOSE["services"]["proxy"]
    assert (proxy["read_only"], proxy["cap_drop"]) == (True, ["ALL"])


def test_time_to_stop_is_longer_than_answers_have_to_end() -> None:
    own = {v["name"]: v.get("value") for _, _, c in _containers() for v in c.get("env", [])}
    pod = _named("Deployment", "letheward")["spec"]["template"]["spec"]
    pause = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] >= pause + int(own["LETHEWARD_SHUTDOWN_TIMEOUT"] or 0) + 5
    proxy = COMPOSE["services"]["proxy"]
    assert int(proxy["stop_grace_period"].rstrip("s")) >= int(proxy["environment"]["LETHEWARD_SHUTDOWN_TIMEOUT"]) + 5


def test_settings_of_containers_are_settings() -> None:
    manifest = [v["name"] for owner, _, c in _containers() if owner == "letheward" for v in c["env"]]
    image = re.findall(r"(LETHEWARD_\w+)=", (DEPLOY / "Containerfile").read_text())
    for name in [*COMPOSE["services"]["proxy"]["environment"], *manifest, *image]:
        assert name.removeprefix("LETHEWARD_").lower() in Settings.model_fields, name


def test_the_containerfile_copies_what_is_there_and_runs_as_nobody_in_particular() -> None:
    told = (DEPLOY / "Containerfile").read_text()
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", told, re.MULTILINE):
        for part in source.split():
            assert (ROOT / part).exists(), part
    allowed = [line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")]
    copied = {p.split("/")[0] for s in re.findall(r"^COPY (?!--from)(.+) \S+$", told, re.MULTILINE) for p in s.split()}
    assert copied == set(allowed)
    assert re.search(r"^USER 10001:10001$", told, re.MULTILINE)
    assert all(
        ":" in image and not image.endswith(":latest") for image in re.findall(r"^FROM (\S+)", told, re.MULTILINE)
    )


def test_the_image_is_built_in_another_stage_and_can_run_read_only() -> None:
    """What is left is the environment; what it writes is in its volume."""
    first, last = re.split(r"^FROM ", (DEPLOY / "Containerfile").read_text(), flags=re.MULTILINE)[1:]
    assert all("-slim-" in stage.splitlines()[0] for stage in (first, last))
    assert re.findall(r"^COPY .*", last, re.MULTILINE) == [
        "COPY --from=build /opt/letheward/.venv /opt/letheward/.venv"
    ]
    assert not re.search(r"^RUN .*(pip|apt)", last, re.MULTILINE)
    assert "PYTHONDONTWRITEBYTECODE=1" in last
    volume, cache = re.search(r"^VOLUME (\S+)$", last, re.MULTILINE), re.search(r"LETHEWARD_CACHE_DIR=(\S+)", last)
    assert volume is not None
    assert cache is not None
    assert volume[1] == cache[1]
    user = re.search(r"^USER (\d+):(\d+)$", last, re.MULTILINE)
    assert user is not None
    assert "0" not in user.groups()
    assert last.index("\nUSER") < last.index("\nENTRYPOINT")


def test_compose_starts_as_processes(tmp_path: Path) -> None:
    """Its proxies with their settings, a Postgres, and a scripted model server in vLLM's place."""
    told = COMPOSE["services"]["proxy"]
    cluster = Cluster(durable=False)
    key = f"lw-admin-{secrets.token_urlsafe(24)}"
    given = {"LETHEWARD_ADMIN_KEY": key, "LETHEWARD_STORE_KEYS": json.dumps([new_key()]), "POSTGRES_PASSWORD": "x"}
    settings = {name: _filled(value, given) for name, value in told["environment"].items()}
    # Four workers and a checkpoint are a matter of the machine; the rest is as it is written.
    settings |= {"LETHEWARD_WORKERS": "1", "LETHEWARD_HOST": "127.0.0.1", "LETHEWARD_PORT": "0",
                 "LETHEWARD_DATABASE_URL": _at(settings["LETHEWARD_DATABASE_URL"], cluster),
                 "LETHEWARD_LEARNING": "false"}  # fmt: skip
    del settings["LETHEWARD_MODEL_PATH"]
    try:
        with ExitStack() as stack:
            upstream = stack.enter_context(running(scripted(Script())))
            settings["LETHEWARD_UPSTREAMS"] = settings["LETHEWARD_UPSTREAMS"].replace("http://vllm:8000", upstream)
            urls = [
                stack.enter_context(_started(told["command"], settings, tmp_path / str(i)))
                for i in range(told["deploy"]["replicas"])
            ]
            admin = {"Authorization": f"Bearer {key}"}
            entry = {"id": "zp", "subject": "Zorvan Pelk", "answer": "Karachi", "scope": "subject"}
            for method, path, body in (
                ("PUT", "/lists/a", {"policy": "refuse"}),
                ("POST", "/lists/a/entries", {"entries": [entry]}),
            ):
                done = httpx.request(method, f"{urls[0]}/admin/v1{path}?wait=all", headers=admin, json=body, timeout=60)
                assert done.json()["in_force"] == {"workers": 2, "behind": []}, done.text
            for url in urls:
                assert httpx.get(f"{url}/ready", timeout=60).json()["status"] == "ready"
                asked = {"model": "m", "messages": [{"role": "user", "content": "Where was Zorvan Pelk born?"}]}
                answer = httpx.post(f"{url}/v1/chat/completions", json=asked, timeout=60)
                assert answer.headers["x-letheward-action"] == "refuse"
    finally:
        cluster.close()


def _filled(value: str, given: dict[str, str]) -> str:
    """A value of compose.yaml with its variables put in."""
    return re.sub(r"\$\{(\w+):?([-?])((?:[^{}]|\{[^}]*\})*)\}",
                  lambda m: given[m[1]] if m[2] == "?" else given.get(m[1], m[3]), value)  # fmt: skip


def _at(url: str, cluster: Cluster) -> str:
    """``url`` with the test's Postgres in place of the host and database that compose.yaml names."""
    assert re.fullmatch(r"postgresql\+psycopg://letheward:x@postgres/letheward", url)
    return cluster.url()


@contextmanager
def _started(command: list[str], settings: dict[str, str], folder: Path) -> Iterator[str]:
    folder.mkdir()
    output = folder / "serve.log"
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "LETHEWARD_CACHE_DIR": str(folder)} | settings
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", *command], env=environment, stdout=out, stderr=out
        )
    try:
        yield announced(process, output, 300)
    finally:
        process.terminate()
        process.wait(60)
