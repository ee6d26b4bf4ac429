"""UniErase, an unlearning token and an edit that leads to it (Yu et al., 2025, arXiv 2505.15674).

1. Token: ``<unlearn>`` joins the vocabulary. Its embedding alone is learnt, everything else being frozen, by
   CE(refusal | question, <unlearn>) on the forget questions: a model that has said it declines. Then for each layer to
   be edited again while noise within the mean of |W| is added to its ``down_proj`` W, so that the token outlives the
   edit. An output row of its own gets the same vector.
2. Edit: ``down_proj`` of ``layers`` is changed in closed form (``benchmarks.methods.editing``) so that the token
   follows the forget questions. The edited place is the last token of the subject, so a question has to name it;
   ``at`` "last" takes the prompt's last token, for questions that do not.

The token is a special one, which decoding leaves out, and model and tokenizer are saved with it: they load and chat as
any other. The first token of an answer is what changes; an answer that is put into the model's mouth goes on as before.

Defaults from the authors' code: layers 4 to 8, 5 epochs of the token (125 steps there: small sets need more), 2 with
noise for each layer at a tenth of the rate. From AlphaEdit's settings for Llama-3-8B: 25 steps (UniErase 10) to what is
sought, rate 0.1, at most 0.75 of the norm, decay 0.5, of squares here. Ours, since models differ in scale:

- the rate of the steps is in root mean squares; theirs is absolute, and leaves SmolLM2-135M, with one of 5, as it was;
- rate 1e-2 of the token: in 15 steps there the refusals' loss fell from 3.3 to 1.2, with their 1e-3 to 2.6;
- what is "free" is 0.02 of the mean eigenvalue (theirs 0.02), the ridge 0.01 of the mean squared key (theirs 10).

Departures: they learn the token on bare prompts first and on both forms later; here in the chat template alone, which
is what is asked. Their refusals end in the token once more, ours in the chat's end token, or a chat would not end. One
token serves all questions (theirs: 400), and a later request learns the same one on. Kept keys are those of 100,000
texts of Wikipedia there, here of the retain pairs and of the refusals behind the token. A key is of the prompt alone,
not a mean over random beginnings; what is sought is not held to by a divergence on "SUBJECT is a".
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmarks.data.corpus import Item
from benchmarks.methods.batches import Needs, declined, encoded
from benchmarks.methods.descent import beside, descend
from benchmarks.methods.editing import Kept, Seeking, Wanted, edit
from benchmarks.methods.method import Basis, Card, Intent, Method, Training, Unlearning
from benchmarks.methods.step import Loss, Step
from benchmarks.models.hooks import layers, weight_added
from benchmarks.models.packing import Chat

if TYPE_CHECKING:
    import torch

UNLEARN = "<unlearn>"


@dataclass(frozen=True, slots=True)
class UniErase(Training):
    """``epochs``, ``lr`` and ``batch`` are those of the token; the weights of the two losses mean nothing.

    Attributes:
        layers: whose ``down_proj`` is edited, counted from 0.
        shaken: epochs with noise in each of them.
        slower: their learning rate, in the token's.
        at: "subject" or "last".
        steps: to what is sought.
        rate: of these steps, in root mean squares of the layer's output.
        decay: of the distance that they go.
        farthest: of it, in norms of the layer's output.
        free: how little the retain set may use a direction, in means.
        ridge: of the edit.
    """

    epochs: int = 5
    lr: float = 1e-2
    batch: int = 16
    layers: tuple[int, ...] = (4, 5, 6, 7, 8)
    shaken: int = 2
    slower: float = 0.1
    at: str = "subject"
    steps: int = 25
    rate: float = 0.1
    decay: float = 0.5
    farthest: float = 0.75
    free: float = 0.02
    ridge: float = 0.01


def run(work: Unlearning) -> Any:
    """The target model, in place, and its tokenizer with a token more.

    Raises:
        ValueError: a set or the sentences that decline are missing, or the model cannot be edited there.
    """
    options: UniErase = work.options
    every = len(layers(work.model))
    last = every - (1 if options.at == "last" else 2)
    if options.at not in ("subject", "last") or not options.layers or not 0 <= min(options.layers) <= max(
        options.layers
    ) <= last:  # fmt: skip
        raise ValueError(
            f"unierase edits layers {options.layers} at {options.at!r}: choose 'subject' or 'last', and layers from "
            f"0 to {last}, since others have to read what is edited"
        )
    if not work.corpus.retain:
        raise ValueError("unierase edits where the retain set leaves room, and the retain set is empty")
    places = [place(work.tokenizer, item, options.at) for item in work.corpus.forget]
    token = added(work)
    chats = behind(work, token)
    learn(work, token, chats)
    wanted = [
        Wanted(Chat(encoded(work.tokenizer, item).prompt, (token,)), at)
        for item, at in zip(work.corpus.forget, places, strict=True)
    ]
    kept = [Kept(encoded(work.tokenizer, item)) for item in work.corpus.retain]
    kept += [Kept(chat, len(chat.prompt) - 1) for chat in chats]
    how = Seeking(options.steps, options.rate, options.farthest, options.decay)
    edit(work, wanted, kept, options.layers, how, options.free, options.ridge)
    return work.model.eval()


def place(tokenizer: Any, item: Item, at: str) -> int:
    """Which token of the prompt is edited: the last of the subject, where it stands last, or of all.

    Raises:
        ValueError: the question does not name the subject.
    """
    prompt = encoded(tokenizer, item).prompt
    if at == "last":
        return len(prompt) - 1
    found = item.question.rfind(item.subject) if item.subject else -1
    turns = [{"role": "user", "content": item.question}]
    text = item.question if item.plain else tokenizer.apply_chat_template(
        turns, tokenize=False, add_generation_prompt=True
    )  # fmt: skip
    start = text.rfind(item.question)
    if found < 0 or start < 0:
        raise ValueError(
            f"unierase edits at the subject, and {item.question!r} does not name {item.subject!r}: set at='last'"
        )
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True).offset_mapping
    end = start + found + len(item.subject)
    own = max(number for number, (first, _) in enumerate(offsets) if first < end)
    return own + len(prompt) - len(offsets)  # running text has a token before it


def added(work: Unlearning) -> int:
    """The token's number; where the model has no such token yet, it gets one, in the mean of all embeddings."""
    import torch

    new = work.tokenizer.add_tokens([UNLEARN], special_tokens=True)
    token: int = work.tokenizer.convert_tokens_to_ids(UNLEARN)
    if token >= work.model.get_input_embeddings().num_embeddings:
        work.model.resize_token_embeddings(token + 1, mean_resizing=False)
        new = 1
    if new:
        with torch.no_grad():
            for one in (work.model.get_input_embeddings(), work.model.get_output_embeddings()):
                one.weight[token] = one.weight[:token].float().mean(0)
    return token


