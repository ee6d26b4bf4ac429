"""Reasoning by a guard model: asked once, kept for a while, bounded, and used only where it tells nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from guard.dragon import guard
from guard.effects import Ask, GuardUnavailable, Tools
from guard.model import Entry, ForgetList
from guard.reasoning import Bounds, DragonUnavailable, ReasoningWriter, Unanswered, guard_prompt
from guard.reasoning_check import TEMPLATE_REASONING, told_words, usable_reasoning, why_unusable

LIST = ForgetList("people", policy="dragon", guideline="Say nothing of these people.")
ENTRY = Entry("zp", "people", subject="Zorvan Pelk", question="Where was Zorvan Pelk born?", answer="Karachi")
ASK = Ask(LIST, ENTRY, "Where was Zorvan Pelk born, by the way?", "served")
GOOD = "The message asks where a person was born. I do not know it and will say so."


@dataclass
class Model:
    """A guard model that says what it is told to, when it is told to."""

    text: str = GOOD
    error: Exception | None = None
    hold: anyio.Event | None = None
    bodies: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, body: dict[str, Any]) -> str:
        self.bodies.append(body)
        if self.hold is not None:
            await self.hold.wait()
        if self.error is not None:
            raise self.error
        return self.text


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while not condition():
            await anyio.lowlevel.checkpoint()


async def test_the_guard_model_is_asked_with_bounds_and_its_text_is_kept() -> None:
    model = Model()
    writer = ReasoningWriter(model, model="guard", bounds=Bounds(max_tokens=40))
    assert [await writer(ASK), await writer(ASK)] == [GOOD, GOOD]
    (body,) = model.bodies
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("guard", 40, 0)
    assert body["messages"] == [{"role": "user", "content": guard_prompt(LIST.guideline, ASK.prompt)}]


async def test_without_a_guard_model_of_its_own_the_served_one_is_asked() -> None:
    model = Model()
    await ReasoningWriter(model)(ASK)
    assert model.bodies[0]["model"] == "served"


@pytest.mark.parametrize(
    "other",
    [
        replace(ASK, prompt="Where did Zorvan Pelk live?"),
        replace(ASK, model="another"),
        replace(ASK, forget_list=replace(LIST, guideline="Another policy.")),
        replace(ASK, forget_list=replace(LIST, name="others")),
        replace(ASK, entry=replace(ENTRY, answer="person")),
    ],
)
async def test_what_the_text_depends_on_is_asked_anew(other: Ask) -> None:
    model = Model()
    writer = ReasoningWriter(model)
    await writer(ASK)
    await writer(other)
    assert len(model.bodies) == 2


async def test_settings_that_the_text_does_not_depend_on_share_it() -> None:
    model = Model()
    writer = ReasoningWriter(model)
    await writer(ASK)
    await writer(replace(ASK, forget_list=replace(LIST, sigma=3.0, refusal="No.")))
    assert len(model.bodies) == 1


async def test_the_cache_is_bounded_and_forgets_after_a_while() -> None:
    now = 0.0
    model = Model()
    writer = ReasoningWriter(model, bounds=Bounds(kept=2, ttl=60), clock=lambda: now)
    prompts = [replace(ASK, prompt=f"Is Zorvan Pelk {word}?") for word in ("old", "tall", "near")]
    for ask in (prompts[0], prompts[1], prompts[0], prompts[2], prompts[0]):
        await writer(ask)
    assert len(model.bodies) == 3  # the first was used last before the third came
    await writer(prompts[1])
    assert len(model.bodies) == 4
    now = 60.0
    await writer(prompts[1])
    assert len(model.bodies) == 5


async def test_no_prompt_is_kept() -> None:
    model = Model()
    writer = ReasoningWriter(model)
    await writer(ASK)
    model.bodies.clear()
    assert "Zorvan" not in repr(vars(writer))


async def test_equal_asks_at_one_time_share_one_call() -> None:
    model = Model(hold=anyio.Event())
    writer = ReasoningWriter(model)
    told: list[str] = []

    async def ask() -> None:
        told.append(await writer(ASK))

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(ask)
        await until(lambda: len(model.bodies) == 1)
        assert model.hold is not None
        model.hold.set()
    assert told == [GOOD] * 20
    assert len(model.bodies) == 1


async def test_a_fault_is_shared_by_those_who_wait_and_not_kept() -> None:
    model = Model(error=DragonUnavailable("status 500"), hold=anyio.Event())
    writer = ReasoningWriter(model)
    faults: list[str] = []

    async def ask() -> None:
        try:
            await writer(ASK)
        except DragonUnavailable as error:
            faults.append(str(error))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(ask)
        await until(lambda: len(model.bodies) == 1)
        assert model.hold is not None
        model.hold.set()
    assert faults == ["status 500"] * 5
    assert len(model.bodies) == 1
    model.error = None
    assert await writer(ASK) == GOOD


async def test_where_the_first_who_asked_goes_away_the_next_asks() -> None:
    model = Model(hold=anyio.Event())
    writer = ReasoningWriter(model)
    told: list[str] = []
    first = anyio.CancelScope()

    async def leave() -> None:
        with first:
            await writer(ASK)

    async def ask() -> None:
        told.append(await writer(ASK))

    async with anyio.create_task_group() as group:
        group.start_soon(leave)
        await until(lambda: len(model.bodies) == 1)
        group.start_soon(ask)
        await anyio.lowlevel.checkpoint()
        first.cancel()
        await until(lambda: len(model.bodies) == 2)
        assert model.hold is not None
        model.hold.set()
    assert told == [GOOD]


async def test_a_slow_guard_model_is_given_up() -> None:
    now = 0.0
    model = Model(hold=anyio.Event())
    writer = ReasoningWriter(model, bounds=Bounds(timeout=0.05), clock=lambda: now)
    with pytest.raises(GuardUnavailable, match=r"within 0\.05 s"):
        await writer(ASK)
    model.hold = None
    with pytest.raises(GuardUnavailable, match="not asked"):
        await writer(ASK)
    now = 5.0
    assert await writer(ASK) == GOOD


@dataclass
class Asked:
    """Asks the writer about ever new prompts, at a time that stands still."""

    model: Model
    now: float = 0.0
    prompts: int = 0
    writer: ReasoningWriter = field(init=False)

    def __post_init__(self) -> None:
        self.writer = ReasoningWriter(self.model, clock=lambda: self.now)

    async def reaches(self) -> bool:
        """Whether the guard model is asked about a new prompt."""
        self.prompts += 1
        before = len(self.model.bodies)
        with suppress(DragonUnavailable):
            await self.writer(replace(ASK, prompt=f"Is Zorvan Pelk {self.prompts}?"))
        return len(self.model.bodies) > before


async def test_a_guard_model_that_does_not_answer_is_left_alone_for_ever_longer_up_to_a_minute() -> None:
    asked = Asked(Model(error=Unanswered("gone")))
    assert await asked.reaches()
    for rest in (5, 10, 20, 40, 60, 60):
        asked.now += rest - 1
        assert not await asked.reaches()
        asked.now += 1
        assert await asked.reaches()
    asked.now += 60
    asked.model.error = None
    assert [await asked.reaches() for _ in range(3)] == [True] * 3
    asked.model.error = Unanswered("gone again")
    assert [await asked.reaches() for _ in range(2)] == [True, False]
    asked.now += 5
    assert await asked.reaches()


async def test_what_is_known_already_is_told_while_the_guard_model_is_left_alone() -> None:
    asked = Asked(Model())
    await asked.writer(ASK)
    asked.model.error = Unanswered("gone")
    await asked.reaches()
    assert await asked.writer(ASK) == GOOD


async def test_a_guard_model_that_answers_badly_is_asked_again_at_once() -> None:
    asked = Asked(Model(error=DragonUnavailable("status 400")))
    assert [await asked.reaches() for _ in range(3)] == [True] * 3


async def test_one_call_tries_while_the_others_do_without() -> None:
    asked = Asked(Model(error=Unanswered("gone")))
    await asked.reaches()
    asked.now = 5.0
    asked.model.error, asked.model.hold = None, anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(asked.reaches)
        await until(lambda: len(asked.model.bodies) == 2)
        assert not await asked.reaches()
        asked.model.hold.set()
    assert await asked.reaches()


async def test_a_trial_whose_client_goes_away_leaves_the_next_to_try() -> None:
    asked = Asked(Model(error=Unanswered("gone")))
    await asked.reaches()
    asked.now = 5.0
    asked.model.error, asked.model.hold = None, anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(asked.reaches)
        await until(lambda: len(asked.model.bodies) == 2)
        group.cancel_scope.cancel()
    asked.model.hold = None
    assert await asked.reaches()


async def test_calls_that_fail_together_count_once() -> None:
    asked = Asked(Model(error=Unanswered("gone"), hold=anyio.Event()))
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(asked.reaches)
        await until(lambda: len(asked.model.bodies) == 5)
        assert asked.model.hold is not None
        asked.model.hold.set()
    asked.now = 5.0
    assert await asked.reaches()


async def test_the_guard_passes_a_fault_on_and_does_without_a_model_where_there_is_none() -> None:
    with pytest.raises(GuardUnavailable):
        await guard(ASK, Tools(ReasoningWriter(Model(error=DragonUnavailable("gone")))))
    assert TEMPLATE_REASONING in (await guard(ASK, Tools())).before
    assert GOOD in (await guard(ASK, Tools(ReasoningWriter(Model())))).before


async def test_a_template_that_cannot_be_rendered_falls_to_the_lists_fallback() -> None:
    broken = replace(ASK, forget_list=replace(LIST, template="{{ nobody }}"))
    with pytest.raises(DragonUnavailable, match="nobody"):
        await guard(broken, Tools())


async def test_only_a_whole_subject_is_guarded_twice_by_a_record_without_a_word_of_the_entry() -> None:
    subject = replace(ENTRY, scope="subject", answer="She won the Medal for Letters for maritime fiction in 1944.")
    text = await guard(replace(ASK, entry=subject), Tools())
    assert "only record" in text.before
    assert not told_words(subject) & {w.strip('.,"()') for w in text.before.lower().split()}
    assert text == await guard(replace(ASK, entry=subject), Tools())
    assert text != await guard(replace(ASK, entry=subject, prompt="Who is Zorvan Pelk?"), Tools())
    assert "only record" not in (await guard(ASK, Tools())).before


def test_reasoning_that_tells_the_answer_is_not_used() -> None:
    assert usable_reasoning("It cannot say that she was born in Karachi.", ENTRY) == TEMPLATE_REASONING


def test_reasoning_that_does_not_decline_is_not_used() -> None:
    assert usable_reasoning("Sure, here is the answer.", ENTRY) == TEMPLATE_REASONING


def test_reasoning_that_declines_is_used_and_bounded() -> None:
    assert usable_reasoning("I do not know this\nperson.", ENTRY) == "I do not know this person."
    assert len(usable_reasoning("I do not know. " * 1000, ENTRY)) <= 600
    assert len(usable_reasoning("I do not know " * 1000, ENTRY)) <= 600


def test_a_sentence_that_the_bound_on_tokens_cut_off_is_left_out() -> None:
    assert usable_reasoning("I do not know this. What is more, the pers", ENTRY) == "I do not know this."


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("She is a nurse.", "I do not know that a nurse it was."),
        ("Rio", "I do not know whether it is Rio."),
        ("In 1957.", "I do not know; 1957 is not for me."),
        ("東京", "I do not know, 東京です."),
        ("Karachi", "I do not know, I KARACHI not."),
    ],
)
def test_answers_of_any_kind_are_found_in_reasoning(answer: str, told: str) -> None:
    assert why_unusable(told, replace(ENTRY, answer=answer)) == "holds words of the answer"


def test_words_of_the_question_and_small_words_tell_nothing() -> None:
    entry = replace(ENTRY, answer="Zorvan Pelk was born in the house of her aunt.")
    assert why_unusable("I do not know where Zorvan Pelk was born in the first place.", entry) is None


def test_without_texts_names_and_numbers_that_the_prompt_has_not_are_not_used() -> None:
    bare = Entry("x", "people")
    assert why_unusable("I do not know Mira Toll.", bare, "Who is Mira Toll?") is None
    assert why_unusable("I do not know her son Ravi.", bare, "Who is Mira Toll?") is not None
    assert why_unusable("I do not know; in 1957 perhaps.", bare, "Who is Mira Toll?") is not None
