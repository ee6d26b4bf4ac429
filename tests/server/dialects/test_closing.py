"""JSON that breaks off is made whole by what is put after it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.dialects.closing import close_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(), VALUES, max_size=4), st.data(), st.booleans(), st.sampled_from([None, 2]))
def test_a_document_cut_anywhere_becomes_a_document(
    document: dict[str, Any], data: st.DataObject, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    cut = text[: data.draw(st.integers(1, len(text)))]
    whole = json.loads(cut + close_json(cut))
    assert isinstance(whole, dict)


@pytest.mark.parametrize(
    ("cut", "end"),
    [
        ('{"city": "Os', '"}'), ('{"city', '":null}'), ('{"a": [1, {"b": tr', "ue}]}"), ('{"a":', "null}"),
        ('{"a": 1,', '"":null}'), ('{"a": -', "0}"), ('{"a": "\\', '\\"}'), ('{"a": "\\u00', '00"}'), ('{"a": 1}', ""),
        ("", ""), ("no document", ""),
    ],
)  # fmt: skip
def test_the_end_is_short(cut: str, end: str) -> None:
    assert close_json(cut) == end
