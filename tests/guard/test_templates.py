"""Guard texts that operators write: what they may say, and what the user cannot make of them."""

from __future__ import annotations

import pytest

from guard.effects import Prefix
from guard.synthetic import Record
from guard.templates import DEFAULT_TEMPLATE, LONGEST_TEMPLATE, LONGEST_TEXT, Values, check_template, render

VALUES = Values("POLICY", "WHY", "people", "private people")
RECORD = Record("Ada Nobody", "Ada Nobody lives nowhere.")


def test_the_default_puts_policy_and_reasoning_before_and_a_reminder_after() -> None:
    text = render(None, VALUES)
    assert text.before.startswith("POLICY")
    assert "WHY" in text.before
    assert "do not know" in text.after
    assert text.system is None
    check_template(DEFAULT_TEMPLATE)


def test_a_record_is_in_the_default_where_there_is_one() -> None:
    with_record = Values("POLICY", "WHY", "people", record=RECORD)
    assert RECORD.text in render(None, with_record).before
    assert "record" in render(None, with_record).after
    assert "record" not in render(None, VALUES).before


def test_blocks_stand_where_they_say_and_the_others_are_the_defaults() -> None:
    text = "{% block system %}S {{ list.name }}{% endblock %}{% block before %}B {{ guideline }}{% endblock %}"
    check_template(text)
    assert render(text, VALUES) == Prefix("B POLICY\n\n", render(None, VALUES).after, "S people")


def test_a_template_without_blocks_stands_before_and_the_reminder_after() -> None:
    check_template("{{ list.description|upper }}: {{ reasoning }}")
    found = render("{{ list.description|upper }}: {{ reasoning }}", VALUES)
    assert found.before == "PRIVATE PEOPLE: WHY\n\n"
    assert found.after == render(None, VALUES).after


def test_conditions_on_the_record_are_allowed() -> None:
    text = "{% if record %}{{ record.name }}{% elif list.description is none %}-{% else %}nobody{% endif %}"
    check_template(text)
    assert render(text, VALUES).before.strip() == "nobody"
    assert render(text, Values("P", "R", "l", record=RECORD)).before.strip() == "Ada Nobody"


def test_template_syntax_in_values_is_data() -> None:
    hostile = "{{ 7 * 7 }}{% for x in range(9) %}{{ self }}{% endfor %}{# gone? #}"
    found = render("{{ guideline }}|{{ reasoning }}", Values(hostile, hostile, hostile))
    assert found.before == f"{hostile}|{hostile}\n\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ nobody }}", "no variable 'nobody'"),
        ("a\n{{ list.policy }}", "line 2 .* no field 'policy'"),
        ("{{ record.name }}", "outside {% if record %}"),
        ("{{ record.__class__ }}", "no field '__class__'"),
        ("{{ ''.__class__ }}", "no field '__class__'"),
        ("{{ guideline.upper }}", "no field 'upper'"),
        ("{{ guideline.upper() }}", "'call' is not allowed"),
        ("{{ range(10) }}", "'call' is not allowed"),
        ("{% for a in guideline %}x{% endfor %}", "'for' is not allowed"),
        ("{% set a = 1 %}", "'assign' is not allowed"),
        ("{% macro a() %}{% endmacro %}", "'macro' is not allowed"),
        ("{% include 'x' %}", "'include' is not allowed"),
        ("{% import 'x' as y %}", "'import' is not allowed"),
        ("{% extends 'x' %}", "'extends' is not allowed"),
        ("{{ 'a' * 1000000000 }}", "'mul' is not allowed"),
        ("{{ 9 ** 999999999 }}", "'pow' is not allowed"),
        ("{{ '%1000000000s' % guideline }}", "'mod' is not allowed"),
        ("{{ guideline[0] }}", "'getitem' is not allowed"),
        ("{{ [1] }}", "'list' is not allowed"),
        ("{{ guideline|center(1000000000) }}", "no filter 'center'"),
        ("{{ guideline|tojson }}", "no filter 'tojson'"),
        ("{{ guideline is callable }}", "no test 'callable'"),
        ("{% block after %} {% endblock %}", "last"),
        ("{% block after %}{% if record %}x{% endif %}{% endblock %}", "last"),
        ("{% block middle %}x{% endblock %}", "system, before, after"),
        ("{% if record %}{% block before %}x{% endblock %}{% endif %}", "stand in nothing else"),
        ("{% block before %}x{% endblock %} lost", "outside the blocks"),
        ("  ", "empty"),
        ("{% if %}", "line 1"),
        ("{{ guideline", "line 1"),
        ("x" * (LONGEST_TEMPLATE + 1), "longer than"),
        ("{{ " + "not " * 1900 + "record }}", "nested too deeply"),
    ],
)
def test_what_could_fail_run_long_or_give_the_user_the_last_word_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_template(text)


def test_text_that_comes_out_too_long_is_an_error_and_not_sent() -> None:
    with pytest.raises(ValueError, match="longer than"):
        render("{{ guideline }}" * 400, Values("x" * LONGEST_TEXT, "", "l"))
