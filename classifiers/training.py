"""Fine-tuning of a prompt classifier by ECO's recipe, and its figures on held-out texts.

The recipe (Liu et al., 2024, arXiv 2406.07933; chrisliu298/llm-unlearn-eco): cross-entropy with class weights N / N_c,
AdamW with betas (.9, .98), epsilon 1e-6 and weight decay .1, warm-up over a tenth of the steps, then a cosine to 0; the
checkpoint with the fewest forget errors is kept. ECO trains roberta-base for 30 epochs at 2e-5. Ours differs in

- the base: all-MiniLM-L6-v2 is a fifth of the size and is there without a hub. Small models want larger steps
  (Turc et al., 2019, arXiv 1908.08962, search 3e-5 to 3e-4), so 1e-4, and they are done after 6 epochs;
- the choice of the checkpoint: errors are counted at the threshold that each epoch would get, not at .5, where a
  network that flags everything has no forget error at all;
- the threshold: by conformal calibration instead of a fixed .99, and not below .3: trained on names, the network gives
  nearly everything else almost 0, and what lies between says little about texts unlike those it was calibrated on.
"""

from __future__ import annotations

import json
import math
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from classifiers.calibrate import DEFAULT_TARGET, Calibration, Rate, calibrate
from classifiers.checkpoints import Checkpoints
from classifiers.pretrained import BUNDLED, load_base, save
from classifiers.prompt_classifier import Network, batches, libraries
from classifiers.prompt_manifest import CLASSES, MANIFEST, Manifest, check_name, sha256
from classifiers.training_data import TRAFFIC, Examples

_BETAS, _EPSILON, _DECAY, _WARM_UP, _CLIP = (0.9, 0.98), 1e-6, 0.1, 0.1, 1.0
LOWEST = 0.3
_BUCKET = 16  # batches whose rows are sorted by length together, for little padding


