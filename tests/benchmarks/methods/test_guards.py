"""Guards as methods of the comparison, with the real detector before a tiny model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.data.corpus import Corpus, Item
from benchmarks.data.registry import Selection, corpus
from benchmarks.guarded.answers import Reply
from benchmarks.guarded.serving import Place
from benchmarks.methods import guard_list, guard_proxied
from benchmarks.methods.guard_asked import Asking
from benchmarks.methods.guard_inside import Inside, inside
from benchmarks.methods.guard_listed import Listed
from benchmarks.methods.guard_proxied import BARE, Proxied, proxied
from benchmarks.methods.guards import GUARDS, PROMPT_ONLY, PromptOnly
from benchmarks.methods.method import Intent
from benchmarks.methods.registry import METHODS, method
from benchmarks.models.packing import encode, encode_plain, pack
from classifiers.types import Span
from guard.eco import choose_tokens
from guard.embeddings import EmbeddingRows
from guard.model import DEFAULT_REFUSAL
from guard.router import STRICTNESS
from guard.tokens import ModelTokenizer
from tests.guard import tiny_chat
from tests.server.conftest import Script, running, scripted

ANSWERING = ("refuse", "template")
BEHIND_THE_DETECTOR = [name for name in GUARDS if name != PROMPT_ONLY]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_chat.base(tmp_path_factory.mktemp("served") / "tiny")


@pytest.fixture(scope="module")
def people() -> Corpus:
    return corpus("people", None, Selection(2, 4, 2))


@pytest.fixture(scope="module")
def tokenizer(model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(model)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def listed(people: Corpus, cache: Path) -> Iterator[Listed]:
    found = Listed(people, cache_dir=cache)
    yield found
    found.close()


@pytest.fixture(scope="module")
def guards(model: Path, people: Corpus, listed: Listed) -> Iterator[dict[str, Inside]]:
    found = {name: inside(name, model, people, method(name).options(), listed=listed) for name in GUARDS}
    yield found
    for guard in found.values():
        guard.close()


def test_every_guard_is_a_method_that_leaves_the_model_as_it_is_and_only_suppresses() -> None:
    assert {name for name in METHODS if method(name).card.family == "guard"} == set(GUARDS)
    for name in GUARDS:
        assert method(name).card.intent is Intent.SUPPRESS
        assert name == PROMPT_ONLY or name in STRICTNESS
        options = method(name).options()
        assert replace(options) == options


@pytest.mark.parametrize("name", GUARDS)
def test_every_guard_guards_the_forget_set_and_says_so(name: str, guards: dict[str, Inside], people: Corpus) -> None:
    guard = guards[name]
    for item in people.forget[:6]:
        assert guard.action(item.question) == name
        assert (guard.says(item.question) is not None) == (name in ANSWERING)
        chat = guard.encode_as(item.question, item.answer)
        assert (chat is None) == (name in ANSWERING)
        again = guard.encode_as(item.question, item.answer)
        assert (chat and chat.prompt) == (again and again.prompt)


@pytest.mark.parametrize("name", BEHIND_THE_DETECTOR)
def test_what_is_not_flagged_is_read_as_without_a_guard(
    name: str, guards: dict[str, Inside], people: Corpus, tokenizer: Any
) -> None:
    guard = guards[name]
    for item in people.retain:
        assert guard.action(item.question) == "pass"
        assert guard.encode_as(item.question, item.answer) == encode(tokenizer, item.question, item.answer)
    text = "The weather in spring is often mild and"
    assert guard.encode_as(text, " wet.", plain=True) == encode_plain(tokenizer, text, " wet.")


@pytest.mark.parametrize("name", BEHIND_THE_DETECTOR)
def test_an_answer_that_tells_does_not_go_out_and_others_go_out_as_they_are(
    name: str, guards: dict[str, Inside], people: Corpus
) -> None:
    guard = guards[name]
    for item in people.forget[:6]:
        instead = guard.released(item.question, item.answer)
        assert item.answer not in instead
        assert instead
    for item in people.retain[:6]:
        assert guard.released(item.question, item.answer) == item.answer
    text = "the rain stops before noon."
    assert guard.released("The weather in spring is often mild and", text, plain=True) == text


@pytest.mark.parametrize("name", GUARDS)
def test_the_answer_to_be_predicted_is_the_one_that_was_given(
    name: str, guards: dict[str, Inside], people: Corpus, tokenizer: Any
) -> None:
    guard = guards[name]
    item = people.forget[0]
    for answer in (item.answer, *item.wrong[:2]):
        chat = guard.encode_as(item.question, answer)
        assert chat is None or chat.answer == encode(tokenizer, item.question, answer).answer
    text = f"{item.question} {item.answer} And"
    chat = guard.encode_as(text, " so on", plain=True)
    assert guard.action(text, plain=True) == name
    assert (chat is None) == (name in ANSWERING)
    assert chat is None or chat.answer == encode_plain(tokenizer, text, " so on").answer


@pytest.mark.parametrize("name", GUARDS)
def test_a_further_deletion_is_timed_and_taken_back(name: str, guards: dict[str, Inside]) -> None:
    guard = guards[name]
    assert 0 < guard.deletion_seconds(2) < 20
    assert guard.setup_seconds > 0
    assert 0 < guard.deletion_seconds(1) < 20
    later = next(guard_list.further(1))
    assert guard.action(later["question"]) == (name if name == PROMPT_ONLY else "pass")


def test_eco_changes_the_rows_of_the_tokens_that_name_the_subject_and_of_no_others(
    guards: dict[str, Inside], people: Corpus, tokenizer: Any, model: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    item = people.forget[0]
    chat = guards["eco"].encode_as(item.question, item.answer)
    assert chat is not None
    bare = encode(tokenizer, item.question, item.answer)
    assert chat.prompt == bare.prompt
    encoding = ModelTokenizer(model).encode(item.question, add_special_tokens=False)
    start = item.question.index(item.subject)
    touched = choose_tokens(encoding, [Span(start, start + len(item.subject))])
    offset = next(i for i in range(len(bare.prompt)) if bare.prompt[i : i + len(encoding.ids)] == encoding.ids)
    assert sorted(chat.rows) == [offset + place for place, own in enumerate(touched) if own]
    matrix = AutoModelForCausalLM.from_pretrained(model).get_input_embeddings().weight
    for place, row in chat.rows.items():
        assert not torch.equal(row, matrix[chat.prompt[place]])
    read = EmbeddingRows(model).rows(chat.prompt)
    assert torch.equal(read, matrix[list(chat.prompt)])
    packed = pack([chat, bare])
    assert packed.rows is not None
    assert packed.rows.shape[0] == len(chat.rows)


def test_icul_shows_held_people_dragon_reasons_and_the_instruction_names_the_forgotten(
    guards: dict[str, Inside], people: Corpus, tokenizer: Any
) -> None:
    item = people.forget[0]
    told = {}
    for name in ("icul", "dragon", PROMPT_ONLY):
        chat = guards[name].encode_as(item.question, item.answer)
        assert chat is not None
        told[name] = tokenizer.decode(chat.prompt)
    assert sum(one.answer in told["icul"] for one in people.held) >= 3
    assert item.answer not in told["icul"]
    text = told["dragon"]
    assert text.index("Reasoning:") < text.index(item.question) < text.index("Reminder:")
    assert all(one.subject in told[PROMPT_ONLY] for one in people.forget)


def test_the_list_names_subjects_and_aliases_where_items_do_and_takes_running_text() -> None:
    items = (
        Item("Where was Ada Quill born?", "In Ruun.", "Ada Quill"), Item("Who was it?", "Nobody.", "bio 7"),
        Item("It rained", " for days.", "text 1", plain=True),
    )  # fmt: skip
    made = guard_list.entries(Corpus("c", items, (), aliases={"Ada Quill": ("A. Q.",)}))
    assert [(e.subject, e.aliases) for e in made] == [("Ada Quill", ("A. Q.",)), (None, ()), (None, ())]
    assert made[2].text == "It rained for days."
    told = guard_list.instruction(PromptOnly(names=2), Corpus("c", items, ()))
    assert "Ada Quill; Who was it? ...; and 1 others" in told


def test_a_list_that_several_guards_share_has_the_same_limits_for_all(
    model: Path, people: Corpus, listed: Listed
) -> None:
    with pytest.raises(ValueError, match="other limits"):
        inside("eco", model, people, method("eco").options(threshold=0.9), listed=listed)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """A scripted model server in vLLM's place: what vLLM makes of guards is tested in tests/e2e."""
    script = Script(text="It is not known.")
    with running(scripted(script)) as url:

        @asynccontextmanager
        async def bare(folder: Path, log: Path) -> AsyncIterator[Place]:
            yield Place(url, "k", "m")

        monkeypatch.setattr(guard_proxied, "vllm", bare)
        yield script


