"""What a causal language model predicts of the answers in packed chats: all that losses and metrics look at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from benchmarks.models.packing import Packed

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Predicted:
    """Logits where the next token is an answer's; ``hidden``: each layer's output there, the embeddings first.

    ``every``: each layer's output at every token, prompts too, where hidden states were asked for.
    """

    packed: Packed
    logits: torch.Tensor  # (answer tokens, vocabulary)
    every: tuple[torch.Tensor, ...] = ()  # of (tokens, dim)

    @cached_property
    def log_probs(self) -> torch.Tensor:
        """Log p of each answer token, (answer tokens,)."""
        import torch

        return -torch.nn.functional.cross_entropy(self.logits.float(), self.packed.wanted, reduction="none")

    @property
    def hidden(self) -> tuple[torch.Tensor, ...]:
        """Each layer's output where the next token is an answer's, of (answer tokens, dim)."""
        return tuple(layer[self.packed.predicting] for layer in self.every)

    @cached_property
    def lengths(self) -> torch.Tensor:
        """Tokens of each answer, (chats,)."""
        import torch

        return torch.bincount(self.packed.owner, minlength=self.packed.chats)

    def by_chat(self, values: torch.Tensor) -> torch.Tensor:
        """Sums of ``values`` (answer tokens, ...) over each answer, (chats, ...)."""
        return values.new_zeros(self.packed.chats, *values.shape[1:]).index_add(0, self.packed.owner, values)

    @property
    def answer_log_probs(self) -> torch.Tensor:
        """Log p of each answer as a whole, (chats,)."""
        return self.by_chat(self.log_probs)

    @property
    def nll(self) -> torch.Tensor:
        """The mean cross-entropy of an answer token, a scalar."""
        return -self.log_probs.mean()


def unwrapped(model: Any) -> Any:
    """The model within a LoRA, which stays in its layers; another model is what it is."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


@contextmanager
def read_only(model: Any) -> Iterator[None]:
    """Without gradients and drop-out."""
    import torch

    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)


def predict(model: Any, packed: Packed, *, hidden: bool = False) -> Predicted:
    """``model``'s view of ``packed``, which is on its device. ``hidden``: with the layers' outputs."""
    given: dict[str, Any] = {"input_ids": packed.ids}
    if packed.rows is not None:
        embedded = model.get_input_embeddings()(packed.ids)
        given = {"inputs_embeds": embedded.index_copy(1, packed.places, packed.rows.to(embedded.dtype)[None])}
    plain = unwrapped(model)
    out = plain.get_decoder()(
        **given, attention_mask=packed.mask, position_ids=packed.positions, use_cache=False, output_hidden_states=hidden
    )
    logits = plain.get_output_embeddings()(out.last_hidden_state[0, packed.predicting])
    return Predicted(packed, logits, tuple(layer[0] for layer in out.hidden_states) if hidden else ())
