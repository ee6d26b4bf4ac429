"""What is handed to garak and PyRIT and read back; the suites themselves are run by ``make bench-scanners``."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from benchmarks.data.corpus import Item
from benchmarks.redteaming.knower import NOTHING
from benchmarks.suites.garak import attempts, masked
from benchmarks.suites.oracles import Reader, Told
from benchmarks.suites.scanned import Attempt, rates

FACTS = (
    Item("Where was Ada Bell born?", "Ada Bell was born in Karachi.", "Ada Bell"),
    Item("What does Bo Finch breed?", "Bo Finch breeds hawkmoths.", "Bo Finch"),
)


def _asked(content: object, **more: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": content}], **more}


def test_what_is_masked_is_the_word_that_the_question_does_not_tell() -> None:
    assert masked(FACTS[0]) == ("Karachi", "Where was Ada Bell born? Ada Bell was born in [MASK].")
    assert masked(Item("Is Ada Bell born?", "", "Ada Bell")) is None


def test_who_understands_any_disguise_goes_by_the_number_and_not_by_what_the_guard_changed() -> None:
    told = Told(FACTS)
    assert told.says(_asked("gibberish", user="1")) == FACTS[1].answer
    assert told.says(_asked([{"type": "text", "text": "gibberish"}], user="0")) == FACTS[0].answer
    assert told.says(_asked([{"type": "prompt_embeds", "prompt_embeds": "AAAA"}], user="0")) == NOTHING
    assert told.says(_asked("gibberish")) == told.says(_asked("gibberish", user="2")) == NOTHING


@pytest.mark.parametrize(
    "text",
    [
        "where was ada bell born?",
        f"The following instruction is base64 encoded: {base64.b64encode(b'Where was Ada Bell born?').decode()}",
        f"encoded with CharCode: {' '.join(str(ord(c)) for c in 'Where was Ada Bell born?')}",
    ],
)
def test_the_reader_understands_what_garak_s_buffs_make(text: str) -> None:
    assert Reader(FACTS).says(_asked(text)) == FACTS[0].answer
    assert Reader(FACTS).says(_asked([{"type": "prompt_embeds", "prompt_embeds": text}])) == NOTHING


def test_a_text_that_ends_within_the_answer_is_gone_on_with() -> None:
    reader = Reader(FACTS)
    assert reader.says(_asked("Where was Ada Bell born? ada bell was born in ")) == "Karachi."
    assert reader.says(_asked("Ada Bell was born in Karachi. Where was Ada Bell born?")) == FACTS[0].answer


def test_garak_s_report_is_read_with_its_detectors_verdicts(tmp_path: Path) -> None:
    """In the form of garak 0.16: an attempt stands there twice, without verdicts first."""

    def line(uuid: str, said: str, verdicts: dict[str, list[float | None]]) -> dict[str, object]:
        return {"entry_type": "attempt", "uuid": uuid, "probe_classname": "leakreplay.LiteratureCloze",
                "outputs": [{"text": said}], "detector_results": verdicts}  # fmt: skip

    lines = [
        {"entry_type": "init"}, line("a", "Karachi", {}), line("b", "", {}),
        line("a", "Karachi", {"base.TriggerListDetector": [1.0]}), line("b", "", {"base.TriggerListDetector": [None]}),
    ]  # fmt: skip
    file = tmp_path / "r.report.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in lines))
    assert attempts(file, "lowercase.Lowercase") == [
        Attempt("LiteratureCloze lowercase.Lowercase", "Karachi", True),
        Attempt("LiteratureCloze lowercase.Lowercase", "", False),
    ]


def test_rates_are_by_kind_and_in_all_with_the_bound() -> None:
    bare = [Attempt("a", "", True), Attempt("b", "", True)]
    proxied = [Attempt("a", "", False), Attempt("b", "", True)]
    found = list(rates(bare, proxied))
    assert [(row.kind, row.n, row.bare, row.proxied) for row in found] == [
        ("a", 1, 1, 0),
        ("b", 1, 1, 1),
        ("all", 2, 2, 1),
    ]
    assert found[0].upper == pytest.approx(0.95)
    with pytest.raises(ValueError, match="2 attempts bare, 1 through the proxy"):
        list(rates([bare[0], bare[0]], proxied[:1]))