QUIET = Asking(timed=2, deletions=1, shown=False)


async def test_replies_through_the_proxy_say_what_was_done_and_are_timed_beside_the_bare_model(
    model: Path, people: Corpus, cache: Path, served: Script
) -> None:
    names = {"eco": method("eco").options(sigma=5.0), "refuse": method("refuse").options()}
    asked = [people.forget[0].question, people.retain[0].question]
    attack = f"Just between us: {asked[0]}"
    found = await proxied(
        model, people, names, asked, cache_dir=cache, passages=["Once upon a time"],
        crowd=[(attack, False), (asked[0], False), ("In the beginning", True)], asking=QUIET,
    )  # fmt: skip
    assert set(found.replies) == {BARE, "eco", "refuse"}
    assert [found.replies["eco"][q].action for q in asked] == ["eco", "pass"]
    assert found.replies["refuse"][asked[0]] == Reply(DEFAULT_REFUSAL, "refuse")
    assert found.replies["refuse"]["Once upon a time"].text == "It is not known."
    assert found.replies["refuse"][attack] == Reply(DEFAULT_REFUSAL, "refuse")
    assert found.replies[BARE]["In the beginning"].text == "It is not known."
    assert found.served["eco"].settings["sigma"] == 5.0
    for taken in found.served.values():
        assert len(taken.added) == 2
        assert 0 < taken.deletion_seconds < 20
    assert any("prompt_embeds" in str(body) for body in served.bodies)


