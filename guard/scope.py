"""Which lists are for a request: by the model that is asked, by who asks, and by what that client may choose."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from guard.model import ForgetList


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for what. ``optional``: lists that this client may leave out, by naming in ``chosen`` those it wants.

    Nothing chosen means everything: a client that says nothing is guarded by every list that is for it.
    """

    model: str = ""
    tenant: str | None = None
    optional: frozenset[str] = frozenset()
    chosen: frozenset[str] | None = None

    def applies(self, item: ForgetList) -> bool:
        """Whether ``item`` is for this request. A list without models or tenants is for all."""
        if item.models and not any(fnmatchcase(self.model, pattern) for pattern in item.models):
            return False
        if item.tenants and self.tenant not in item.tenants:
            return False
        left_out = self.chosen is not None and item.name in self.optional and item.name not in self.chosen
        return not left_out