@dataclass(frozen=True, slots=True)
class Recipe:
    """Options of a run.

    Attributes:
        base: the bundled model's name, a checkpoint folder, or a hub name.
        epochs: how often the list is gone through.
        lr: highest learning rate.
        batch: rows of one step.
        seed: of data, dropout and the new layer.
        target: false-positive rate that the threshold is chosen for.
        threads: of torch; None leaves them as they are. Other threads, other rounding.
    """

    base: str = BUNDLED
    epochs: int = 6
    lr: float = 1e-4
    batch: int = 16
    seed: int = 0
    target: float = DEFAULT_TARGET
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is. ``scores`` is there when an epoch has ended."""

    step: int
    steps: int
    epoch: int
    epochs: int
    loss: float
    scores: Calibration | None = None


def train(
    examples: Examples,
    out: Path,
    recipe: Recipe | None = None,
    *,
    name: str | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    resume: bool = True,
) -> Manifest:
    """Fine-tune on ``examples`` and save the best epoch in ``out``.

    After every epoch the state is written beside ``out``; a run that was killed goes on from there and ends with the
    weights that it would have had. A classifier that is in ``out`` already is replaced when all is done.

    Args:
        examples: from ``training_data.examples``.
        out: folder to make.
        recipe: options; the defaults suit the bundled base.
        name: of the classifier; by default that of the folder.
        progress: called after each step.
        resume: false to begin anew.

    Raises:
        ValueError: an option or ``out`` is no use, or the state beside it is of another run.
        RuntimeError: torch or transformers is not installed, or the base cannot be loaded.
    """
    recipe, out = recipe or Recipe(), out.absolute()
    _check(recipe, out)
    check_name(name or out.name)
    torch, _ = libraries()
    checkpoints = Checkpoints(out.with_name(f"{out.name}.partial"))
    with _threads(torch, recipe.threads):
        torch.manual_seed(recipe.seed)
        network, layout = load_base(recipe.base)
        checkpoints.begin(sha256(json.dumps([asdict(recipe), asdict(examples)]).encode()), resume=resume)
        run = _Run(network, examples, recipe, checkpoints, progress)
        calibration, scores = run.epochs()
    manifest = Manifest(
        name or out.name, _told(recipe.base), CLASSES, calibration.threshold, recipe.target, calibration.bounded,
        calibration.recall, calibration.false_positives, by_kind(examples, scores, calibration.threshold),
        examples.counts(), recipe.seed, asdict(recipe) | {"base": _told(recipe.base)}, layout, {},
    )  # fmt: skip
    done = checkpoints.folder / "done"
    shutil.rmtree(done, ignore_errors=True)
    saved = save(done, network, manifest)
    if out.exists():
        shutil.rmtree(checkpoints.folder / "replaced", ignore_errors=True)
        out.rename(checkpoints.folder / "replaced")
    done.rename(out)
    checkpoints.remove()
    return saved


class _Run:
    def __init__(
        self,
        network: Network,
        examples: Examples,
        recipe: Recipe,
        checkpoints: Checkpoints,
        progress: Callable[[Progress], None],
    ) -> None:
        import torch

        self._torch = torch
        self._network, self._examples, self._recipe = network, examples, recipe
        self._checkpoints, self._progress = checkpoints, progress
        decayed = [p for p in network.model.parameters() if p.dim() > 1]
        others = [p for p in network.model.parameters() if p.dim() <= 1]  # biases and norms
        self._optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": _DECAY}, {"params": others, "weight_decay": 0.0}],
            lr=recipe.lr, betas=_BETAS, eps=_EPSILON,
        )  # fmt: skip
        labels = [about for _, about in examples.epoch(0, recipe.seed)]
        per_class = (labels.count(False), labels.count(True))
        self._weights = torch.tensor([len(labels) / n for n in per_class], device=network.model.device)
        self._steps = math.ceil(len(labels) / recipe.batch)

    def epochs(self) -> tuple[Calibration, list[float]]:
        """Train what is left to train; the network has the best epoch's weights then."""
        state = self._checkpoints.restore(self._network.model, self._optimizer)
        for epoch in range(state.epoch, self._recipe.epochs):
            loss = self._epoch(epoch)
            calibration, scores, held_loss = self._held_out()
            misses = calibration.recall.n - calibration.recall.hits
            flagged = sum(s >= calibration.threshold for s in scores) - calibration.recall.hits
            key = (misses, flagged, held_loss)
            self._checkpoints.save(epoch + 1, key, self._network.model, self._optimizer)
            total = self._recipe.epochs
            done = Progress((epoch + 1) * self._steps, total * self._steps, epoch + 1, total, loss, calibration)
            self._progress(done)
        self._checkpoints.load_best(self._network.model)
        calibration, scores, _ = self._held_out()
        return calibration, scores

    def _epoch(self, epoch: int) -> float:
        torch, model = self._torch, self._network.model
        # Dropout draws from this seed, so that an epoch is the same whether or not the run was interrupted before it.
        torch.manual_seed(self._recipe.seed * 100_003 + epoch)
        model.train()
        losses: list[float] = []
        for i, (rows, labels) in enumerate(self._batches(epoch)):
            step = epoch * self._steps + i
            for group in self._optimizer.param_groups:
                group["lr"] = self._recipe.lr * schedule(step, self._steps * self._recipe.epochs)
            about = torch.tensor(labels, device=model.device)
            loss = torch.nn.functional.cross_entropy(self._network.logits(rows), about, self._weights)
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
            self._optimizer.step()
            losses.append(float(loss.detach()))
            if not math.isfinite(losses[-1]):
                raise RuntimeError(f"the loss is no number at step {step}: set --lr below {self._recipe.lr:g}")
            self._progress(
                Progress(step + 1, self._steps * self._recipe.epochs, epoch, self._recipe.epochs, losses[-1])
            )
        return sum(losses) / len(losses)

    def _batches(self, epoch: int) -> Iterator[tuple[list[list[int]], list[int]]]:
        """One row of each text; of a text that is too long for one, any."""
        rng = random.Random(f"{self._recipe.seed} {epoch} rows")  # noqa: S311 - a sample, not a secret
        size = self._recipe.batch
        drawn = [(rng.choice(self._network.tokens.rows(text)), int(about))
                 for text, about in self._examples.epoch(epoch, self._recipe.seed)]  # fmt: skip
        found: list[list[tuple[list[int], int]]] = []
        for at in range(0, len(drawn), size * _BUCKET):
            bucket = drawn[at : at + size * _BUCKET]
            found += [[bucket[i] for i in chosen] for chosen in batches([row for row, _ in bucket], size)]
        rng.shuffle(found)
        for batch in found:
            yield [row for row, _ in batch], [about for _, about in batch]

    def _held_out(self) -> tuple[Calibration, list[float], float]:
        self._network.model.eval()
        held = self._examples.held
        scores = [float(p) for p in self._network.probabilities([h.text for h in held])]
        loss = -sum(math.log(max(1e-7, p if h.about else 1 - p)) for p, h in zip(scores, held, strict=True))
        # The made-up neighbours are far more of them than of any traffic, so they have no part in the threshold: every
        # second text to keep and ordinary prompt chooses it. Both kinds are in both halves, as they lie in a row.
        innocent = [p for p, h in zip(scores, held, strict=True) if h.kind in TRAFFIC]
        guilty = [p for p, h in zip(scores, held, strict=True) if h.about]
        found = calibrate(innocent, guilty, self._recipe.target, lowest=LOWEST)
        # A network that is sure of itself can flag more of the very texts that chose the threshold than was asked for,
        # since no threshold is above ``calibrate.HIGHEST``.
        kept_to = sum(p >= found.threshold for p in innocent[::2]) <= self._recipe.target * found.used
        return replace(found, bounded=found.bounded and kept_to), scores, loss


def by_kind(examples: Examples, scores: list[float], threshold: float) -> dict[str, Rate]:
    """The share of each kind of held-out text that is flagged."""
    flags: dict[str, list[bool]] = {}
    for held, score in zip(examples.held, scores, strict=True):
        flags.setdefault(held.kind, []).append(score >= threshold)
    return {kind: Rate.of(own) for kind, own in flags.items()}


def schedule(step: int, steps: int) -> float:
    """The share of the highest learning rate: up over the first tenth, then down along a cosine."""
    warm = max(1, int(_WARM_UP * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _check(recipe: Recipe, out: Path) -> None:
    if not out.name:
        raise ValueError(f"{out} cannot be a classifier's folder: give one inside another")
    if recipe.epochs < 1 or recipe.batch < 1 or (recipe.threads is not None and recipe.threads < 1):
        raise ValueError("epochs, batch and threads must be 1 or more")
    if not 0 < recipe.lr < 1 or not 0 < recipe.target < 1:
        raise ValueError("the learning rate and the target rate must lie between 0 and 1")
    if out.exists() and not (out / MANIFEST).exists():
        raise ValueError(f"{out} is there already and is no trained classifier: give another folder or name")


def _told(base: str) -> str:
    """The base without where it lies on this machine."""
    return Path(base).absolute().name if base != BUNDLED and Path(base).exists() else base


@contextmanager
def _threads(torch: Any, threads: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
