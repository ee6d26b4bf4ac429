"""The admin key."""

from __future__ import annotations

import stat
from pathlib import Path

from pydantic import SecretStr

from server.keys import admin_key, key_file
from server.settings import Settings


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path / "cache")
    key = admin_key(settings)
    assert len(key) > 30
    assert admin_key(settings) == key
    assert stat.S_IMODE(key_file(settings).stat().st_mode) == 0o600


def test_a_given_key_is_used(tmp_path: Path) -> None:
    assert admin_key(Settings(cache_dir=tmp_path, admin_key=SecretStr("mine"))) == "mine"
    assert not (tmp_path / "admin.key").exists()
