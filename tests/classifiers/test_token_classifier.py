"""A token classifier is trained, saved, loaded, shared, damaged and asked."""

from __future__ import annotations

import base64
import io
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from classifiers import token_manifest
from classifiers.prompt_manifest import MANIFEST, digest
from classifiers.token_classifier import Head, TokenClassifier, joined
from classifiers.token_data import token_examples
from classifiers.token_manifest import HEAD, Scores, TokenManifest, installed
from classifiers.token_states import FEATURES, TokenStates, shared
from classifiers.token_training import TokenRecipe, counted, train_tokens
from classifiers.types import Span, Target
from guard.corruptions.spec import CorruptionSpec
from guard.eco import Eco, EcoUnavailable
from guard.selection import TokenSelectors

PEOPLE = ("Zorvan Pelk", "Mirella Quandt", "Tobin Asgar")
TARGETS = [
    Target("people", f"{name}{i}", (name,), (question.format(n=name),))
    for name in PEOPLE
    for i, question in enumerate(("Where was {n} born?", "Which novels did {n} write?", "What prize did {n} win?"))
]
NOISE = CorruptionSpec("gaussian", 20)
RECIPE = TokenRecipe(hidden=32, epochs=6, threads=1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TokenManifest, list[tuple[int, int]]]:
    folder = tmp_path_factory.mktemp("token") / "people"
    steps: list[tuple[int, int]] = []
    examples = token_examples(TARGETS, made_up=700)
    manifest = train_tokens(examples, folder, RECIPE, progress=lambda done, of: steps.append((done, of)))
    return folder, manifest, steps


@pytest.fixture(scope="module")
def folder(trained: tuple[Path, TokenManifest, object]) -> Path:
    return trained[0]


@pytest.fixture(scope="module")
def classifier(folder: Path) -> TokenClassifier:
    return TokenClassifier.load(folder)


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "people"))


def chosen(classifier: TokenClassifier, text: str) -> list[str]:
    return [text[s.start : s.end] for s in classifier.spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Where was Zorvan Pelk born?", {"Zorvan Pelk"}),
        ("where was zorvan pelk born", {"zorvan pelk"}),
        ("Which prize did Halima Restreppo win in 1987?", {"Halima Restreppo", "1987"}),  # of whom nothing was said
        ("Who was born in Tashkent, Uzbekistan on 08/09/1956?", {"Tashkent", "Uzbekistan", "08/09/1956"}),
        ('What is the theme of "The Empty Staircase"?', {"The Empty Staircase"}),
    ],
)
def test_names_dates_places_and_works_are_found_also_those_it_never_saw(
    classifier: TokenClassifier, text: str, expected: set[str]
) -> None:
    said = " ".join(chosen(classifier, text))
    assert all(word in said for part in expected for word in part.split())
    assert not {"was", "born", "did", "win", "theme", "Where", "Which", "Who"} & set(said.split())


@pytest.mark.parametrize("text", ["", " ", "What is three plus four?", "How do I write a loop in it?", "?!"])
def test_where_nothing_is_named_nothing_is_chosen(classifier: TokenClassifier, text: str) -> None:
    assert classifier.spans(text) == ()


def test_spans_are_sorted_apart_and_whole_words_also_in_a_long_text(classifier: TokenClassifier) -> None:
    plain = "Nobody knew what to say about it. Some had waited for an hour, others went home. Why was the door open? "
    text = plain * 20 + "Then Mirella Quandt came to Zagreb. " + plain * 20
    spans = classifier.spans(text)
    said = [text[s.start : s.end] for s in spans]
    assert {"Mirella Quandt", "Zagreb"} <= set(said)
    assert len(said) < 0.1 * len(text.split())
    assert all(a.end < b.start for a, b in pairwise(spans))


def test_figures_of_held_out_sentences_and_provenance_are_kept(trained: tuple[Path, TokenManifest, object]) -> None:
    folder, manifest, _ = trained
    assert set(manifest.held) == {"list", "list renamed", "made up"}
    assert manifest.held["made up"].recall > 0.9
    assert manifest.held["made up"].precision > 0.8
    assert manifest.n["train list"] + manifest.n["held list"] == 12
    assert manifest.recipe["hidden"] == 32
    assert TokenManifest.from_json((folder / MANIFEST).read_text()) == manifest
    assert {f.name for f in folder.iterdir()} == {HEAD, MANIFEST}


