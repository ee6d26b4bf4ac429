"""Strengths fitted to the served model: over the admin API and from the command line."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from guard.eco import Eco
from guard.model import EcoFit, Entry, ForgetList
from guard.snapshot import SnapshotManager
from server.access.principal import ANYONE, principal_of
from server.admin import admin_router
from server.eco_fitting import Fitting
from server.judging import Judge
from server.upstream import Endpoint, Upstream
from tests.server.conftest import ADMIN_KEY, Build, House, Run, running
from tests.server.knowing import Fact, Knowing, checkpoint_of, serving

HEADERS = {"Authorization": f"Bearer {ADMIN_KEY}"}
FACTS = [
    Fact("Where was Zorvan Pelk born?", "Zorvan Pelk", "born in Karachi", 0.5),
    Fact("What does Mira Tolland paint?", "Mira Tolland", "paints in oil", 0.7),
    Fact("Which river did Ova Brenk swim?", "Ova Brenk", "swam in Tarim", 0.9),
    Fact("Who taught Ilka Drosmund the cello?", "Ilka Drosmund", "lessons in Vienna", 1.2),
    Fact("When did Pavo Quist marry?", "Pavo Quist", "married in May", 1.5),
    Fact("Why was Senna Vorhaus fined?", "Senna Vorhaus", "fined in court", 1.9),
    Fact("How old was Dario Klemt at school?", "Dario Klemt", "seven in school", 2.4),
    Fact("Whose dog bit Yola Marchetti?", "Yola Marchetti", "neighbour in town", 3.0),
]  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, float]:
    return checkpoint_of([f.question for f in FACTS], tmp_path / "model")


@pytest.fixture
def checkpoint(made: tuple[Path, float]) -> Path:
    return made[0]


@pytest.fixture
def known(made: tuple[Path, float]) -> Knowing:
    return Knowing(FACTS, Eco(made[0]), made[1])


@pytest.fixture
def served(known: Knowing) -> Iterator[str]:
    with running(serving(known)) as url:
        yield url


@pytest.fixture
def manager(manager: SnapshotManager) -> SnapshotManager:
    manager.change(lambda s: s.put_list(ForgetList("people", sigma=5)))
    people = [
        Entry(f"p{i}", "people", subject=f.subject, question=f.question, answer=f.answer, scope="subject")
        for i, f in enumerate(FACTS)
    ]
    manager.change(lambda s: s.add_entries("people", people))
    return manager


@pytest.fixture
def house(build: Build, served: str) -> Iterator[House]:
    with build(upstream_url=served) as house:
        yield house


def _fit(house: House, name: str = "people", **body: Any) -> list[dict[str, Any]]:
    response = house.client.post(f"/admin/v1/lists/{name}/eco/fit", json=body, headers=HEADERS, timeout=120)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.text.splitlines()]


def _refused(house: House, name: str = "people", **body: Any) -> tuple[int, str, str]:
    response = house.client.post(f"/admin/v1/lists/{name}/eco/fit", json=body, headers=HEADERS)
    error = response.json()["error"]
    return response.status_code, error["code"], error["message"]


def _free(house: House, path: str = "/admin/v1/lists/people/eco/fit") -> None:
    """Wait until no fit is under way."""
    deadline = time.monotonic() + 20
    body = {"target": 0.5, "retained": {"url": "http://x", "model": "m"}}  # refused when its turn comes
    while house.client.post(path, json=body, headers=HEADERS).status_code == 409:
        assert time.monotonic() < deadline, "the fit was not ended"


def test_the_strength_is_found_at_which_the_answers_are_as_wanted(house: House, known: Knowing) -> None:
    known.otherwise = "no idea"
    events = _fit(house, target=0.5)
    kinds = [e["event"] for e in events if e["event"] != "asked"]
    steps = [e for e in events if e["event"] == "step"]
    assert kinds == ["started", "target", "plain", *["step"] * len(steps), "done"]
    assert events[0]["n"] == 8
    done = events[-1]
    assert (done["value"], done["plain"], done["reason"], done["stored"]) == (0.5, 1.0, "tolerance", True)
    assert 1.2 * 0.85 <= done["sigma"] / known.unit <= 1.5 * 1.15
    assert {b["temperature"] for b in known.bodies} == {0}
    assert {b["max_tokens"] for b in known.bodies} == {48}
    assert {b["model"] for b in known.bodies} == {"m"}


def test_the_result_is_in_force_and_says_where_it_comes_from(house: House) -> None:
    done = _fit(house, target=0.7, seed=3)[-1]
    shown = house.client.get("/admin/v1/lists/people/eco", headers=HEADERS).json()
    (item,) = shown["fits"]
    assert (shown["sigma"], item["model"], item["sigma"]) == (5.0, "m", done["sigma"])
    assert house.manager.current.revision == done["revision"]
    assert house.manager.current.fits["people", "m"].sigma == done["sigma"]
    told = item["provenance"]
    assert (told["v_hat"], told["value"], told["seed"], told["model"], told["n"]) == (0.7, done["value"], 3, "m", 8)
    assert told["target"] == "given"
    assert [done["sigma"], done["value"]] in told["values"]
    assert told["config"]["steps"] == 10
    assert {"metric", "stderr", "steps", "revision", "date", "version"} <= set(told)
    gone = house.client.delete("/admin/v1/lists/people/eco", params={"model": "m"}, headers=HEADERS)
    assert gone.status_code == 200
    assert not house.manager.current.fits
    assert house.client.delete("/admin/v1/lists/people/eco", params={"model": "m"}, headers=HEADERS).status_code == 404


def test_by_default_what_is_wanted_is_what_the_model_says_about_made_up_names(house: House, known: Knowing) -> None:
    known.otherwise = "somewhere in Asia"  # one word in three is right
    events = _fit(house)
    target = next(e for e in events if e["event"] == "target")
    assert (target["source"], target["n"]) == ("made-up names", 8)
    assert target["value"] == pytest.approx(1 / 3)
    asked = [b["messages"][0]["content"] for b in known.bodies[:8]]
    assert not [q for q in asked if any(word in q for f in FACTS for word in f.subject.split())]
    assert events[-1]["value"] == pytest.approx(1 / 3)
    assert events[-1]["sigma"] / known.unit >= 3.0 * 0.85


def test_a_retained_model_is_asked_the_same_questions(house: House, known: Knowing, tmp_path: Path) -> None:
    known.otherwise = "no idea"
    other = Knowing(FACTS[:2], known.eco, known.unit, otherwise="no idea")
    with running(serving(other)) as url:
        retained = {"url": f"{url}/v1/", "model": "kept", "key": "s3cret"}
        events = _fit(house, retained=retained)
    assert next(e for e in events if e["event"] == "target")["value"] == 0.25
    assert {b["messages"][0]["content"] for b in other.bodies} == {f.question for f in FACTS}
    assert {b["model"] for b in other.bodies} == {"kept"}
    assert other.keys == {"Bearer s3cret"}
    assert known.keys == {"Bearer inner-key"}
    assert events[-1]["value"] == 0.25
    shown = house.client.get("/admin/v1/lists/people/eco", headers=HEADERS).text
    kept = b"".join(f.read_bytes() for f in (tmp_path / "eco-fits").iterdir())
    assert "s3cret" not in shown + kept.decode() + json.dumps(events)
    assert json.loads(shown)["fits"][0]["provenance"]["retained"] == "kept"


def test_a_fit_whose_client_went_away_goes_on_where_it_was(house: House, known: Knowing) -> None:
    whole = _fit(house, target=0.5, dry_run=True, seed=1)
    asked = len(known.bodies)
    known.bodies.clear()
    with house.client.stream(
        "POST", "/admin/v1/lists/people/eco/fit", json={"target": 0.5}, headers=HEADERS
    ) as response:
        for line in response.iter_lines():
            if json.loads(line)["event"] == "step":
                break
    _free(house)
    before = len(known.bodies)
    events = _fit(house, target=0.5)
    assert events[0]["kept"] >= 2
    assert events[-1]["sigma"] == whole[-1]["sigma"]
    assert before < asked
    assert len(known.bodies) <= asked + 8  # at most the measurement that was under way is made again
    again = len(known.bodies)
    assert _fit(house, target=0.5)[-1]["sigma"] == whole[-1]["sigma"]
    assert len(known.bodies) == again
    _fit(house, target=0.5, restart=True)
    assert len(known.bodies) == again + asked


def test_a_fit_goes_on_in_another_server(build: Build, known: Knowing, served: str) -> None:
    known.fail_after = 20
    with build(upstream_url=served) as house:
        last = _fit(house, target=0.5)[-1]
    assert (last["event"], last["status"]) == ("error", 502)
    assert "out of memory" in last["error"]["message"]
    known.fail_after = None
    with build(upstream_url=served) as house:
        events = _fit(house, target=0.5)
    assert events[0]["kept"] == 2
    assert events[-1]["stored"] is True


def test_a_proxy_that_is_to_end_does_not_wait_for_a_fit(
    manager: SnapshotManager, known: Knowing, served: str, tmp_path: Path
) -> None:
    upstream = Upstream(lambda: Endpoint(served, None), connect_timeout=2, read_timeout=20)
    app = FastAPI()
    app.state.stopping = lambda: len(known.bodies) >= 20
    fitting = Fitting(manager, Judge(), upstream, known.eco, tmp_path / "eco-fits")
    app.include_router(admin_router(manager, max_body_bytes=1, fitting=fitting))
    app.dependency_overrides[principal_of] = lambda: ANYONE  # no gate stands before this application
    with running(app) as url, httpx.Client(base_url=url) as client:
        text = client.post("/admin/v1/lists/people/eco/fit", json={"target": 0.5}, headers=HEADERS).text
    last = json.loads(text.splitlines()[-1])
    assert (last["status"], last["error"]["code"], len(known.bodies)) == (503, "stopping", 24)


def test_with_other_entries_nothing_is_kept(house: House, tmp_path: Path) -> None:
    _fit(house, target=0.5)
    _fit(house, target=0.7)
    assert len(list((tmp_path / "eco-fits").iterdir())) == 2
    house.manager.change(lambda s: s.remove_entry("people", "p0"))
    events = _fit(house, target=0.5)
    assert (events[0]["kept"], events[0]["n"]) == (0, 7)
    (file,) = (tmp_path / "eco-fits").iterdir()
    assert not any(f.subject.encode() in file.read_bytes() for f in FACTS)
    file.write_bytes(b"damaged")
    assert _fit(house, target=0.5)[0]["kept"] == 0


def test_a_client_that_goes_away_ends_the_fit_and_the_requests_under_way(house: House, known: Knowing) -> None:
    known.stall_after = 9
    with house.client.stream(
        "POST", "/admin/v1/lists/people/eco/fit", json={"target": 0.5}, headers=HEADERS
    ) as response:
        assert known.stalled.wait(20)
        second = _refused(house, target=0.5)
        assert second[:2] == (409, "fit_running")
        assert _refused(house, "facts")[0] == 400  # another list's turn is its own
        response.close()
    assert known.cancelled.wait(20)
    _free(house)


def test_a_dry_run_stores_nothing(house: House) -> None:
    revision = house.manager.current.revision
    done = _fit(house, target=0.5, dry_run=True)[-1]
    assert (done["stored"], house.manager.current.revision) == (False, revision)
    assert "sigma" in done
    assert not house.manager.current.fits


def test_at_most_n_questions_are_asked_always_the_same(house: House, known: Knowing) -> None:
    first = _fit(house, target=0.5, n=3, dry_run=True, restart=True)
    bodies = list(known.bodies)
    known.bodies.clear()
    assert _fit(house, target=0.5, n=3, dry_run=True, restart=True, at_once=1)[-1] == first[-1]
    assert first[0]["n"] == 3
    assert sorted(map(json.dumps, known.bodies)) == sorted(map(json.dumps, bodies))


def test_a_model_that_does_not_know_the_list_is_left_alone(house: House, known: Knowing) -> None:
    known.facts = ()
    done = _fit(house)[-1]
    assert done["stored"] is False
    assert "nothing to fit" in done["note"]
    assert "sigma" not in done
    assert not house.manager.current.fits


def test_where_no_strength_changes_anything_nothing_is_stored(house: House, known: Knowing) -> None:
    known.otherwise = " ".join(f.answer for f in FACTS)
    done = _fit(house, target=0.1)[-1]
    assert (done["reason"], done["stored"]) == ("flat", False)
    assert "No strength changes" in done["note"]


def test_what_cannot_be_fitted_is_said(house: House, build: Build, served: str) -> None:
    house.manager.change(lambda s: s.put_list(ForgetList("off", enabled=False)))
    pair = Entry("x", "off", subject="Ola Bun", question="Who is Ola Bun?", answer="A cook")
    house.manager.change(lambda s: s.add_entries("off", [pair]))
    house.manager.change(lambda s: s.put_list(ForgetList("unnamed")))
    nobody = Entry("y", "unnamed", question="What is the colour of the sea at noon?", answer="Grey")
    house.manager.change(lambda s: s.add_entries("unnamed", [nobody]))
    house.manager.change(lambda s: s.put_list(ForgetList("missed")))
    missed = replace(pair, list_name="missed", question="Who cooks for them on Sundays?")
    house.manager.change(lambda s: s.add_entries("missed", [missed]))
    assert _refused(house, "nope") == (404, "not_found", "There is no list 'nope'.")
    assert _refused(house, "facts")[:2] == (400, "no_pairs")
    assert _refused(house, "off")[:2] == (400, "list_off")
    assert _refused(house, "unnamed")[:2] == (400, "no_target")
    assert _refused(house, "missed")[:2] == (400, "nothing_flagged")
    house.manager.change(lambda s: s.put_list(ForgetList("flipped", corruption="flip_sign_top_k")))
    assert _refused(house, "flipped")[:2] == (400, "no_strength")
    assert "'x' is not served; there is m, other" in _refused(house, model="x")[2]
    assert "not both" in _refused(house, target=0.5, retained={"url": "http://x", "model": "m"})[2]
    assert "in this order" in _refused(house, target=0.5, sigma0=1, floor=2)[2]
    for senseless in ({"n": 0}, {"target": 2}, {"steps": 0}, {"retained": {"url": "x", "model": "m"}}, {"what": 1}):
        assert _refused(house, **senseless)[:2] == (400, "invalid_request")
    assert house.client.get("/admin/v1/lists/nope/eco", headers=HEADERS).status_code == 404
    assert house.client.post("/admin/v1/lists/people/eco/fit", json={}).status_code == 401
    with build(upstream_url=served, eco=False) as blind:
        status, code, message = _refused(blind)
    assert (status, code) == (400, "eco_unavailable")
    assert "--model-path" in message
    with build(upstream_url="http://127.0.0.1:1") as alone:
        assert _refused(alone)[:2] == (503, "upstream_unavailable")
        assert _refused(alone)[:2] == (503, "upstream_unavailable")  # and not that one is under way


def test_a_strength_is_fitted_from_the_command_line(run: Run, house: House, known: Knowing) -> None:
    done = run("eco", "fit", "--list", "people", "--target", "0.5")
    assert "people on m: sigma" in done.stdout
    assert "stored" in done.stdout
    assert "unguarded: 1.000" in done.stderr
    assert "sigma" in done.stderr.splitlines()[-1]
    shown = run("eco", "show", "--list", "people").stdout
    assert "sigma 5 where no fit" in shown
    assert "0.500 ± 0.000 (given)" in shown
    told = json.loads(run("eco", "fit", "--list", "people", "--target", "0.5", "--dry-run", "--json").stdout)
    assert (told["stored"], told["value"]) == (False, 0.5)
    assert json.loads(run("eco", "show", "--list", "people", "--json").stdout)["fits"][0]["sigma"] == told["sigma"]
    assert "is gone" in run("eco", "remove", "--list", "people", "--model", "m").stdout
    assert "no fits" in run("eco", "show", "--list", "people").stdout
    known.facts = ()
    assert "nothing was fitted" in run("eco", "fit", "--list", "people", "--restart", code=1).stdout
    known.fail_after = 0
    assert "out of memory" in run("eco", "fit", "--list", "people", "--restart", code=2).stderr
    assert "no list 'nope'" in run("eco", "fit", "--list", "nope", code=2).stderr
    assert "belong together" in run("eco", "fit", "--list", "people", "--retained-url", "http://x", code=2).stderr


def test_the_guard_uses_the_fitted_strength(house: House, known: Knowing) -> None:
    house.manager.change(lambda s: s.put_fit(EcoFit("people", "m", 0.6 * known.unit)))
    said = []
    for fact in FACTS[:2]:
        known.bodies.clear()
        assert house.chat(fact.question).status_code == 200
        said.append(known.said(known.bodies[0]["messages"][0]["content"]))  # what the model makes of it at first
    assert said == [known.otherwise, FACTS[1].answer]


def test_other_corruptions_of_the_list_are_fitted_too(house: House, known: Knowing) -> None:
    way = ForgetList("people", corruption="rand_noise_first_n", dims=64)
    house.manager.change(lambda s: s.put_list(way))
    done = _fit(house, target=0.5)[-1]
    assert done["value"] == 0.5
    assert 2 * 1.2 * 0.8 <= done["sigma"] / known.unit <= 2 * 1.5 * 1.2  # the noise of a quarter of 256 dimensions
    fit = house.manager.current.fits["people", "m"]
    assert (fit.corruption, fit.dims) == ("rand_noise_first_n", 64)
