"""A prompt classifier is trained, saved, loaded, interrupted and damaged."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifiers.detector import Detector
from classifiers.prompt_classifier import PromptClassifier
from classifiers.prompt_manifest import FILES, MANIFEST, Manifest, check_name, installed
from classifiers.registry import create_encoder
from classifiers.scorers import create_scorer
from classifiers.training import Progress, Recipe, schedule, train
from classifiers.types import DetectorError, Target
from tests.classifiers import tiny

ABOUT = "Where was Zorvan Pelk born?"
OTHER = "Where was Marta Olsen born?"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("base") / "tiny")


def recipe(base: Path, **changes: object) -> Recipe:
    return replace(Recipe(str(base), epochs=4, lr=5e-3, target=0.05, threads=1), **changes)


@pytest.fixture(scope="module")
def folder(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("classifiers") / "people"
    train(tiny.small(), out, recipe(base, epochs=10))
    return out


@pytest.fixture(scope="module")
def classifier(folder: Path) -> PromptClassifier:
    return PromptClassifier.load(folder, device="cpu")


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "people"))


def test_it_tells_what_it_was_trained_on_from_the_same_question_about_another(classifier: PromptClassifier) -> None:
    found = classifier.probabilities([ABOUT, OTHER, "", "What is 3 plus 4?"])
    assert found.dtype == np.float32
    assert found.shape == (4,)
    assert (found >= classifier.threshold).tolist() == [True, False, False, False]
    assert classifier.probabilities([]).shape == (0,)


def test_a_list_is_judged_by_its_classifier_and_the_others_as_before(folder: Path) -> None:
    nameless = [replace(t, names=(), texts=(f"Entry {t.entry_id} keeps no text of its own.",)) for t in tiny.targets()]
    other = Target("others", "1", ("Ines Halvard",), (), "subject")
    encoder = create_encoder("minilm-int8")
    scorer = create_scorer("trained:people", folder.parent)
    detector = Detector.build([*nameless, other], {}, encoder, scorers={"people": scorer})
    found = detector.judge([ABOUT, OTHER, "Who is Ines Halvard?"])
    assert [[v.list_name for v in own] for own in found] == [["people"], [], ["others"]]
    assert found[0][0].threshold == scorer.threshold
    assert "trained classifier" in [e.stage for e in found[0][0].evidence]
    summed = create_scorer("dragon:people", folder.parent)
    assert Detector.build(nameless, {}, encoder, scorers={"people": summed}).judge([ABOUT])[0]
    with pytest.raises(ValueError, match="letheward detector train"):
        create_scorer("trained:nobody", folder.parent)


def test_a_classifier_that_fails_is_an_error_and_never_a_no(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = create_scorer("trained:people", folder.parent)
    detector = Detector.build(tiny.targets(), {}, create_encoder("minilm-int8"), scorers={"people": scorer})

    def fails(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(PromptClassifier, "probabilities", fails)
    with pytest.raises(DetectorError):
        detector.judge([ABOUT])


def test_order_and_company_of_texts_change_no_result(classifier: PromptClassifier) -> None:
    texts = [ABOUT, "word " * 300, OTHER, *(f"Question {i} is short." for i in range(40))]
    together = classifier.probabilities(texts)
    assert np.allclose(together[::-1], classifier.probabilities(texts[::-1]), atol=1e-5)
    assert np.allclose(together, [classifier.probabilities([t])[0] for t in texts], atol=1e-5)


@pytest.mark.parametrize("before", [0, 500, 1990, 2000])
def test_nothing_of_a_long_text_is_cut_off(classifier: PromptClassifier, before: int) -> None:
    words = ("The weather was mild and the harbour quiet that day. " * 200).split()[:2000]
    assert classifier.probabilities([" ".join(words)])[0] < classifier.threshold
    asked = " ".join([*words[:before], ABOUT, *words[before:]])
    assert classifier.probabilities([asked])[0] >= classifier.threshold


def test_the_manifest_says_what_the_classifier_is(folder: Path, base: Path) -> None:
    manifest = PromptClassifier.load(folder).manifest
    assert (manifest.name, manifest.base, manifest.classes) == ("people", "tiny", ("keep", "forget"))
    assert manifest.n["train list"] >= 15
    assert manifest.recall.n == manifest.n["held rewordings"]
    assert manifest.recall.value > 0.9
    assert 0 < manifest.recall.low < manifest.recall.high <= 1
    assert manifest.false_positives.value < 0.05
    assert set(manifest.by_kind) == {"rewordings", "keep", "ordinary", "other names"}
    assert Manifest.from_json((folder / MANIFEST).read_text()) == manifest
    assert str(base.parent) not in "".join((folder / f).read_text() for f in ("config.json", MANIFEST))
    assert {f.name for f in folder.iterdir()} == {*FILES, MANIFEST}
    assert not folder.with_name("people.partial").exists()


def test_it_is_loaded_by_name_and_listed(folder: Path, copy: Path) -> None:
    assert PromptClassifier.named("people", folder.parent).name == "people"
    with pytest.raises(ValueError, match=r"no classifier 'persons' .*there: people.*detector train"):
        PromptClassifier.named("persons", folder.parent)
    with pytest.raises(ValueError, match="cannot name a classifier"):
        PromptClassifier.named("../people", folder.parent)
    (copy / "config.json").write_text("{}")
    shutil.copytree(folder, copy.parent / "whole")
    found = installed(copy.parent)
    assert isinstance(found["people"], ValueError)
    assert isinstance(found["whole"], Manifest)
    assert installed(copy.parent / "nowhere") == {}


@pytest.mark.parametrize("file", [*FILES, MANIFEST])
def test_a_changed_file_is_refused(copy: Path, file: str) -> None:
    content = bytearray((copy / file).read_bytes())
    at = content.index(b"0.", len(content) // 3) if file == MANIFEST else len(content) // 2
    content[at] ^= 1
    (copy / file).write_bytes(content)
    with pytest.raises(ValueError, match=rf"(?s){file}.*detector train"):
        PromptClassifier.load(copy)


@pytest.mark.parametrize("file", [*FILES, MANIFEST])
def test_a_missing_file_is_refused(copy: Path, file: str) -> None:
    (copy / file).unlink()
    with pytest.raises(ValueError, match=rf"(?s){file}.*cannot be read.*detector train"):
        PromptClassifier.load(copy)


@pytest.mark.parametrize("content", ["", "[]", '{"format": 99}', '{"format": 1}', "\udcff"])
def test_a_manifest_that_is_none_is_refused(copy: Path, content: str) -> None:
    (copy / MANIFEST).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match="detector train"):
        PromptClassifier.load(copy)


def test_weights_of_another_shape_are_refused_although_their_checksum_is_right(copy: Path) -> None:
    from classifiers.prompt_manifest import read_manifest, sha256

    config = json.loads((copy / "config.json").read_text()) | {"hidden_size": 96}
    (copy / "config.json").write_text(json.dumps(config))
    manifest = read_manifest(copy)
    files = dict(manifest.files) | {"config.json": sha256((copy / "config.json").read_bytes())}
    (copy / MANIFEST).write_text(replace(manifest, files=files).to_json())
    with pytest.raises(ValueError, match=r"(?s)cannot be used with transformers .*size mismatch.*train it again"):
        PromptClassifier.load(copy)


def test_numbers_that_are_none_are_an_error_and_no_pass(folder: Path) -> None:
    classifier = PromptClassifier.load(folder, device="cpu")
    classifier._network.model.classifier.bias.data.fill_(float("nan"))
    with pytest.raises(RuntimeError, match="gave no number"):
        classifier.probabilities([ABOUT])


def test_without_torch_the_error_names_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(RuntimeError, match=r"letheward\[torch\]"):
        PromptClassifier.load(folder)


_KILLED = """
import os, signal, sys
from pathlib import Path
from classifiers.training import Recipe, train
from tests.classifiers import tiny