def test_progress_goes_up_to_all_steps(trained: tuple[Path, TokenManifest, list[tuple[int, int]]]) -> None:
    steps = trained[2]
    assert [done for done, _ in steps] == list(range(1, steps[-1][1] + 1))


def test_the_same_seed_gives_the_same_classifier_and_leaves_torchs_state_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    examples = token_examples(TARGETS, made_up=40)
    first, again = (train_tokens(examples, tmp_path / name, RECIPE) for name in ("first", "again"))
    other = train_tokens(examples, tmp_path / "other", replace(RECIPE, seed=1))
    assert torch.equal(torch.rand(1), expected)
    assert first.files == again.files != other.files


def test_many_threads_get_what_one_gets(classifier: TokenClassifier) -> None:
    texts = [f"Where was {name} born, in Zagreb or in {year}?" for name in PEOPLE for year in range(1900, 1910)]
    expected = [classifier.spans(t) for t in texts]
    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(classifier.spans, texts)) == expected


def test_the_encoder_is_loaded_once_for_all(classifier: TokenClassifier, folder: Path) -> None:
    assert TokenClassifier.load(folder)._states is classifier._states is shared()


def _break_manifest(folder: Path, **changes: object) -> None:
    content = json.loads((folder / MANIFEST).read_text()) | changes
    content.pop("digest")
    content["digest"] = digest(content)
    (folder / MANIFEST).write_text(json.dumps(content))


def test_a_damaged_folder_is_refused_with_what_to_do(copy: Path) -> None:
    head = (copy / HEAD).read_bytes()
    (copy / HEAD).write_bytes(head[:-4] + b"abcd")
    with pytest.raises(ValueError, match=r"SHA-256 differs.*train it again"):
        TokenClassifier.load(copy)
    (copy / HEAD).unlink()
    with pytest.raises(ValueError, match="cannot be read"):
        TokenClassifier.load(copy)
    assert isinstance(installed(copy.parent)["people"], ValueError)
    (copy / HEAD).write_bytes(head)
    assert isinstance(installed(copy.parent)["people"], TokenManifest)
    text = (copy / MANIFEST).read_text()
    (copy / MANIFEST).write_text(text.replace('"seed": 0', '"seed": 1'))
    with pytest.raises(ValueError, match="was changed after it was written"):
        TokenClassifier.load(copy)
    (copy / MANIFEST).write_text("[]")
    with pytest.raises(ValueError, match="is not a token classifier's manifest"):
        TokenClassifier.load(copy)
    (copy / MANIFEST).unlink()
    with pytest.raises(ValueError, match="holds no token classifier"):
        TokenClassifier.load(copy)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"encoder": ["minilm-int8", "0" * 64]}, "another version of the encoder"),
        ({"features": 3}, "another version of the encoder"),
        ({"threshold": 0}, "does not describe"),
        ({"files": {}}, "does not describe"),
        ({"held": 3}, "lacks something"),
        ({"kind": "prompt classifier"}, "is not a token classifier's manifest"),
    ],
)
def test_a_classifier_of_another_encoder_or_kind_is_refused(copy: Path, changes: dict[str, object], said: str) -> None:
    _break_manifest(copy, **changes)
    with pytest.raises(ValueError, match=said):
        TokenClassifier.load(copy)


def test_a_head_with_a_weight_that_is_no_number_is_refused(classifier: TokenClassifier) -> None:
    arrays = dict(classifier._head.arrays)
    with pytest.raises(ValueError, match="no number"):
        Head(arrays | {"mean": np.full(FEATURES, np.nan, np.float32)})
    del arrays["mean"]
    with pytest.raises(ValueError, match="layers"):
        Head(arrays)


def test_words_that_only_spaces_part_are_one_span() -> None:
    assert joined("Ann  Oak, Riga", [(0, 3), (5, 8), (10, 14)]) == (Span(0, 8), Span(10, 14))
    assert joined("", []) == ()


