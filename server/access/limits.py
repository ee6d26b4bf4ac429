"""How often and how many at a time: 429 where a key asks for more, and what is left in OpenAI's headers."""

from __future__ import annotations

import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from server.errors import ApiError

_BUCKETS = 100_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """The limits of one key; None: none."""

    requests_per_minute: int | None = None
    concurrent_requests: int | None = None

    def over(self, default: Allowance) -> Allowance:
        """These limits, and where there is none that of ``default``."""
        return Allowance(
            default.requests_per_minute if self.requests_per_minute is None else self.requests_per_minute,
            default.concurrent_requests if self.concurrent_requests is None else self.concurrent_requests,
        )


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Limits:
    """Buckets of requests by key, each as large as a minute's, and how many are under way. Safe to use from threads.

    Counted in this process alone: with four workers a key may do up to four times as much. Over 100,000 keys the
    one longest unheard of is forgotten. ``default`` is for keys that have none of their own.
    """

    def __init__(self, default: Allowance = Allowance(), clock: Callable[[], float] = time.monotonic) -> None:
        self.default = default
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._running: Counter[str] = Counter()
        self._lock = Lock()

    def enter(self, who: str, allowance: Allowance) -> dict[str, str]:
        """Begin a request, which ``leave`` ends; the headers that tell what is left.

        Raises:
            ApiError: 429, and nothing has begun.
        """
        allowance = allowance.over(self.default)
        with self._lock:
            most = allowance.concurrent_requests
            if most is not None and self._running[who] >= most:
                raise _refused(f"This key may have {most} requests at a time.", "concurrency_limit_exceeded", 1, {})
            told = self._take(who, allowance.requests_per_minute)
            self._running[who] += 1
            return told

    def leave(self, who: str) -> None:
        """End a request."""
        with self._lock:
            self._running[who] -= 1
            if self._running[who] <= 0:
                del self._running[who]

    def _take(self, who: str, per_minute: int | None) -> dict[str, str]:
        if per_minute is None:
            return {}
        now = self._clock()
        bucket = self._buckets.setdefault(who, _Bucket(per_minute, now))
        self._buckets.move_to_end(who)
        while len(self._buckets) > _BUCKETS:
            self._buckets.popitem(last=False)
        a_second = per_minute / 60
        bucket.tokens = min(per_minute, bucket.tokens + (now - bucket.at) * a_second)
        bucket.at = now
        if bucket.tokens < 1:
            wait = (1 - bucket.tokens) / a_second
            told = _told(per_minute, bucket.tokens, a_second)
            message = f"This key may make {per_minute} requests a minute. Try again in {wait:.3g} s."
            raise _refused(message, "rate_limit_exceeded", wait, told)
        bucket.tokens -= 1
        return _told(per_minute, bucket.tokens, a_second)


def _told(per_minute: int, left: float, a_second: float) -> dict[str, str]:
    return {
        "x-ratelimit-limit-requests": str(per_minute),
        "x-ratelimit-remaining-requests": str(int(left)),
        "x-ratelimit-reset-requests": f"{(per_minute - left) / a_second:.3f}s",  # until all are there again
    }


def _refused(message: str, code: str, wait: float, told: dict[str, str]) -> ApiError:
    headers = told | {"Retry-After": str(max(1, math.ceil(wait)))}
    return ApiError(429, message, type="rate_limit_error", code=code, headers=headers)