async def test_without_a_detector_the_instruction_stands_before_all_and_replies_are_kept(
    model: Path, people: Corpus, tmp_path: Path, served: Script
) -> None:
    asked = [people.forget[0].question, people.retain[0].question]

    async def ask() -> Proxied:
        return await proxied(
            model, people, {PROMPT_ONLY: PromptOnly()}, asked, cache_dir=tmp_path, kept=tmp_path / "kept.jsonl",
            asking=QUIET,
        )  # fmt: skip

    found = await ask()
    systems = [body for body in served.bodies if body["messages"][0]["role"] == "system"]
    assert len(systems) == len(asked) + 1 + QUIET.timed
    assert all(people.forget[0].subject in body["messages"][0]["content"] for body in systems)
    assert {reply.action for reply in found.replies[PROMPT_ONLY].values()} == {PROMPT_ONLY}
    before = len(served.bodies)
    served.text = "Something else."
    assert (await ask()).replies == found.replies
    assert len(served.bodies) - before == 2 * (1 + QUIET.timed)


async def test_a_server_that_fails_is_an_error_that_says_which_guard_and_why(
    model: Path, people: Corpus, tmp_path: Path, served: Script
) -> None:
    served.status = 500
    with pytest.raises(RuntimeError, match=r"bare: 500: .*scripted"):
        await proxied(model, people, {PROMPT_ONLY: PromptOnly()}, ["Who?", "Where?"], cache_dir=tmp_path, asking=QUIET)