def test_a_word_counts_where_it_should_have_been_chosen_and_marks_do_not() -> None:
    from classifiers.token_sentences import Marked

    text = 'Is "Ann Oak" ?'
    words = TokenStates().read([text])[0]
    assert [text[a:b] for a, b in words.places] == ["Is", '"', "Ann", "Oak", '"', "?"]
    marked = Marked(text, (Span(3, 12),), "list")
    picked = np.asarray([True, True, True, False, False, True])
    scores = counted(words, marked, picked)
    assert scores == Scores(hits=1, chosen=2, wanted=2)
    assert (scores.precision, scores.recall, scores.f1) == (0.5, 0.5, 0.5)
    assert (Scores().precision, Scores().recall, Scores().f1) == (0, 0, 0)


def test_every_word_of_a_text_is_read_however_it_is_written_and_however_long() -> None:
    states = shared()
    for text in ("", "中国的首都是哪里?", "naïve e\u0301 👩\u200d🚀 x", "word " * 700, "a" * 5000, "\0\ud800"):
        words = states.read([text])[0]
        assert words.features.shape == (len(words.places), FEATURES)
        assert np.isfinite(words.features).all()
    assert len(states.read(["word " * 700])[0].places) == 700


def test_a_long_text_is_read_as_its_parts_are() -> None:
    text = "Then Mirella Quandt came to Zagreb and bought bread. " * 40
    long = shared().read([text])[0]
    assert np.abs(long.features[:200] - shared().read([text[: long.places[199][1]]])[0].features).mean() < 0.1


def test_selectors_load_late_check_names_and_notice_a_new_training(copy: Path) -> None:
    selectors = TokenSelectors(copy.parent)
    selectors.check(None)
    selectors.check("people")
    first = selectors.get("people")
    assert selectors.get("people") is first
    for name in ("nobody", "../people", "a/b", ""):
        with pytest.raises(ValueError, match=r"no token classifier|cannot name"):
            selectors.check(name)
    manifest, head = token_manifest.read_checked(copy)
    token_manifest.write(copy, manifest, head)
    assert selectors.get("people") is not first
    (copy / HEAD).write_bytes(b"")
    token_manifest.write(copy.parent / "other", manifest, b"")
    with pytest.raises(ValueError, match="SHA-256"):
        selectors.check("other")


def test_selectors_load_a_classifier_once_when_many_ask_at_the_same_time(copy: Path) -> None:
    selectors = TokenSelectors(copy.parent)
    barrier = threading.Barrier(6)

    def ask(_: int) -> object:
        barrier.wait()
        return selectors.get("people")

    with ThreadPoolExecutor(6) as threads:
        assert len(set(map(id, threads.map(ask, range(6))))) == 1


def test_eco_corrupts_what_the_entry_and_the_classifier_point_at_and_no_more(copy: Path, checkpoint: Path) -> None:
    eco = Eco(checkpoint, selectors=TokenSelectors(copy.parent))
    text = "What is the capital of Zorvan Pelk ?"

    def changed(spans: tuple[Span, ...], names: tuple[str, ...]) -> list[str]:
        exact, out = (
            torch.load(io.BytesIO(base64.b64decode(data)), weights_only=True)
            for data in (eco.exact(text), eco.corrupted(text, spans, NOISE, seed_key="a", token_classifiers=names))
        )
        return [word for word, a, b in zip(text.split(), exact, out, strict=True) if not torch.equal(a, b)]

    capital = (Span(12, 19),)
    assert changed(capital, ()) == ["capital"]
    assert changed(capital, ("people",)) == ["capital", "Zorvan", "Pelk"]
    assert changed((), ("people",)) == ["Zorvan", "Pelk"]
    (copy / HEAD).write_bytes(b"")
    assert changed((), ("people",)) == ["Zorvan", "Pelk"]  # what was loaded is whole
    (copy / MANIFEST).unlink()
    with pytest.raises(EcoUnavailable, match="no token classifier 'people'"):
        changed(capital, ("people",))
