"""Encryption of what the store holds, with keys that the operator keeps elsewhere: AES-256-GCM.

Each sealed value carries the id of its key, so that keys can be rotated, and is bound to the place where it stands:
moved to another row, it does not open.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY = 32  # bytes
MARK = "\x01sealed:"  # before a sealed text in a column of texts
_VERSION = b"\x01"
_ID, _NONCE = 4, 12  # bytes


class SealError(ValueError):
    """What is sealed cannot be opened, or a key is none; the message says what to do."""


@dataclass(frozen=True, slots=True)
class _Lock:
    key: bytes
    id: bytes
    cipher: AESGCM

    @classmethod
    def of(cls, key: bytes) -> _Lock:
        return cls(key, _derived(key, "key id", _ID), AESGCM(_derived(key, "store", KEY)))


class Sealing:
    """Seals with the first of the operator's keys and opens with any of them. Safe to use from many threads.

    Without keys values stay in the clear, and opening a sealed one fails. A value in the clear is read as it is
    in any case, so that a store can be sealed while it is in use.
    """

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        """Take ``keys`` of at least 32 random bytes each.

        Raises:
            SealError: one is shorter.
        """
        if any(len(key) < KEY for key in keys):
            raise SealError(f"a store key has fewer than {KEY} bytes: make one with `letheward store new-key`")
        self._locks = tuple(map(_Lock.of, keys))

    @classmethod
    def of(cls, keys: Sequence[str]) -> Sealing:
        """From keys as an operator writes them: base64 (of either alphabet) or hexadecimal.

        Raises:
            SealError: one is neither, or too short.
        """
        return cls([_read(key) for key in keys])

    @property
    def on(self) -> bool:
        """Whether there is a key."""
        return bool(self._locks)

    def secret(self, purpose: str) -> bytes:
        """32 bytes for ``purpose`` (HKDF-SHA256 of the first key): others after the key was rotated.

        Raises:
            SealError: there is no key.
        """
        if not self._locks:
            raise SealError("there is no store key to derive a secret from")
        return self.secrets(purpose)[0]

    def secrets(self, purpose: str) -> tuple[bytes, ...]:
        """``secret`` of each key: make with the first, and accept what was made with any."""
        return tuple(_derived(lock.key, f"secret {purpose}", KEY) for lock in self._locks)

    def seal(self, value: Mapping[str, Any], *where: str) -> dict[str, Any]:
        """``value``, which is JSON, as ``{"sealed": "..."}``; ``where`` must be the same when it is opened."""
        if not self._locks:
            return dict(value)
        return {"sealed": self._sealed(orjson.dumps(value), where)}

    def open(self, value: Mapping[str, Any], *where: str) -> dict[str, Any]:
        """What ``seal`` was given.

        Raises:
            SealError: it was sealed with a key that is not here, for another place, or changed.
        """
        if value.keys() != {"sealed"}:
            return dict(value)
        opened: dict[str, Any] = orjson.loads(self._opened(value["sealed"], where))
        return opened

    def seal_text(self, text: str, *where: str) -> str:
        """``text`` sealed, for a column of texts.

        Raises:
            SealError: it begins as sealed texts do.
        """
        if text.startswith(MARK):
            raise SealError("a text may not begin as sealed texts do")
        return MARK + self._sealed(text.encode(), where) if self._locks and text else text

    def open_text(self, text: str, *where: str) -> str:
        """What ``seal_text`` was given.

        Raises:
            SealError: as ``open``.
        """
        return self._opened(text.removeprefix(MARK), where).decode() if text.startswith(MARK) else text

    def fresh(self, value: Mapping[str, Any] | str) -> bool:
        """Whether ``value`` is as ``seal`` or ``seal_text`` would leave it now."""
        if not self._locks:
            return True
        if isinstance(value, str):
            return not value or (value.startswith(MARK) and self._by_first(value.removeprefix(MARK)))
        return value.keys() == {"sealed"} and self._by_first(value["sealed"])

    def _by_first(self, sealed: str) -> bool:
        return _parts(sealed)[0] == self._locks[0].id

    def _sealed(self, clear: bytes, where: tuple[str, ...]) -> str:
        lock, nonce = self._locks[0], secrets.token_bytes(_NONCE)
        raw = _VERSION + lock.id + nonce + lock.cipher.encrypt(nonce, clear, _place(where))
        return base64.b64encode(raw).decode("ascii")

    def _opened(self, sealed: str, where: tuple[str, ...]) -> bytes:
        key_id, nonce, body = _parts(sealed)
        if not self._locks:
            raise SealError("the store is sealed, and no key was given: set store_keys")
        locks = [lock for lock in self._locks if lock.id == key_id]
        if not locks:
            raise SealError("the store is sealed with a key that was not given: add it to store_keys")
        for lock in locks:
            try:
                return lock.cipher.decrypt(nonce, body, _place(where))
            except InvalidTag:
                continue
        raise SealError("something in the store was changed or moved since it was sealed")


def new_key() -> str:
    """A key as an operator writes it."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY)).decode("ascii")


def _read(text: str) -> bytes:
    text = text.strip()
    if re.fullmatch(r"[0-9a-fA-F]{64,}", text) and len(text) % 2 == 0:
        return bytes.fromhex(text)
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (ValueError, binascii.Error):
        message = "a store key is neither base64 nor hexadecimal: make one with `letheward store new-key`"
        raise SealError(message) from None


def _derived(key: bytes, purpose: str, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=f"letheward {purpose}".encode()).derive(key)


def _place(where: tuple[str, ...]) -> bytes:
    return orjson.dumps(where)


def _parts(sealed: str) -> tuple[bytes, bytes, bytes]:
    try:
        raw = base64.b64decode(sealed, validate=True)
    except (ValueError, TypeError, binascii.Error):
        raw = b""
    if len(raw) < 1 + _ID + _NONCE or raw[:1] != _VERSION:
        raise SealError("something in the store is not as this version seals it")
    return raw[1 : 1 + _ID], raw[1 + _ID : 1 + _ID + _NONCE], raw[1 + _ID + _NONCE :]
