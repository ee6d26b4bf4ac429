"""Which admin keys are too weak to be reached by others."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from server.access.secret_keys import carries_key, is_generated, make_key, weakness
from server.keys import NoSafeKey, admin_key, is_loopback, key_file, make_admin_key
from server.settings import Settings

WEAK = [
    "mine", "changeme", "admin-admin-admin-admin-admin", "passwordpasswordpassword", "a" * 64, "abcabcabcabcabcabcabc",
    "abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "letheward-admin-key-example", "qwertyuiopqwertyuiop",
]  # fmt: skip


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "proxy.example", "localhost.example", ""])
def test_beyond_loopback_a_missing_or_weak_key_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(NoSafeKey, match="there is no admin key"):
        admin_key(Settings(cache_dir=tmp_path, host=host))
    assert not key_file(Settings(cache_dir=tmp_path)).exists()
    for weak in WEAK:
        with pytest.raises(NoSafeKey, match="weak"):
            admin_key(Settings(cache_dir=tmp_path, host=host, admin_key=SecretStr(weak)))
    key_file(Settings(cache_dir=tmp_path)).write_text("weak\n")
    with pytest.raises(NoSafeKey, match="weak"):
        admin_key(Settings(cache_dir=tmp_path, host=host))


def test_a_kept_or_a_strong_key_is_good_enough(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path, host="0.0.0.0")
    kept = make_admin_key(settings)
    assert admin_key(settings) == kept == make_admin_key(settings)
    strong = secrets.token_hex(16)
    assert admin_key(Settings(cache_dir=tmp_path, host="::", admin_key=SecretStr(strong))) == strong


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_on_this_machine_any_key_will_do(tmp_path: Path, host: str) -> None:
    assert is_loopback(host)
    assert admin_key(Settings(cache_dir=tmp_path, host=host, admin_key=SecretStr("mine"))) == "mine"
    assert is_generated(admin_key(Settings(cache_dir=tmp_path, host=host, admin_key=SecretStr(""))))


def test_an_empty_key_file_is_no_key(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path)
    key_file(settings).write_text("\n")
    with pytest.raises(RuntimeError, match="is empty"):
        admin_key(settings)


@given(st.sampled_from(["client", "auditor", "operator", "admin"]), st.binary(max_size=8).map(bytes.hex))
def test_keys_that_we_make_are_strong_and_found_in_any_text(role: str, around: str) -> None:
    key = make_key(role)  # type: ignore[arg-type]
    assert weakness(key) is None
    assert is_generated(key)
    assert carries_key(f"{around}{key}")


@given(st.integers(1, 6).flatmap(lambda n: st.text(min_size=n, max_size=n)), st.integers(1, 30))
def test_a_short_piece_over_and_over_is_weak(piece: str, times: int) -> None:
    assert weakness(piece * times) is not None
