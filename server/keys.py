"""The admin key: given by the operator, or made once and kept where only they can read it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from server.settings import Settings


def key_file(settings: Settings) -> Path:
    """Where a generated key is kept."""
    return settings.cache_dir / "admin.key"


def admin_key(settings: Settings) -> str:
    """The admin key of ``settings``, else the kept one, else a new one."""
    if settings.admin_key is not None and settings.admin_key.get_secret_value():
        return settings.admin_key.get_secret_value()
    path = key_file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = path.read_text().strip()
        if not kept:
            raise RuntimeError(f"{path} is empty: delete it, and a new admin key is made") from None
        return kept
    with os.fdopen(handle, "w") as file:
        key = "lw-admin-" + secrets.token_urlsafe(24)
        file.write(key + "\n")
    return key
