"""What the checks look at: the settings, and what is found out once for several of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from classifiers.registry import create_encoder
from classifiers.types import Encoder
from guard.model import Entry, ForgetList, Policy
from guard.store import Looked, Store, StoreError, look
from guard.store.values import Contents
from server.config import DEFAULT, Loaded
from server.doctor.serving import Served, ask_models
from server.model_files import EMBEDDED, embedded_folder, hub_folder
from server.opening import open_store
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class InForce:
    """An enabled list with its entries that have not expired."""

    forget_list: ForgetList
    entries: tuple[Entry, ...]

    def actions(self) -> frozenset[Policy]:
        """What is done about what it flags."""
        return frozenset({self.forget_list.policy, *(e.action for e in self.entries if e.action)})


class Case:
    """One set-up. What cannot be found out is raised again to every check that asks for it."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.settings: Settings = loaded.settings

    def is_set(self, name: str) -> bool:
        """Whether somebody chose the setting."""
        return self.loaded.sources[name] != DEFAULT

    @property
    def looked(self) -> Looked:
        """How far the store's tables are.

        Raises:
            StoreError: it cannot be reached or read.
        """
        if isinstance(self._looked, StoreError):
            raise self._looked
        return self._looked

    @cached_property
    def _looked(self) -> Looked | StoreError:
        """One look: a host that does not answer is waited for once."""
        try:
            return look(self.settings.store_url)
        except StoreError as error:
            return error

    @cached_property
    def encoder(self) -> Encoder:
        """The detector's encoder."""
        return create_encoder(self.settings.encoder)

    @cached_property
    def contents(self) -> Contents | None:
        """What the store holds; None where it is not there yet, or has to be migrated first."""
        if not self.looked.current:
            return None
        store: Store = open_store(self.settings)
        try:
            return store.load()
        finally:
            store.close()

    def lists(self) -> Iterator[InForce]:
        """The enabled lists."""
        contents = self.contents
        for item in contents.lists if contents else ():
            if item.enabled and contents:
                yield InForce(item, tuple(e for e in contents.entries if e.list_name == item.name))

    @property
    def wants_eco(self) -> bool:
        """Whether a list corrupts embeddings, or will: the sample list that an empty store gets."""
        new = self.settings.sample_list and self.looked.at is None
        return new or any("eco" in item.actions() for item in self.lists())

    @property
    def folder(self) -> Path | None:
        """The folder with the served model's tokenizer and weights, as far as it is there."""
        own = self.settings
        if own.model_path or own.upstream_urls:
            return own.model_path
        if own.model == EMBEDDED:
            folder = embedded_folder(own.cache_dir)
            return folder if folder.is_dir() else None
        return Path(own.model) if Path(own.model).is_dir() else hub_folder(own.model)

    @cached_property
    def served(self) -> dict[str, Served]:
        """What each upstream says that it serves."""
        key = self.settings.upstream_key
        return {url: self._asked(url, key.get_secret_value() if key else None) for url in self.settings.upstream_urls}

    @cached_property
    def guard_served(self) -> Served | None:
        """What the guard model's own server serves; None where there is no such server."""
        own = self.settings
        if own.guard_upstream is None:
            return None
        return self._asked(own.guard_upstream, own.guard_upstream_key.get_secret_value()
                           if own.guard_upstream_key else None)  # fmt: skip

    def _asked(self, url: str, key: str | None) -> Served:
        return ask_models(url, key, self.settings.connect_timeout)
