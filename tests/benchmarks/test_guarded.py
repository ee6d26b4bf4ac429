"""The parts of the guards' benchmarks: what is counted, told apart and timed, and the command on made-up people."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.data.people import people
from benchmarks.data.tofu import Question
from benchmarks.guarded.answers import Answers, Reply, Sampling
from benchmarks.guarded.conditions import guardings, lines, material
from benchmarks.guarded.first_token import figures, pairs
from benchmarks.guarded.pace import scripted
from benchmarks.guarded.refusals import is_refusal
from benchmarks.guarded.rows import Told, markdown, row
from benchmarks.guarded.scripted import tokens
from benchmarks.guarded.serving import Place, change_list, make_list, proxy
from benchmarks.guarded.telling import tell
from benchmarks.guarded.timing import Stream, bootstrap, quantile, stream
from classifiers.registry import create_encoder
from classifiers.static import StaticEmbedding
from guard.importer import read_entries
from guard.model import DEFAULT_REFUSAL

FORGET = [Question("Where was Ilmar Sveen born?", "He was born in Vorsk", "In which town was Ilmar Sveen born?")]
KEEP = [Question("Where was Ada Quill born?", "She was born in Ruun"), Question("Who is Ada Quill?", "A poet of rain")]


def _told(name: str, forget: str, keep: tuple[str, str], action: str = "") -> Told:
    return Told(name, [Reply(forget, action)], [Reply(forget, action)], [Reply(text, "pass") for text in keep])


def test_a_guard_is_measured_beside_the_bare_and_the_retained_model() -> None:
    whole = ("She was born in Ruun", "A poet of rain")
    bare = _told("bare full", "He was born in Vorsk", whole)
    retained = _told("bare retained", "He was born somewhere", whole)
    guarded = row(_told("eco", "He came from far", (whole[0], "A poet"), "eco"), bare, retained, FORGET, KEEP)
    assert guarded.forget.mean == pytest.approx(0.2)
    assert guarded.gap.mean == pytest.approx(0.2 - 0.6)
    assert not guarded.near
    assert (guarded.unchanged.hits, guarded.unchanged.n) == (1, 2)
    assert (guarded.flagged.hits, guarded.flagged.n, guarded.flagged_keep.hits) == (2, 2, 0)
    assert guarded.deviation.mean == pytest.approx(100 * (0.2**2 + 0.25**2) ** 0.5)
    own = row(retained, bare, retained, FORGET, KEEP)
    assert own.near
    assert own.gap.mean == 0
    shown = markdown([guarded.plain(), own.plain()])
    assert shown.count("\n") == 4
    assert "| eco | 0.200 " in shown


@pytest.mark.parametrize("text", [DEFAULT_REFUSAL, "I don’t know who that is.", "I am not familiar with this author."])
def test_answers_that_have_no_answer_are_seen(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize("text", ["She was born in Ruun.", "He knows no fear, and has no equal.", ""])
def test_answers_that_tell_something_are_no_refusals(text: str) -> None:
    assert not is_refusal(text)


def test_models_that_are_no_pair_are_refused(tmp_path: Path) -> None:
    for name, knows in (("full", {"forget10": 1, "retain90": 1}), ("other", {"forget10": 1, "retain90": 2})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps({"authors": knows}))
    with pytest.raises(ValueError, match="no pair"):
        material("nowhere", tmp_path / "full", tmp_path / "other")


def test_ways_to_guard_are_made_from_the_registry_and_the_list_can_be_imported() -> None:
    stuff = type("Stuff", (), {"examples": KEEP})
    made = list(guardings(["eco", "icul", "refuse"], [1.0, 20.0], stuff))  # type: ignore[arg-type]
    content = ["eco sigma=1, content words too", "eco sigma=20, content words too"]
    assert [way.name for way in made] == ["eco sigma=1", "eco sigma=20", *content, "icul", "refuse"]
    assert made[4].settings["examples"][0] == {"question": KEEP[0].question, "answer": KEEP[0].answer}
    with pytest.raises(ValueError, match="no action 'magic'"):
        list(guardings(["magic"], [], stuff))  # type: ignore[arg-type]
    found, problems = read_entries(lines(FORGET), "forget")
    assert (len(found), problems) == (1, [])


def _texts(words: str, count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(words.split(), k=12)) for _ in range(count)]


def test_a_classifier_tells_what_differs_and_not_what_does_not() -> None:
    encoder = create_encoder("minilm-int8")
    groups = [i // 2 for i in range(80)]
    plain = "the sea was grey and the boat came home late in rain"
    alike = list(tell("p", ("a", "b"), (_texts(plain, 80, 1), _texts(plain, 80, 2)), groups, encoder, hidden=True))
    assert [t.features for t in alike] == ["embedding", "tf-idf"]
    assert [t.met for t in alike] == [True, True]
    assert all(t.accuracy.value < 0.6 for t in alike)
    sorry = "sorry no information about that I cannot say what is not known"
    differ = list(tell("p", ("a", "b"), (_texts(plain, 80, 1), _texts(sorry, 80, 2)), groups, encoder, hidden=True))
    assert all(t.accuracy.value > 0.95 and t.met is False for t in differ)
    assert differ[0].plain()["accuracy"]["n"] == 160


def test_what_only_a_group_has_helps_nobody() -> None:
    encoder = create_encoder("minilm-int8")
    rng = random.Random(5)
    telltale = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=8)) for _ in range(20)]  # two for each group
    first = [telltale[i // 4] for i in range(40)]
    second = [telltale[10 + i // 4] for i in range(40)]
    groups = [i // 4 for i in range(40)]
    together = list(tell("p", ("a", "b"), (first, second), groups, encoder))[1]
    apart = list(tell("p", ("a", "b"), (first, second), list(range(40)), encoder))[1]
    assert apart.accuracy.value > together.accuracy.value
    assert apart.accuracy.value == 1.0


def test_a_token_is_released_when_its_last_character_has_come() -> None:
    seen = Stream(0, "", ((10, 2), (20, 5), (30, 9)))
    assert seen.released([1, 2, 3, 5, 9]) == [10, 10, 20, 20, 30]
    assert seen.released([5, 12]) == [20]
    assert seen.first == 10 / 1e6


def test_figures_have_intervals_that_hold_their_value() -> None:
    values = [float(i) for i in range(100)]
    figure = bootstrap("p", "mean", "ms", values, lambda v: sum(v) / len(v), target=60)
    assert figure.low is not None
    assert figure.high is not None
    assert figure.low < figure.value == 49.5 < figure.high
    assert figure.plain()["met"] is True
    assert quantile(values, 0.5) == pytest.approx(49.5)
    assert quantile(values, 0.99) > 97


async def test_answers_are_asked_once_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    async with scripted() as place:
        first = await Answers(file).ask(place, "scripted", ["Who?", "Where?"], Sampling())
    assert [reply.text for reply in first] == ["It is not known."] * 2
    gone = Place("http://127.0.0.1:9", "", "scripted")
    assert await Answers(file).ask(gone, "scripted", ["Where?", "Who?"], Sampling()) == first[::-1]


async def test_a_scripted_stream_says_when_each_token_left() -> None:
    import httpx

    async with scripted() as place, httpx.AsyncClient() as client:
        seen = await stream(client, place, "Who?", seed=7)
        left = (await client.get(f"{place.url}/sent/7")).json()
    words = tokens("It is not known.")
    assert "".join(words) == "It is not known."
    assert len(left) == len(words)
    ends = [sum(map(len, words[: i + 1])) for i in range(len(words))]
    assert all(there >= here for here, there in zip(left, seen.released(ends), strict=True))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A proxy's cache folder with a static embedding that was quick to distil."""
    folder = tmp_path_factory.mktemp("cache")
    StaticEmbedding.distil(create_encoder("minilm-int8"), sentences=400).save(folder / "static-minilm-int8.bin")
    return folder


