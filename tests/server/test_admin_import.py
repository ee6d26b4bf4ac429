"""Many entries at once: into a list as they come, and out again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.server.conftest import ADMIN_KEY, House

AUTH = {"Authorization": f"Bearer {ADMIN_KEY}"}
PATH = "/admin/v1/lists/facts/import"


@pytest.fixture(autouse=True)
def _short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.admin.importing.CHUNK_LINES", 10)


def _lines(count: int, *, bad: tuple[int, ...] = ()) -> bytes:
    return b"".join(
        b"nonsense\n" if i in bad else json.dumps({"id": f"e{i}", "text": f"Thing {i} is here."}).encode() + b"\n"
        for i in range(1, count + 1)
    )


def _load(house: House, content: Any, headers: dict[str, str] | None = None, **query: Any) -> httpx.Response:
    return house.client.post(PATH, content=content, headers=AUTH | (headers or {}), params=query)


def test_chunks_are_revisions_and_the_same_lines_again_change_nothing(house: House) -> None:
    done = _load(house, _lines(25)).json()
    assert (done["added"], done["lines"], done["last_line"], done["revision"]) == (25, 25, 25, 5)
    again = _load(house, _lines(25)).json()
    assert (again["added"], again["updated"], len(again["ids"])) == (0, 25, 25)
    assert house.chat("Is it so that Thing 7 is here?").status_code == 200


def test_an_import_that_stops_says_where_to_go_on(house: House) -> None:
    stopped = _load(house, _lines(40, bad=(15, 38)))
    assert stopped.status_code == 400
    message = stopped.json()["error"]["message"]
    assert "from_line=11" in message
    assert "2 lines cannot be read: line 15: " in message
    assert len(house.manager.store.get_entries("facts")) == 11
    done = _load(house, _lines(40), from_line=11).json()
    assert (done["added"], done["updated"], done["last_line"]) == (30, 0, 40)


def test_bad_lines_are_passed_over_and_told(house: House) -> None:
    done = _load(house, _lines(25, bad=(3, 20)), on_error="skip").json()
    assert (done["added"], done["failed"]) == (23, 2)
    assert [e["line"] for e in done["errors"]] == [3, 20]
    assert "not a JSON object" in done["errors"][0]["message"]


def test_progress_is_told_line_by_line_while_the_body_comes(house: House) -> None:
    seen: list[int] = []

    def body() -> Iterator[bytes]:
        for at in range(3):
            yield _lines(30)[at * 1000 : (at + 1) * 1000]
            seen.append(at)

    response = _load(house, body(), {"Accept": "application/x-ndjson"})
    events = [json.loads(line) for line in response.text.splitlines()]
    assert [e["event"] for e in events] == ["progress", "progress", "progress", "done"]
    assert [(e["line"], e["added"]) for e in events[:3]] == [(10, 10), (20, 20), (30, 30)]
    assert events[-1]["last_line"] == 30
    broken = _load(house, _lines(30, bad=(15,)), {"Accept": "application/x-ndjson"})
    last = json.loads(broken.text.splitlines()[-1])
    assert (last["event"], last["status"], last["last_line"]) == ("error", 400, 10)


def test_an_import_with_a_key_is_carried_out_once(house: House) -> None:
    key = {"Idempotency-Key": "import-1"}
    first = _load(house, _lines(12), key)
    again = _load(house, _lines(12), key)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert house.manager.store.revision() == 4
    assert _load(house, _lines(13), key).status_code == 409
    told = _load(house, _lines(12), key | {"Accept": "application/x-ndjson"}).text.splitlines()
    assert json.loads(told[-1])["event"] == "done"


def test_a_dry_run_of_an_import_changes_nothing(house: House) -> None:
    done = _load(house, _lines(25, bad=(3,)), dry_run="true", on_error="skip").json()
    assert (done["dry_run"], done["total"], done["failed"]) == (True, 24, 1)
    assert house.manager.store.revision() == 2


def test_csv_goes_in_and_out(house: House) -> None:
    table = (
        "subject,aliases,question,answer,labels,expires_at\r\n"
        'Mira Toll,"Mira|M. ""T"" Toll",Where was Mira Toll born?,Oslo,gdpr|case 7,2090-01-01T00:00:00Z\r\n'
        '"Jon\r\nBerg",,Who is Jon Berg?,,,\r\n'
        ",,,,,\r\n"
    )
    done = _load(house, table.encode("utf-8-sig"), {"Content-Type": "text/csv"}, on_error="skip").json()
    assert (done["added"], done["failed"], done["lines"]) == (2, 1, 5)
    assert [e["line"] for e in done["errors"]] == [5]
    out = house.client.get("/admin/v1/lists/facts/export?format=csv", headers=AUTH)
    assert out.headers["content-type"].startswith("text/csv")
    assert '"Jon\nBerg"' in out.text.replace("\r\n", "\n")
    again = _load(house, out.content, {"Content-Type": "text/csv"}).json()
    assert (again["added"], again["updated"]) == (0, 3)
    (entry,) = [e for e in house.manager.store.get_entries("facts") if e.subject == "Mira Toll"]
    assert (entry.aliases, entry.labels) == (("Mira", 'M. "T" Toll'), ("gdpr", "case 7"))


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", {}, 400), (b"\n\n", {}, 201), (b"x" * 1_100_000, {}, 413),
        (b"name,address\na,b\n", {"Content-Type": "text/csv"}, 400),
        (b'text\n"never ends\n', {"Content-Type": "text/csv"}, 400),
        (b"text\n\xff\xfe\n", {"Content-Type": "text/csv"}, 400),
        (b"{}", {"Content-Encoding": "gzip"}, 415), (b'{"text": "x"}', {"If-Match": '"r99"'}, 412),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(house: House, content: bytes, headers: dict[str, str], status: int) -> None:
    assert _load(house, content, headers).status_code == status
    assert house.manager.store.revision() == 2


def test_bodies_over_the_limit_of_other_routes_are_taken_in(house: House) -> None:
    lines = [json.dumps({"text": f"Thing {i} is here.", "source": "s" * 900}).encode() + b"\n" for i in range(1200)]
    assert sum(map(len, lines)) > 1_000_000
    done = house.client.post(PATH, content=iter(lines), headers=AUTH, params={"dry_run": "true"}, timeout=120)
    assert done.json()["total"] == 1200
