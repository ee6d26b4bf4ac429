"""The handwritten digits that scikit-learn brings: 1797 pictures of 8 x 8 points, ten classes (UCI, Alpaydin, 1998).

Half of them teach the generators and the text scorer, a quarter the judge, and a quarter is what samples are compared
with. Nothing is in two parts.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

POINTS = 64
CLASSES = 10


@dataclass(frozen=True)
class Pictures:
    """``images`` (n, 64) from -1 to 1, ``labels`` (n,)."""

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def of(self, label: int) -> Pictures:
        """Those of one class."""
        return Pictures(self.images[self.labels == label], self.labels[self.labels == label])

    def without(self, label: int) -> Pictures:
        """Those of all other classes."""
        return Pictures(self.images[self.labels != label], self.labels[self.labels != label])

    def drawn(self, count: int, chance: torch.Generator) -> Pictures:
        """``count`` at random; one may come twice.

        Raises:
            ValueError: there is none.
        """
        import torch

        if not len(self):
            raise ValueError("there is no picture to learn from: the class that is left out is the only one")
        places = torch.randint(len(self), (count,), generator=chance)
        return Pictures(self.images[places], self.labels[places])


@dataclass(frozen=True)
class Digits:
    """``train`` is the generators' and the scorer's, ``judging`` the judge's, ``held`` for comparison alone."""

    train: Pictures
    judging: Pictures
    held: Pictures

    def parted(self, label: int) -> Parted:
        """The training set, parted by the class to forget.

        Raises:
            ValueError: there is no such class.
        """
        if label not in range(CLASSES):
            raise ValueError(f"there is no digit {label}: choose from 0 to {CLASSES - 1}")
        text = self.train.images.numpy().tobytes() + self.train.labels.numpy().tobytes() + bytes([label])
        return Parted(self.train.of(label), self.train.without(label), label, hashlib.sha256(text).hexdigest()[:16])


@dataclass(frozen=True)
class Parted:
    """What a method may read; the data-free ones read neither set. ``label``: the class to forget."""

    forget: Pictures
    retain: Pictures
    label: int
    digest: str


def load(seed: int) -> Digits:
    """The digits, split in an order that the seed gives."""
    import torch
    from sklearn.datasets import load_digits

    data, target = load_digits(return_X_y=True)
    images = torch.tensor(data, dtype=torch.float32) / 8 - 1  # points were 0 to 16
    order = torch.randperm(len(target), generator=torch.Generator().manual_seed(seed))
    images, labels = images[order], torch.tensor(target, dtype=torch.long)[order]
    half, rest = len(labels) // 2, len(labels) * 3 // 4
    parts = [slice(0, half), slice(half, rest), slice(rest, None)]
    return Digits(*(Pictures(images[part], labels[part]) for part in parts))
