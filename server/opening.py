"""The store that the settings name, with the keys that they hold."""

from __future__ import annotations

from guard.sealing import Sealing
from guard.store import Store
from server.settings import Settings


def sealing(settings: Settings) -> Sealing:
    """The operator's keys.

    Raises:
        ValueError: one is no key.
    """
    return Sealing.of([key.get_secret_value() for key in settings.store_keys])


def open_store(settings: Settings) -> Store:
    """The store; the caller closes it.

    Raises:
        StoreError: it cannot be opened.
        ValueError: a key is none.
    """
    return Store.open(settings.store_url, sealing(settings))
