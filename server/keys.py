"""The admin key: given by the operator, or made once and kept where only they can read it."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

from server.access.secret_keys import make_key, weakness
from server.settings import Settings

_HOW = "make one with `letheward keys init`, or set LETHEWARD_ADMIN_KEY to 20 random characters or more"


class NoSafeKey(RuntimeError):
    """Others than this machine could come in, and the admin key is missing or could be guessed."""


def key_file(settings: Settings) -> Path:
    """Where a generated key is kept."""
    return settings.cache_dir / "admin.key"


def admin_key(settings: Settings) -> str:
    """The admin key of ``settings``, else the kept one, else a new one.

    Raises:
        NoSafeKey: the proxy is to listen beyond loopback, and there is no key yet, or a weak one.
        RuntimeError: the kept one is empty.
    """
    return known_admin_key(settings) or make_admin_key(settings)


def known_admin_key(settings: Settings) -> str | None:
    """The admin key of ``settings``, else the kept one; None where it is still to be made.

    Raises:
        NoSafeKey: the proxy is to listen beyond loopback, and there is no key yet, or a weak one.
        RuntimeError: the kept one is empty.
    """
    key = _given(settings) or _kept(key_file(settings))
    if not is_loopback(settings.host):
        why = "there is no admin key" if key is None else weakness(key)
        if why is not None:
            told = why if key is None else f"the admin key is weak: {why}"
            raise NoSafeKey(f"{settings.host} is reached from other machines, and {told}. To go on, {_HOW}.")
    return key


def make_admin_key(settings: Settings) -> str:
    """The kept admin key, or a new one that is kept from now on."""
    path = key_file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _kept(path) or make_admin_key(settings)
    with os.fdopen(handle, "w") as file:
        key = make_key("admin")
        file.write(key + "\n")
    return key


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on ``host``."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _given(settings: Settings) -> str | None:
    return settings.admin_key.get_secret_value() or None if settings.admin_key is not None else None


def _kept(path: Path) -> str | None:
    try:
        kept = path.read_text().strip()
    except FileNotFoundError:
        return None
    if not kept:
        raise RuntimeError(f"{path} is empty: delete it, and a new admin key is made")
    return kept
