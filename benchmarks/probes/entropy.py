"""How open a row leaves what it says next: the entropy of its predictions along the true answers.

Scholten et al., 2024 (arXiv 2410.03523) see a leak in what can be drawn and not only in the greedy answer; their remedy
presses the entropy down on the forget set, so that drawing gives nothing that the greedy answer does not, and holds it
up on the retain set. The score is what they press:

    H = mean over the answer's tokens of -sum_v p(v) log p(v),    in nats

Of the answer's places alone and without the end token's, where theirs takes the prompt's too: a prompt says nothing of
what is forgotten. It costs nothing, for the readings have it. Low entropy with a true answer is no forgetting: read it
beside the bounds. A guard's row: the entropies of the target behind the guard.
"""

from __future__ import annotations

import math
from functools import partial

from benchmarks.attacks.victim import Victim
from benchmarks.metrics.memorisation import without_end
from benchmarks.metrics.metric import Measured, Undefined, mean
from benchmarks.metrics.reading import Reading
from benchmarks.metrics.whole import whole
from benchmarks.probes.probe import Probe


def entropy(victim: Victim, of: str) -> Measured | Undefined:
    """The mean over the set ``of``, in nats; a value for each item."""
    found = whole(victim.readings, of, _of, "predicted answer")
    return found if isinstance(found, Undefined) else mean(found, "nats")


def _of(reading: Reading) -> float | None:
    if reading.answer is None:
        return None
    kept = without_end(reading.answer.mean, reading)
    return -math.fsum(kept) / len(kept)


_PAPER = "Scholten et al., 2024, arXiv 2410.03523"
FORGET = Probe("entropy along the answers, forget", _PAPER, "retained", "robustness", partial(entropy, of="forget"))
RETAIN = Probe("entropy along the answers, retain", _PAPER, "retained", "robustness", partial(entropy, of="retain"))
