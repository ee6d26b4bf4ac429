"""Records that are signed: Ed25519 (RFC 8032) over their canonical form."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from guard.verification.canonical import canonical

ALGORITHM = "Ed25519 over RFC 8785"


class Forged(ValueError):
    """A record that is not what was signed, or not signed at all."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with one key, and makes digests that only its owner can make again."""

    private: Ed25519PrivateKey

    @classmethod
    def of_file(cls, path: Path, *, make: bool) -> Signer:
        """The key in a PEM file (PKCS 8); ``make``: where there is none, one is made that only the owner can read.

        Raises:
            OSError: it cannot be read or written.
            ValueError: it holds no Ed25519 key without a password.
        """
        if make:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                _write_new(path)
            except FileExistsError:
                pass
        try:
            private = load_pem_private_key(path.read_bytes(), None)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path} holds no private key in PEM form without a password") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise ValueError(f"{path} holds no Ed25519 key: make one with `openssl genpkey -algorithm ed25519`")
        return cls(private)

    @property
    def public(self) -> str:
        """The public key, in base64."""
        return base64.b64encode(self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()

    def sign(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The record with its signature."""
        value = base64.b64encode(self.private.sign(canonical(record))).decode()
        return {
            "record": record,
            "signature": {
                "algorithm": ALGORITHM,
                "public_key": self.public,
                "key": key_id(self.public),
                "value": value,
            },
        }

    def digest(self, value: Any) -> str:
        """Of what must not be guessed from a record: the same for the same value and key."""
        raw = self.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        key = HKDF(SHA256(), 32, None, b"letheward record digests").derive(raw)
        return hmac.new(key, canonical(value), hashlib.sha256).hexdigest()[:32]


def key_id(public: str) -> str:
    """A short name of a public key."""
    return hashlib.sha256(base64.b64decode(public)).hexdigest()[:16]


def check(document: Any, public: str | None = None) -> Mapping[str, Any]:
    """The record of a signed document; ``public``: the key that has to have signed it, else the one that it names.

    Raises:
        Forged: the signature is missing, another key's, or not that of this record.
    """
    try:
        record, signature = document["record"], document["signature"]
        named, value = signature["public_key"], base64.b64decode(signature["value"], validate=True)
        if signature["algorithm"] != ALGORITHM:
            raise Forged(f"it is signed by {signature['algorithm']!r}, and {ALGORITHM!r} is known here")
        if public is not None and base64.b64decode(public) != base64.b64decode(named):
            raise Forged(f"it is signed by the key {key_id(named)}, and not by {key_id(public)}")
        Ed25519PublicKey.from_public_bytes(base64.b64decode(named, validate=True)).verify(value, canonical(record))
    except InvalidSignature as error:
        raise Forged("the record was changed after it was signed") from error
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise Forged("it is no signed deletion record") from error
    except Forged:
        raise
    except ValueError as error:
        raise Forged(f"it cannot be checked: {error}") from error
    if not isinstance(record, dict):
        raise Forged("it is no signed deletion record")
    return record


def _write_new(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    part = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)  # of several processes that start at once, one makes the key
    finally:
        part.unlink()
