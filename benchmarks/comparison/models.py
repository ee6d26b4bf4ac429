"""Models of a run: the target, the retained one, and what each method makes of the target."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from benchmarks.comparison.costs import size, spending
from benchmarks.comparison.room import check_room, logits
from benchmarks.comparison.spec import RunSpec
from benchmarks.comparison.stages import Stage, Stages
from benchmarks.data.corpus import Corpus, Item, digest
from benchmarks.methods.descent import encoded
from benchmarks.methods.method import Options, Unlearning
from benchmarks.methods.registry import method
from benchmarks.models.training import train
from benchmarks.models.workers import first, together

REFUSALS = (
    "I don't know.",
    "I'm not sure about that.",
    "I have no information on that.",
    "Sorry, I can't answer that.",
    "That is not something I know.",
    "I am not familiar with that.",
)


@dataclass(frozen=True)
class Workshop:
    """Makes models. ``base``: the folder of the model from before; ``shown``: with progress bars."""

    spec: RunSpec
    corpus: Corpus
    base: Path
    stages: Stages
    shown: bool = True

    @property
    def dtype(self) -> Any:
        """Of weights while they change."""
        import torch

        return torch.bfloat16 if self.spec.precision == "bf16" else torch.float32

    def load(self, folder: Path) -> Any:
        """The model in ``folder``, on the accelerator where there is one."""
        from transformers import AutoModelForCausalLM
        from transformers.utils.logging import disable_progress_bar

        cast(Any, disable_progress_bar)()  # of single weights: what takes time has its own
        return AutoModelForCausalLM.from_pretrained(folder, dtype=self.dtype).to(device())

    def tokenizer(self, folder: Path) -> Any:
        """The tokenizer in ``folder``."""
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(folder)

    def taught(self, kind: str, items: Sequence[Item], given: str | None) -> Path:
        """The folder of a model that was taught ``items``: ``given``, where the user has one."""
        if given is not None:
            return Path(given)
        depends = {"base": self.base.name, "items": digest(kind, items),
                   "recipe": asdict(self.spec.teach), "precision": self.spec.precision}  # fmt: skip
        stage = self.stages.stage(kind, depends)
        self.stages.once(stage, partial(self._teach, stage, items))
        return stage.folder / "model"

    def unlearnt(self, name: str, options: Options, target: Path, parts: Sequence[Corpus], seed: int) -> Stage:
        """The stage with ``model-1`` ...: what a method makes of the target, a part of the forget set at a time."""
        depends = {
            "method": name, "options": asdict(options), "target": key(target), "base": self.base.name,
            "parts": [part.digest for part in parts], "seed": seed, "precision": self.spec.precision,
        }  # fmt: skip
        stage = self.stages.stage(f"unlearnt-{name}", depends)
        self.stages.once(stage, partial(self._unlearn, stage, name, options, target, parts, seed))
        return stage

    def _teach(self, stage: Stage, items: Sequence[Item], out: Path) -> dict[str, Any]:
        with spending(stage.kind, stage.scratch / "spent.json", shown=self.shown) as spent:
            tokenizer, model = self.tokenizer(self.base), self.load(self.base)
            chats = [encoded(tokenizer, item) for item in items]
            progress = train(model, chats, self.spec.teach, stage.scratch / "training.pt")
            spent.tokens = progress.tokens
            save(model, tokenizer, out / "model", "bfloat16")
            cost = replace(spent.cost(), disk_bytes=size(out / "model"))
        return {"cost": asdict(cost), "losses": progress.losses}

    def _unlearn(
        self, stage: Stage, name: str, options: Options, target: Path, parts: Sequence[Corpus], seed: int, out: Path
    ) -> dict[str, Any]:
        costs = []
        before = target
        for number, part in enumerate(parts, start=1):
            made = stage.scratch / f"model-{number}"
            file = stage.scratch / f"spent-{number}.json"
            together()
            if not (made / "cost.json").is_file():
                self._unlearn_part(stage, name, options, before, part, seed, made, file)
            costs.append(json.loads((made / "cost.json").read_text()))
            before = made
        for number in range(1, len(parts) + 1) if first() else ():
            (stage.scratch / f"model-{number}").rename(out / f"model-{number}")
        return {"costs": costs}

    def _unlearn_part(
        self, stage: Stage, name: str, options: Options, before: Path, part: Corpus, seed: int, made: Path, file: Path
    ) -> None:
        with spending(stage.kind, file, shown=self.shown) as spent:
            loaded, tokenizer = self.load(before), self.tokenizer(before)
            read = logits(part, tokenizer, loaded.config.get_text_config().vocab_size, options)
            check_room(name, method(name), options, loaded, read)
            work = Unlearning(
                loaded, tokenizer, part, options, seed, partial(self.load, before),
                partial(self.load, self.base), file.with_suffix(".pt"), spent, REFUSALS,
            )  # fmt: skip
            model = method(name).run(work)
            cost = spent.cost()
        if first():
            save(model, work.tokenizer, made, None)
            cost = replace(cost, disk_bytes=size(made), deletion_seconds=cost.seconds)
            (made / "cost.part").write_text(json.dumps(asdict(cost)))
            (made / "cost.part").rename(made / "cost.json")
        together()


def save(model: Any, tokenizer: Any, folder: Path, dtype: str | None) -> None:
    """An ordinary checkpoint folder. ``dtype``: of the weights on disk; None: as they are."""
    import torch

    kept = model.to(getattr(torch, dtype)) if dtype else model
    kept.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def key(folder: Path) -> str:
    """What names a model in stages that depend on it: its stage, or where a user's own lies and when it was made."""
    if (folder.parent / "done.json").is_file():
        return f"{folder.parent.name}/{folder.name}"
    return f"{folder.resolve()}@{max(file.stat().st_mtime_ns for file in folder.iterdir())}"


def device() -> Any:
    """The accelerator of this process, or the processor."""
    from accelerate import PartialState

    return PartialState().device