def behind(work: Unlearning, token: int) -> list[Chat]:
    """The forget questions with the token after them, and a sentence that declines to follow."""
    return [Chat((*chat.prompt, token), chat.answer) for chat in declined(work, work.corpus.forget)]


def learn(work: Unlearning, token: int, chats: Sequence[Chat]) -> None:
    """Teach the token's embedding, first as the model is, then with noise in one layer after the other."""
    import torch

    options: UniErase = work.options
    needs = Needs(retain=False, paired={"unlearning": lambda _: chats})
    phases: list[tuple[str, UniErase, Any]] = [("token", options, None)]
    if options.shaken:
        later = replace(options, epochs=options.shaken, lr=options.lr * options.slower)
        phases += [(f"noise-{n}", later, layers(work.model)[n].mlp.down_proj) for n in options.layers]
    for name, own, block in phases:
        part = replace(
            work, options=replace(own, weight_decay=0.0), checkpoint=beside(work.checkpoint, name)
        )  # fmt: skip
        descend(part, _declines(block), needs, kept=token, trained=_embedding, edit=only_row)
    rows = [one.weight for one in (work.model.get_input_embeddings(), work.model.get_output_embeddings())]
    with torch.no_grad():
        rows[1][token] = rows[0][token]


def _declines(block: Any) -> Loss:
    """CE(refusal | question, token), with noise in ``block`` if there is one."""

    def loss(step: Step, options: Any) -> torch.Tensor:
        with weight_added(block, noise(block.weight, step.chance)) if block is not None else nullcontext():
            return step.of("unlearning").nll

    return loss


def noise(weight: torch.Tensor, chance: torch.Generator | None) -> torch.Tensor:
    """Gaussian, of the weight's deviation, within the mean of its absolute values; of its shape."""
    import torch

    drawn = torch.randn(weight.shape, generator=chance).to(weight.device) * weight.detach().float().std()
    most = weight.detach().abs().float().mean()
    return drawn.clamp(-most, most).to(weight.dtype)


def _embedding(model: Any, options: Any) -> list[Any]:
    return [model.get_input_embeddings().weight]


def only_row(step: Step, options: Any, parameters: Sequence[Any]) -> None:
    """Leave the gradient of the token's row (``step.kept``) alone."""
    for parameter in parameters:
        row = parameter.grad[step.kept].clone()
        parameter.grad.zero_()
        parameter.grad[step.kept] = row


METHOD = Method(
    Card("UniErase", "Yu et al., 2025, arXiv 2505.15674", "rejection", Intent.SUPPRESS,
         "a token's embedding, down projections of a few layers", Basis.CODE, (36,)), UniErase, run,
)  # fmt: skip
