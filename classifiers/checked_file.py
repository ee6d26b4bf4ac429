"""Files with a checksum: a line of JSON, then bytes. Written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any


def write(file: Path, header: dict[str, Any], body: bytes) -> None:
    """Write ``body`` under ``header``, readable by the owner alone.

    Raises:
        OSError: it could not be written; what was there before is still there.
    """
    line = json.dumps(header | {"sha256": hashlib.sha256(body).hexdigest()}).encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}.part")  # other processes may be writing the same
    with part.open("wb") as out:
        out.write(line + b"\n" + body)
        out.flush()
        os.fsync(out.fileno())
    part.chmod(0o600)
    part.replace(file)


def read(file: Path) -> tuple[dict[str, Any], bytes]:
    """The header and the body.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: it is no such file, or was changed.
    """
    first, _, body = file.read_bytes().partition(b"\n")
    header = json.loads(first)
    if not isinstance(header, dict) or "sha256" not in header:
        raise ValueError("it has no checksum")
    if header["sha256"] != hashlib.sha256(body).hexdigest():
        raise ValueError("the checksum does not match")
    return header, body
