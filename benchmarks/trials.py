"""Forgetting tried many times over from one model, which stays in memory: what several commands share."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.data.corpus import Corpus, Item, answer_alone
from benchmarks.data.registry import Selection, corpus
from benchmarks.metrics.reading import Readings
from benchmarks.models.meter import Meter
from benchmarks.models.training import Recipe
from benchmarks.named import value_of

Method = Annotated[str, typer.Option(help="Of those that change weights.")]
Data = Annotated[str, typer.Option(help="Data set, or DATASET:FOLDER_OR_HUB_NAME.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="OPTION=VALUE of the method; repeat.")]
Model = Annotated[str, typer.Option(help="smollm2, a folder or a hub name: is taught first.")]
Target = Annotated[Path | None, typer.Option(help="A folder of a model that knows the data already.")]
Epochs = Annotated[int, typer.Option(min=1, help="Of teaching.")]
Seed = Annotated[int, typer.Option(help="Of order and chance.")]
Threads = Annotated[int, typer.Option(min=1, help="Of the processor.")]
Cache = Annotated[Path | None, typer.Option(help="For the embedded model.")]
Output = Annotated[Path | None, typer.Option("--json", help="Write all of it here.")]


@dataclass(frozen=True)
class Trial:
    """A method and the models that it starts from.

    Attributes:
        base: loads the model from before it was taught the corpus.
        target: loads the one that was, a copy at each call.
        tokenizer: of both.
        method: in ``benchmarks.methods.registry``, one that changes weights.
        options: the method's own, as a dataclass.
        seed: of order and chance.
        max_tokens, batch: of reading.
        meter: counts tokens and shows progress.
    """

    base: Callable[[], Any]
    target: Callable[[], Any]
    tokenizer: Any
    method: str
    options: Any
    seed: int = 0
    max_tokens: int = 32
    batch: int = 16
    meter: Meter = field(default_factory=lambda: Meter(shown=False))

    def unlearnt(self, corpus: Corpus, **changed: Any) -> Any:
        """The target without the corpus's forget set. ``changed``: options that are other this time, if there are."""
        from benchmarks.comparison.models import REFUSALS
        from benchmarks.methods.method import Unlearning
        from benchmarks.methods.registry import method

        known = {each.name for each in fields(self.options)}
        options = replace(self.options, **{name: value for name, value in changed.items() if name in known})
        work = Unlearning(self.target(), self.tokenizer, corpus, options, self.seed, self.target, self.base, None,
                          self.meter, REFUSALS)  # fmt: skip
        return method(self.method).run(work)

    def read(
        self, model: Any, sets: Mapping[str, Sequence[Item]], *, scored: bool = True, texts: bool = True
    ) -> Readings:
        """What ``model`` predicts where that is ``scored``, and says where ``texts`` are wanted."""
        from benchmarks.metrics.scoring import read

        return read(model, self.tokenizer, sets, max_tokens=self.max_tokens, batch=self.batch, meter=self.meter,
                    scored=scored, texts=texts)  # fmt: skip

    def recall(self, model: Any, items: Sequence[Item]) -> float:
        """ROUGE-L's recall of what ``model`` says to ``items``; nan where there are none."""
        from benchmarks.attacks.leaking import recalled
        from benchmarks.metrics.metric import Measured

        readings = self.read(model, {"asked": [answer_alone(item) for item in items]}, scored=False)
        found = recalled(readings, "asked")
        return found.value if isinstance(found, Measured) else math.nan


def trial_of(name: str, given: Sequence[str], models: tuple[Any, Any, Any], seed: int) -> Trial:
    """A trial of the method called ``name``. ``models``: loads the base, loads the target, the tokenizer.

    Options are those of the profile "tiny" where ``given`` ("OPTION=VALUE") does not say otherwise.

    Raises:
        ValueError: there is no such method or option, or it is a guard.
    """
    from benchmarks.comparison.choosing import options
    from benchmarks.comparison.spec import profile
    from benchmarks.methods.registry import method

    found = method(name)
    if found.card.family == "guard":
        raise ValueError(f"{name} is a guard and changes no weights")
    own = dict(profile("tiny").options.get(name, {})) | dict(map(_pair, given))
    base, target, tokenizer = models
    return Trial(base, target, tokenizer, name, options(found.options, own), seed, meter=Meter(name))


def corpus_of(data: str, selection: Selection) -> Corpus:
    """The corpus that a command line means by DATASET or DATASET:FOLDER_OR_HUB_NAME."""
    name, _, source = data.partition(":")
    return corpus(name, source or None, selection)


def models(model: str, data: Corpus, recipe: Recipe, target: Path | None, cache: Path | None) -> Any:
    """Loads the base, loads the target, the tokenizer; the target is the base after it was taught, or ``target``'s.

    Raises:
        FileNotFoundError: the model is not on this machine.
    """
    from transformers import AutoTokenizer

    from benchmarks.methods.batches import encoded
    from benchmarks.models.training import train
    from server.model_files import prepare_model
    from server.settings import default_cache

    folder = prepare_model(model, cache or default_cache(), lambda _: None)
    if folder is None:
        raise FileNotFoundError(f"{model} is not on this machine: give a folder, or download it first")
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    base = _loaded(folder)
    known = _loaded(target) if target else copy.deepcopy(base)
    if target is None:
        train(known, [encoded(tokenizer, item) for item in (*data.forget, *data.retain)], recipe)
    return copies_of(base), copies_of(known), tokenizer


def copies_of(model: Any) -> Callable[[], Any]:
    """Loads ``model``: another copy at each call."""
    return lambda: copy.deepcopy(model)


def write(found: Mapping[str, Any], file: Path) -> None:
    """As JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _loaded(folder: Path) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    from benchmarks.comparison.models import device

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).to(device())


def _pair(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    if not value:
        raise ValueError(f"{text}: write OPTION=VALUE")
    return name, value_of(value)
