"""Questions that a list lets pass although they name what it forgets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from classifiers.scan import Window, read
from classifiers.types import Encoder, Span, Target, Verdict
from classifiers.vectors import VectorCache

Floats = npt.NDArray[np.float32]
Key = tuple[str, str]

_CLOSE = 0.8
_MARGIN = 0.03
_COMPARED = 256  # texts that an allowed question is held against


@dataclass(frozen=True, slots=True)
class Allowed:
    """The allow-list entries of every list."""

    targets: Mapping[Key, Target] = field(default_factory=lambda: MappingProxyType({}))
    vectors: Mapping[str, Floats] = field(default_factory=lambda: MappingProxyType({}))  # list -> (texts, dim)

    @classmethod
    def build(cls, targets: Iterable[Target], encoder: Encoder, cache: VectorCache) -> Allowed:
        """Encode the texts of allow-list entries."""
        kept = {(t.list_name, t.entry_id): t for t in targets}
        by_list: dict[str, list[Target]] = {}
        for target in kept.values():
            by_list.setdefault(target.list_name, []).append(target)
        vectors = {name: _vectors(own, lambda t: cache.vectors(t, encoder)) for name, own in by_list.items()}
        return cls(kept, {name: own for name, own in vectors.items() if len(own)})

    def permits(self, text: str, verdict: Verdict, forbidden: Sequence[Target], encoder: Encoder) -> bool:
        """Whether everything in ``text`` that led to ``verdict`` is what its list allows.

        Each flagged span has to lie in a sentence that is close to an allowed text, and closer to it than
        to any text of ``forbidden``, the entries that were flagged. Disguised text is never allowed.
        """
        allowed = self.vectors.get(verdict.list_name)
        if allowed is None or any(e.view != "raw" for e in verdict.evidence):
            return False
        windows = _around(read(text)[0].windows, verdict.spans)
        if windows is None:
            return False
        vectors = encoder.encode([w.text for w in windows])
        near = (vectors @ allowed.T).max(axis=1)
        others = _vectors(forbidden, encoder.encode, most=_COMPARED)
        against = (vectors @ others.T).max(axis=1) if len(others) else np.zeros(len(windows))
        return bool(np.all((near >= _CLOSE) & (near >= against + _MARGIN)))


def _vectors(
    targets: Iterable[Target], encode: Callable[[Sequence[str]], Floats], *, most: int | None = None
) -> Floats:
    """``(texts, dim)``: of the texts of ``targets``, and of those that are not kept."""
    texts: dict[str, None] = {}
    given: list[Floats] = []
    for target in targets:
        texts.update(dict.fromkeys(target.texts))
        given += [] if target.textless is None else [target.textless.vectors]
    return np.concatenate([encode(list(texts)[:most]), *given]) if texts or not given else np.concatenate(given)


def _around(windows: Sequence[Window], spans: Sequence[Span]) -> list[Window] | None:
    """Every window that holds a span; None where a span is in none."""
    held: dict[Span, list[Window]] = {s: [w for w in windows if w.raw.start <= s.start and s.end <= w.raw.end]
                                      for s in spans}  # fmt: skip
    if any(not found for found in held.values()):
        return None
    return list({id(w): w for found in held.values() for w in found[:1]}.values())