def kill(at):
    if at.epoch == 2 and at.step % at.steps > at.steps * 0.6 and at.scores is None:
        os.kill(os.getpid(), signal.SIGKILL)

train(tiny.small(), Path(sys.argv[2]), Recipe(sys.argv[1], epochs=4, lr=5e-3, target=0.05, threads=1), progress=kill)
"""


def test_a_killed_training_goes_on_and_ends_with_the_same_weights(base: Path, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole" / "people", tmp_path / "people"
    train(tiny.small(), whole, recipe(base))
    done = subprocess.run([sys.executable, "-c", _KILLED, str(base), str(out)], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert not out.exists()
    seen: list[Progress] = []
    train(tiny.small(), out, recipe(base), progress=seen.append)
    assert {p.epoch for p in seen if p.scores is None} == {2, 3}
    assert (out / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert (out / MANIFEST).read_text() == (whole / MANIFEST).read_text()


def test_a_rate_that_so_few_texts_cannot_promise_is_not_promised(base: Path, folder: Path, tmp_path: Path) -> None:
    manifest = train(tiny.small(), tmp_path / "people", recipe(base, epochs=1, target=1e-4))
    assert (manifest.bounded, manifest.threshold) == (False, 0.99)
    assert PromptClassifier.load(folder).manifest.bounded


class Stop(Exception):
    pass


def stopped(base: Path, out: Path) -> None:
    def stop(at: Progress) -> None:
        if at.scores:
            raise Stop

    with pytest.raises(Stop):
        train(tiny.small(), out, recipe(base), progress=stop)


def test_unfinished_training_of_another_kind_is_not_gone_on_with(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "people"
    stopped(base, out)
    with pytest.raises(ValueError, match=r"other options.*--fresh"):
        train(tiny.small(), out, recipe(base, seed=1))
    weights = out.with_name("people.partial") / "epoch-1" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(ValueError, match=r"damaged.*--fresh"):
        train(tiny.small(), out, recipe(base))
    train(tiny.small(), out, recipe(base, seed=1, epochs=1), resume=False)
    assert PromptClassifier.load(out).manifest.seed == 1


def test_a_classifier_is_replaced_only_by_a_whole_one(base: Path, copy: Path) -> None:
    before = (copy / MANIFEST).read_text()
    stopped(base, copy)
    assert (copy / MANIFEST).read_text() == before
    train(tiny.small(), copy, recipe(base, seed=2, epochs=1), resume=False, name="others")
    assert PromptClassifier.load(copy).name == "others"
    assert [f.name for f in copy.parent.iterdir()] == ["people"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"epochs": 0}, "epochs, batch and threads must be 1 or more"),
        ({"threads": 0}, "1 or more"),
        ({"lr": 0.0}, "learning rate"),
        ({"target": 1.0}, "target rate"),
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path: Path, changes: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        train(tiny.small(), tmp_path / "people", replace(Recipe(), **changes))


def test_a_folder_that_is_no_classifier_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no trained classifier: give another"):
        train(tiny.small(), tmp_path, Recipe())
    for name in ("", ".hidden", "a/b", "x.partial", "ä b"):
        with pytest.raises(ValueError, match="cannot name a classifier"):
            check_name(name)


def test_a_base_that_is_no_use_is_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"cannot be loaded.*leave --base out"):
        train(tiny.small(), tmp_path / "people", Recipe(str(tmp_path)))
    other = Path(shutil.copytree(base, tmp_path / "other"))
    from safetensors.numpy import save_file

    save_file({"x": np.zeros(3, np.float32)}, other / "model.safetensors", {"format": "pt"})
    with pytest.raises(RuntimeError, match="are not those of its config"):
        train(tiny.small(), tmp_path / "people", Recipe(str(other)))


def test_the_learning_rate_rises_and_then_falls_to_nothing() -> None:
    rates = [schedule(step, 100) for step in range(100)]
    assert rates[9] == 1.0
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.001
