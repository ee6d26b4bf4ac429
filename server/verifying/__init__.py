"""Verifications on a running server: a list's probes asked through the proxy and bare, now and by schedule."""

from server.verifying.service import Verifying
from server.verifying.setup import add_verifying, verifying_of

__all__ = ["Verifying", "add_verifying", "verifying_of"]
