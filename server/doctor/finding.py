"""What a check of the doctor says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: ``told`` is how it is, ``todo`` what to do about it, empty where it is well."""

    check: str
    status: Status
    told: str
    todo: str = ""


def ok(check: str, told: str) -> Finding:
    """It is well."""
    return Finding(check, "ok", told)


def warn(check: str, told: str, todo: str) -> Finding:
    """It works, and likely not as it is meant."""
    return Finding(check, "warn", told, todo)


def fail(check: str, told: str, todo: str) -> Finding:
    """It does not work."""
    return Finding(check, "fail", told, todo)


def one_line(error: BaseException) -> str:
    """An error in one line of moderate length."""
    return " ".join(str(error).split())[:300] or type(error).__name__


class Unusable(RuntimeError):
    """A file or a package cannot be used; the message is one line."""


@contextmanager
def using() -> Iterator[None]:
    """For libraries that read files, whose errors have no common parent.

    Raises:
        Unusable: whatever they raised.
    """
    try:
        yield
    except Exception as error:
        raise Unusable(one_line(error)) from error
