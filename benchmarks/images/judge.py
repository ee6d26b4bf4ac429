"""Who says which digit a picture shows: a perceptron of scikit-learn, taught pictures that no generator saw.

Its hidden layer is the space in which samples are compared with pictures, as Inception's is for the FID.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.images.digits import Pictures

if TYPE_CHECKING:
    import numpy as np
    import torch

HIDDEN = 32


@dataclass(frozen=True)
class Judge:
    """``network``: an MLPClassifier with one hidden layer."""

    network: Any

    def named(self, images: torch.Tensor) -> torch.Tensor:
        """The digit that each picture (n, 64) shows, as (n,)."""
        import torch

        return torch.as_tensor(self.network.predict(images.numpy()))

    def features(self, images: torch.Tensor) -> np.ndarray[Any, Any]:
        """The hidden layer's output for pictures (n, 64), as (n, 32)."""
        import numpy as np

        found: np.ndarray[Any, Any] = np.maximum(
            images.numpy() @ self.network.coefs_[0] + self.network.intercepts_[0], 0
        )
        return found.astype(np.float64)


def taught(pictures: Pictures, seed: int) -> Judge:
    """A judge that knows ``pictures``; it is the same for all methods."""
    from sklearn.neural_network import MLPClassifier

    network = MLPClassifier((HIDDEN,), alpha=0.1, max_iter=1000, random_state=seed)
    return Judge(network.fit(pictures.images.numpy(), pictures.labels.numpy()))