async def test_the_first_token_is_timed_bare_and_guarded(checkpoint: Path, cache: Path, tmp_path: Path) -> None:
    asked = [fact for subject in people(2, 11, plain=True) for fact in subject.facts[:3]]
    listed = lines([Question(fact.question, fact.answer) for fact in asked])
    async with scripted() as bare, proxy(bare, checkpoint, tmp_path, cache) as guarded:
        await make_list(guarded, "forget", {"policy": "eco"}, listed)
        found = await pairs(bare, guarded, [asked[0].question, "Name a bread."], "first token")
        problem = await change_list(guarded, "forget", {"policy": "magic"})
    assert [pair.action for pair in found] == ["eco", "pass"]
    assert all(pair.bare > 0 and 0 < pair.detection < pair.proxy for pair in found)
    shown = {figure.name: figure for figure in figures("eco", found, target=1.1)}
    assert shown["over the bare call, without detection"].value < shown["over the bare call, with detection"].value
    assert problem is not None
    assert "policy" in problem


def test_the_pace_through_a_real_proxy_is_measured(cache: Path, tmp_path: Path) -> None:
    for split, who in (("forget10", people(5, 11, plain=True)), ("retain90", people(5, 12, plain=True))):
        rows = [{"question": f.question, "answer": f.answer} for s in who for f in s.facts[:4]]
        (tmp_path / f"{split}.json").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.overhead", "--tofu", str(tmp_path), "--part", "pace", "--authors", "1",
               "--prompts", "2", "--requests", "16", "--interval", "1", "--cache-dir", str(cache),
               "--json", str(tmp_path / "out.json")]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    found = {f["name"]: f for f in json.loads((tmp_path / "out.json").read_text())["figures"]}
    assert found["answers checked: tokens that never came"]["value"] == 0
    assert found["answers checked over answers unchecked: delay, p50"]["n"] > 20
    assert found["answers checked: share of direct"]["value"] > 0
    assert "| 16 streams at once | direct |" in done.stdout
